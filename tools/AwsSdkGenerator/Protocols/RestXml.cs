using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>REST with XML: as REST with JSON, but the body is one element in the namespace of the service.</summary>
internal sealed class RestXml(ServiceModel model, Names names) : IProtocol
{
    private readonly XmlShapes _shapes = new(model, names);
    private readonly RestBinding _binding = new(model, names);

    public IReadOnlyList<string> Usings => ["System.Xml", "System.Xml.Linq"];

    public string ReplyType => "XmlReply";

    public string ContentType => "XElement";

    public bool IsRaw(Operation operation) => false;

    public void EmitRequest(CodeWriter code, Operation operation)
    {
        _binding.EmitRequest(code, operation);
        if (_binding.Payload(operation.Input) is { } payload)
        {
            var root = payload.Root ?? throw new NotSupportedException($"the payload member {payload.Name} of {operation.Name} has no element");
            var value = $"request.{Names.Pascal(payload.Name)}";
            code.Block($"if ({value} != null)", () => code
                .Line("wire.Headers[\"Content-Type\"] = \"application/xml\";")
                .Line($"wire.Content = XmlWire.Document(\"{root.Name}\", \"{root.Namespace}\", writer => {XmlShapes.Class}.Write(writer, {value}));"));
        }
        else if (_binding.Body(operation.Input).Any())
        {
            var root = operation.InputRoot ?? throw new NotSupportedException($"the body of {operation.Name} has no element");
            code.Line("wire.Headers[\"Content-Type\"] = \"application/xml\";");
            code.Block($"wire.Content = XmlWire.Document(\"{root.Name}\", \"{root.Namespace}\", writer =>", () => _shapes.EmitWrite(code, _binding.Body(operation.Input), "request"), "});");
        }
    }

    public void EmitResponse(CodeWriter code, Operation operation)
    {
        _binding.EmitResponse(code, operation);
        if (_binding.Payload(operation.Output) is { } payload)
        {
            code.Line($"response.{Names.Pascal(payload.Name)} = content is null ? null : {XmlShapes.Class}.Read{Names.Pascal(payload.Shape)}(content);");
            return;
        }

        _shapes.EmitRead(code, _binding.Body(operation.Output), "response");
    }

    public void EmitException(CodeWriter code, Shape exception) => _shapes.EmitRead(code, AwsJson.ExceptionMembers(exception), "exception");

    public (string File, string Text) EmitStructures() => ($"{XmlShapes.Class}.g.cs", _shapes.EmitStructures(write: true));
}
