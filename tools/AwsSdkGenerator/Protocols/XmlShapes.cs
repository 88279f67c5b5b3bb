using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>Shapes as XML elements, for REST-XML and for the replies of Query.</summary>
internal sealed class XmlShapes(ServiceModel model, Names names)
{
    public const string Class = "StructuresXml";

    /// <summary>Writes the members that are set as child elements.</summary>
    public void EmitWrite(CodeWriter code, IEnumerable<Member> members, string owner)
    {
        foreach (var member in members)
        {
            var shape = model.Get(member.Shape);
            var value = $"{owner}.{Names.Pascal(member.Name)}";
            code.Block($"if ({(Names.IsCollection(shape) ? $"Collections.IsSet({value})" : $"{value} != null")})", () =>
                code.Line(Write(shape, member.WireName, shape.IsEnum || Names.IsValueType(shape) ? value + ".Value" : value, 0) + ";"));
        }
    }

    /// <summary>Sets the members of <paramref name="owner"/> from the child elements of <c>content</c>. What is unknown is skipped.</summary>
    public void EmitRead(CodeWriter code, IEnumerable<Member> members, string owner)
    {
        var all = members.ToArray();
        if (all.Length == 0)
        {
            return;
        }

        code.Block("foreach (var member in XmlWire.Children(content))", () =>
            code.Block("switch (member.Name.LocalName)", () =>
            {
                foreach (var member in all)
                {
                    code.Line($"case \"{member.WireName}\":").Indented(() => code
                        .Line($"{owner}.{Names.Pascal(member.Name)} = {Read(model.Get(member.Shape), "member", 0)};")
                        .Line("break;"));
                }
            }));
    }

    /// <param name="more">What else stands in the file.</param>
    public string EmitStructures(bool write, Action<CodeWriter>? more = null)
    {
        var code = CodeWriter.File(
            names.Namespace + ".Internal",
            "System", "System.Collections.Generic", "System.Xml", "System.Xml.Linq", names.Namespace + ".Model", "Amazon.Runtime.StandIn");
        StructureClass.Emit(code, model, Class, write ? ("XmlWriter", shape => EmitWrite(code, shape.Members, "value")) : null, "XElement", shape => EmitRead(code, shape.Members, "value"));
        more?.Invoke(code);
        return code.ToString();
    }

    private string Write(Shape shape, string name, string value, int depth)
    {
        var writer = depth == 0 ? "writer" : $"writer{depth}";
        var (inner, item) = ($"writer{depth + 1}", $"item{depth + 1}");
        return shape.Type switch
        {
            "string" => $"{writer}.WriteElementString(\"{name}\", {value})",
            "integer" or "long" or "boolean" => $"{writer}.WriteElementString(\"{name}\", RestWire.Text({value}))",
            "double" or "float" => $"{writer}.WriteElementString(\"{name}\", RestWire.Text({value}))",
            "timestamp" => $"{writer}.WriteElementString(\"{name}\", RestWire.Iso8601({value}))",
            "structure" => $"XmlWire.WriteElement({writer}, \"{name}\", {value}, {Class}.Write)",
            "list" when shape.Flattened => throw new NotSupportedException($"the list {shape.Name} is flattened: not supported yet"),
            "list" => $"XmlWire.WriteList({writer}, \"{name}\", {value}, static ({inner}, {item}) => {Write(model.Get(shape.Element!), shape.ElementName, item, depth + 1)})",
            _ => throw new NotSupportedException($"cannot write shape {shape.Name} of type {shape.Type} as XML"),
        };
    }

    private string Read(Shape shape, string value, int depth)
    {
        var item = $"item{depth + 1}";
        return shape.Type switch
        {
            "string" => $"XmlWire.Text({value})",
            "integer" => $"XmlWire.Integer({value})",
            "long" => $"XmlWire.Long({value})",
            "double" => $"XmlWire.Double({value})",
            "float" => $"(float)XmlWire.Double({value})",
            "boolean" => $"XmlWire.Boolean({value})",
            "timestamp" => $"XmlWire.Timestamp({value})",
            "structure" => $"{Class}.Read{Names.Pascal(shape.Name)}({value})",
            "list" when shape.Flattened => throw new NotSupportedException($"the list {shape.Name} is flattened: not supported yet"),
            "list" => $"XmlWire.ReadList({value}, static {item} => {Read(model.Get(shape.Element!), item, depth + 1)})",
            "map" => $"XmlWire.ReadMap({value}, static {item} => {Read(model.Get(shape.Value!), item, depth + 1)})",
            _ => throw new NotSupportedException($"cannot read shape {shape.Name} of type {shape.Type} from XML"),
        };
    }
}
