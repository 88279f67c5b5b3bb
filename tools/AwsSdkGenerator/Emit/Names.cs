using System.Text;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Emit;

/// <summary>How the AWS SDK for .NET names and types what a service model describes.</summary>
internal sealed class Names(ServiceModel model)
{
    public string Namespace => "Amazon." + model.Definition.Name;

    public string Base => "Amazon" + (model.Definition.Client ?? model.Definition.Name);

    public string BaseException => Base + "Exception";

    public static string Pascal(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    public static string Exception(Shape shape)
    {
        var name = Pascal(shape.Name);
        return name.EndsWith("Exception", StringComparison.Ordinal) ? name : name + "Exception";
    }

    /// <summary>A constant of an enumeration: separators vanish and capitalise what follows, an underscore stays.</summary>
    public static string Constant(string value)
    {
        var name = new StringBuilder();
        var capitalise = true;
        foreach (var c in value)
        {
            if (char.IsAsciiLetterOrDigit(c) || c == '_')
            {
                name.Append(capitalise ? char.ToUpperInvariant(c) : c);
                capitalise = false;
            }
            else
            {
                capitalise = true;
            }
        }

        return char.IsAsciiDigit(name[0]) ? "_" + name : name.ToString();
    }

    /// <summary>The type of a property: value types are nullable, so that "not set" can be told from zero.</summary>
    public string PropertyType(string shapeName)
    {
        var shape = model.Get(shapeName);
        return shape.IsEnum ? Pascal(shape.Name) : IsValueType(shape) ? ElementType(shapeName) + "?" : ElementType(shapeName);
    }

    /// <summary>The type inside a list or a map: value types are plain there, and an enumeration is a string.</summary>
    public string ElementType(string shapeName)
    {
        var shape = model.Get(shapeName);
        return shape.Type switch
        {
            "string" or "character" => "string",
            "integer" => "int",
            "long" => "long",
            "double" => "double",
            "float" => "float",
            "boolean" => "bool",
            "timestamp" => "DateTime",
            "blob" => "MemoryStream",
            "list" => $"List<{ElementType(shape.Element!)}>",
            "map" => $"Dictionary<string, {ElementType(shape.Value!)}>",
            "structure" => Pascal(shape.Name),
            _ => throw new NotSupportedException($"shape {shapeName} has the unknown type {shape.Type}"),
        };
    }

    public static bool IsValueType(Shape shape) =>
        shape.Type is "integer" or "long" or "double" or "float" or "boolean" or "timestamp";

    public static bool IsCollection(Shape shape) => shape.Type is "list" or "map";
}
