using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;

namespace OtaOrchestrator.Server.Api;

/// <summary>Schemas of messages as proto JSON writes them; each message once, by its full name.</summary>
internal sealed class OpenApiSchemas
{
    private readonly SortedDictionary<string, JsonObject> _schemas = new(StringComparer.Ordinal);

    public JsonObject ToJson()
    {
        var all = new JsonObject();
        foreach (var (name, schema) in _schemas)
        {
            all[name] = schema;
        }
        return all;
    }

    public JsonObject Reference(MessageDescriptor message)
    {
        if (WellKnown(message.FullName) is { } known)
        {
            return known;
        }
        if (!_schemas.ContainsKey(message.FullName))
        {
            var schema = new JsonObject { ["type"] = "object" };
            // Entered before its fields, so that a message may hold itself.
            _schemas[message.FullName] = schema;
            var properties = new JsonObject();
            foreach (var field in message.Fields.InDeclarationOrder())
            {
                properties[field.JsonName] = Of(field);
            }
            schema["properties"] = properties;
        }
        return new JsonObject { ["$ref"] = $"#/components/schemas/{message.FullName}" };
    }

    public JsonObject Of(FieldDescriptor field)
    {
        if (field.IsMap)
        {
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = One(field.MessageType.Fields.InFieldNumberOrder()[1]) };
        }
        return field.IsRepeated ? new JsonObject { ["type"] = "array", ["items"] = One(field) } : One(field);
    }

    private JsonObject One(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message => Reference(field.MessageType),
        FieldType.Enum => new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. field.EnumType.Values.Select(value => (JsonNode)value.Name)]) },
        FieldType.Bool => new JsonObject { ["type"] = "boolean" },
        FieldType.Double or FieldType.Float => new JsonObject { ["type"] = "number" },
        FieldType.Int32 or FieldType.UInt32 => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
        FieldType.Int64 or FieldType.UInt64 => new JsonObject { ["type"] = "string", ["format"] = "int64" },
        FieldType.Bytes => new JsonObject { ["type"] = "string", ["contentEncoding"] = "base64" },
        _ => new JsonObject { ["type"] = "string" },
    };

    private static JsonObject? WellKnown(string name) => name switch
    {
        "google.protobuf.Timestamp" => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        "google.protobuf.Duration" => new JsonObject { ["type"] = "string", ["description"] = "seconds with the letter s: 1.5s" },
        "google.protobuf.Any" => new JsonObject { ["type"] = "object" },
        _ => null,
    };
}
