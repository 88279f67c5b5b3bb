using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>REST with JSON: members stand in the path, in the query, in headers or in the body, or one of them is the body.</summary>
internal sealed class RestJson(ServiceModel model, Names names) : IProtocol
{
    private readonly JsonShapes _shapes = new(model, names);
    private readonly RestBinding _binding = new(model, names);

    public IReadOnlyList<string> Usings => ["System.Text.Json"];

    public string ReplyType => "JsonReply";

    public string ContentType => "JsonElement";

    public bool IsRaw(Operation operation) => _binding.Payload(operation.Output) is not null;

    public void EmitRequest(CodeWriter code, Operation operation)
    {
        _binding.EmitRequest(code, operation);
        if (_binding.Payload(operation.Input) is { } payload)
        {
            RefuseAllButBlobs(payload);
            var value = $"request.{Names.Pascal(payload.Name)}";
            code.Block($"if ({value} != null)", () => code
                .Line("wire.Headers[\"Content-Type\"] = \"application/octet-stream\";")
                .Line($"wire.Content = {value}.ToArray();"));
        }
        else if (_binding.Body(operation.Input).Any())
        {
            code.Line("wire.Headers[\"Content-Type\"] = \"application/json\";");
            code.Block("wire.Content = JsonWire.Object(writer =>", () => _shapes.EmitWrite(code, _binding.Body(operation.Input), "request"), "});");
        }
    }

    public void EmitResponse(CodeWriter code, Operation operation)
    {
        _binding.EmitResponse(code, operation);
        if (_binding.Payload(operation.Output) is { } payload)
        {
            RefuseAllButBlobs(payload);
            code.Line($"response.{Names.Pascal(payload.Name)} = new MemoryStream(reply.Body);");
            return;
        }

        _shapes.EmitRead(code, _binding.Body(operation.Output), "response");
    }

    public void EmitException(CodeWriter code, Shape exception) => _shapes.EmitRead(code, AwsJson.ExceptionMembers(exception).Where(m => m.Location is null), "exception");

    public (string File, string Text) EmitStructures() => ($"{JsonShapes.Class}.g.cs", _shapes.EmitStructures());

    private void RefuseAllButBlobs(Member payload)
    {
        if (model.Get(payload.Shape).Type != "blob")
        {
            throw new NotSupportedException($"the payload member {payload.Name} is not a blob: not supported yet");
        }
    }
}
