using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Amazon.Runtime.StandIn;

/// <summary>XML as AWS writes it. Namespaces are written, and not asked for when reading.</summary>
internal static class XmlWire
{
    private static readonly XmlWriterSettings Settings = new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) };

    public static byte[] Document(string name, string xmlNamespace, Action<XmlWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = XmlWriter.Create(stream, Settings))
        {
            writer.WriteStartElement(name, xmlNamespace);
            write(writer);
            writer.WriteEndElement();
        }

        return stream.ToArray();
    }

    public static void WriteElement<T>(XmlWriter writer, string name, T value, Action<XmlWriter, T> write)
    {
        writer.WriteStartElement(name);
        write(writer, value);
        writer.WriteEndElement();
    }

    public static void WriteList<T>(XmlWriter writer, string name, List<T> list, Action<XmlWriter, T> write)
    {
        writer.WriteStartElement(name);
        foreach (var item in list)
        {
            write(writer, item);
        }

        writer.WriteEndElement();
    }

    public static XElement? Child(XElement? content, string name) => Children(content).FirstOrDefault(child => child.Name.LocalName == name);

    public static IEnumerable<XElement> Children(XElement? content) => content?.Elements() ?? [];

    public static string Text(XElement element) => element.Value;

    public static int Integer(XElement element) => int.Parse(element.Value, CultureInfo.InvariantCulture);

    public static long Long(XElement element) => long.Parse(element.Value, CultureInfo.InvariantCulture);

    public static double Double(XElement element) => double.Parse(element.Value, CultureInfo.InvariantCulture);

    public static bool Boolean(XElement element) => bool.Parse(element.Value);

    public static DateTime Timestamp(XElement element) => DateTimeOffset.Parse(element.Value, CultureInfo.InvariantCulture).UtcDateTime;

    public static List<T> ReadList<T>(XElement element, Func<XElement, T> read) => [.. element.Elements().Select(read)];

    /// <summary><c>&lt;entry&gt;&lt;key/&gt;&lt;value/&gt;&lt;/entry&gt;</c>, for each.</summary>
    public static Dictionary<string, T> ReadMap<T>(XElement element, Func<XElement, T> read) =>
        element.Elements().ToDictionary(entry => Child(entry, "key")!.Value, entry => read(Child(entry, "value")!));
}
