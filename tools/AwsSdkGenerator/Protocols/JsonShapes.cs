using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>Shapes as JSON, for both JSON protocols.</summary>
internal sealed class JsonShapes(ServiceModel model, Names names)
{
    public const string Class = "StructuresJson";

    /// <summary>Writes the members that are set into a JSON object.</summary>
    public void EmitWrite(CodeWriter code, IEnumerable<Member> members, string owner)
    {
        code.Line("writer.WriteStartObject();");
        foreach (var member in members)
        {
            var shape = model.Get(member.Shape);
            var value = $"{owner}.{Names.Pascal(member.Name)}";
            if (member.IsIdempotencyToken)
            {
                code.Line($"writer.WriteString(\"{member.WireName}\", {value} ?? Guid.NewGuid().ToString());");
                continue;
            }

            var isSet = Names.IsCollection(shape) ? $"Collections.IsSet({value})" : $"{value} != null";
            code.Block($"if ({isSet})", () => code
                .Line($"writer.WritePropertyName(\"{member.WireName}\");")
                .Line(Write(shape, member.TimestampFormat, shape.IsEnum || Names.IsValueType(shape) ? value + ".Value" : value, 0) + ";"));
        }

        code.Line("writer.WriteEndObject();");
    }

    /// <summary>Sets the members of <paramref name="owner"/> from the object <c>content</c>. What is unknown or null is skipped.</summary>
    public void EmitRead(CodeWriter code, IEnumerable<Member> members, string owner)
    {
        var all = members.ToArray();
        if (all.Length == 0)
        {
            return;
        }

        code.Block("foreach (var member in JsonWire.Members(content))", () =>
            code.Block("switch (member.Name)", () =>
            {
                foreach (var member in all)
                {
                    code.Line($"case \"{member.WireName}\":").Indented(() => code
                        .Line($"{owner}.{Names.Pascal(member.Name)} = {Read(model.Get(member.Shape), member.TimestampFormat, "member.Value", 0)};")
                        .Line("break;"));
                }
            }));
    }

    public string EmitStructures()
    {
        var code = CodeWriter.File(
            names.Namespace + ".Internal",
            "System", "System.Collections.Generic", "System.Text.Json", names.Namespace + ".Model", "Amazon.Runtime.StandIn");
        StructureClass.Emit(code, model, Class, ("Utf8JsonWriter", shape => EmitWrite(code, shape.Members, "value")), "JsonElement", shape => EmitRead(code, shape.Members, "value"));
        return code.ToString();
    }

    private string Write(Shape shape, string? format, string value, int depth)
    {
        var (inner, item) = ($"writer{depth + 1}", $"item{depth + 1}");
        var writer = depth == 0 ? "writer" : $"writer{depth}";
        return shape.Type switch
        {
            "string" => $"{writer}.WriteStringValue({value})",
            "integer" or "long" or "double" or "float" => $"{writer}.WriteNumberValue({value})",
            "boolean" => $"{writer}.WriteBooleanValue({value})",
            "timestamp" => $"JsonWire.{Timestamp(shape, format)}({writer}, {value})",
            "blob" => $"{writer}.WriteBase64StringValue({value}.ToArray())",
            "structure" => $"{Class}.Write({writer}, {value})",
            "list" => $"JsonWire.WriteList({writer}, {value}, static ({inner}, {item}) => {Write(model.Get(shape.Element!), null, item, depth + 1)})",
            "map" => $"JsonWire.WriteMap({writer}, {value}, static ({inner}, {item}) => {Write(model.Get(shape.Value!), null, item, depth + 1)})",
            _ => throw new NotSupportedException($"cannot write shape {shape.Name} of type {shape.Type} as JSON"),
        };
    }

    private string Read(Shape shape, string? format, string value, int depth)
    {
        var item = $"item{depth + 1}";
        return shape.Type switch
        {
            "string" => $"JsonWire.Text({value})",
            "integer" => $"JsonWire.Integer({value})",
            "long" => $"JsonWire.Long({value})",
            "double" => $"JsonWire.Double({value})",
            "float" => $"JsonWire.Float({value})",
            "boolean" => $"JsonWire.Boolean({value})",
            "timestamp" => $"JsonWire.Timestamp({value})",
            "blob" => $"JsonWire.Blob({value})",
            "structure" => $"{Class}.Read{Names.Pascal(shape.Name)}({value})",
            "list" => $"JsonWire.ReadList({value}, static {item} => {Read(model.Get(shape.Element!), null, item, depth + 1)})",
            "map" => $"JsonWire.ReadMap({value}, static {item} => {Read(model.Get(shape.Value!), null, item, depth + 1)})",
            _ => throw new NotSupportedException($"cannot read shape {shape.Name} of type {shape.Type} from JSON"),
        };
    }

    private static string Timestamp(Shape shape, string? format) => (format ?? shape.TimestampFormat ?? "unixTimestamp") switch
    {
        "unixTimestamp" => "WriteEpochSeconds",
        "iso8601" => "WriteIso8601",
        var other => throw new NotSupportedException($"shape {shape.Name} has the timestamp format {other}"),
    };
}
