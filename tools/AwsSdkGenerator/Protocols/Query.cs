using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>AWS Query: a form of names such as <c>Dimensions.member.1.Name</c> goes out, XML comes back.</summary>
internal sealed class Query(ServiceModel model, Names names) : IProtocol
{
    private const string Class = "StructuresForm";

    private readonly XmlShapes _xml = new(model, names);

    public IReadOnlyList<string> Usings => ["System.Xml.Linq"];

    public string ReplyType => "XmlReply";

    public string ContentType => "XElement";

    public bool IsRaw(Operation operation) => false;

    public void EmitRequest(CodeWriter code, Operation operation)
    {
        code.Line("wire.HttpMethod = \"POST\";")
            .Line("wire.ResourcePath = \"/\";")
            .Line("wire.Headers[\"Content-Type\"] = \"application/x-www-form-urlencoded; charset=utf-8\";")
            .Line($"var form = new QueryForm(\"{operation.Name}\", \"{model.ApiVersion}\");");
        EmitWrite(code, operation.Input is null ? [] : model.Get(operation.Input).Members, "request", "\"\"");
        code.Line("wire.Content = form.ToBytes();");
    }

    public void EmitResponse(CodeWriter code, Operation operation)
    {
        if (operation.ResultWrapper is { } wrapper)
        {
            code.Line($"content = XmlWire.Child(content, \"{wrapper}\");");
        }

        _xml.EmitRead(code, operation.Output is null ? [] : model.Get(operation.Output).Members, "response");
    }

    public void EmitException(CodeWriter code, Shape exception) => _xml.EmitRead(code, AwsJson.ExceptionMembers(exception), "exception");

    /// <summary>Writing the form and reading the XML stand in one file each; the reading is the one that grows.</summary>
    public (string File, string Text) EmitStructures() => ($"{XmlShapes.Class}.g.cs", _xml.EmitStructures(write: false, EmitForms));

    private void EmitForms(CodeWriter code)
    {
        code.Line().Block($"internal static class {Class}", () =>
        {
            var first = true;
            foreach (var shape in model.Structures.Where(s => model.InputShapes.Contains(s.Name)))
            {
                if (!first)
                {
                    code.Line();
                }

                first = false;
                code.Block($"internal static void Write(QueryForm form, string name, {Names.Pascal(shape.Name)} value)", () => EmitWrite(code, shape.Members, "value", "name + \".\""));
            }
        });
    }

    private void EmitWrite(CodeWriter code, IEnumerable<Member> members, string owner, string prefix)
    {
        foreach (var member in members)
        {
            var shape = model.Get(member.Shape);
            var value = $"{owner}.{Names.Pascal(member.Name)}";
            var name = prefix == "\"\"" ? $"\"{member.WireName}\"" : $"{prefix[..^1]}{member.WireName}\"";
            code.Block($"if ({(Names.IsCollection(shape) ? $"Collections.IsSet({value})" : $"{value} != null")})", () =>
                code.Line(Write(shape, member.TimestampFormat, name, shape.IsEnum || Names.IsValueType(shape) ? value + ".Value" : value, 0) + ";"));
        }
    }

    private string Write(Shape shape, string? format, string name, string value, int depth)
    {
        var (form, at, item) = (depth == 0 ? "form" : $"form{depth}", $"name{depth + 1}", $"item{depth + 1}");
        return shape.Type switch
        {
            "string" => $"{form}.Add({name}, {value})",
            "integer" or "long" or "boolean" => $"{form}.Add({name}, RestWire.Text({value}))",
            "double" or "float" => $"{form}.Add({name}, RestWire.Text({value}))",
            "timestamp" when (format ?? shape.TimestampFormat ?? "iso8601") == "iso8601" => $"{form}.Add({name}, RestWire.Iso8601({value}))",
            "blob" => $"{form}.Add({name}, Convert.ToBase64String({value}.ToArray()))",
            "structure" => $"{Class}.Write({form}, {name}, {value})",
            "list" when shape.Flattened => throw new NotSupportedException($"the list {shape.Name} is flattened: not supported yet"),
            "list" => $"{form}.AddList({name}, {value}, static (form{depth + 1}, {at}, {item}) => {Write(model.Get(shape.Element!), null, at, item, depth + 1)})",
            "map" => $"{form}.AddMap({name}, {value}, \"{shape.KeyName}\", \"{shape.ValueName}\", static (form{depth + 1}, {at}, {item}) => {Write(model.Get(shape.Value!), null, at, item, depth + 1)})",
            _ => throw new NotSupportedException($"cannot write shape {shape.Name} of type {shape.Type} as a form"),
        };
    }
}
