using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>AWS JSON 1.0 and 1.1: everything is a POST to "/", the operation stands in a header, the body is the input.</summary>
internal sealed class AwsJson(ServiceModel model, Names names) : IProtocol
{
    private readonly JsonShapes _shapes = new(model, names);

    public IReadOnlyList<string> Usings => ["System.Text.Json"];

    public string ReplyType => "JsonReply";

    public string ContentType => "JsonElement";

    public bool IsRaw(Operation operation) => false;

    public void EmitRequest(CodeWriter code, Operation operation)
    {
        code.Line("wire.HttpMethod = \"POST\";")
            .Line("wire.ResourcePath = \"/\";")
            .Line($"wire.Headers[\"X-Amz-Target\"] = \"{model.TargetPrefix}.{operation.Name}\";")
            .Line($"wire.Headers[\"Content-Type\"] = \"application/x-amz-json-{model.JsonVersion}\";");
        code.Block("wire.Content = JsonWire.Object(writer =>", () => _shapes.EmitWrite(code, Members(operation.Input), "request"), "});");
    }

    public void EmitResponse(CodeWriter code, Operation operation) => _shapes.EmitRead(code, Members(operation.Output), "response");

    public void EmitException(CodeWriter code, Shape exception) => _shapes.EmitRead(code, ExceptionMembers(exception), "exception");

    public (string File, string Text) EmitStructures() => ($"{JsonShapes.Class}.g.cs", _shapes.EmitStructures());

    internal static IEnumerable<Member> ExceptionMembers(Shape exception) =>
        exception.Members.Where(m => !m.Name.Equals("message", StringComparison.OrdinalIgnoreCase));

    private IEnumerable<Member> Members(string? shape) => shape is null ? [] : model.Get(shape).Members;
}
