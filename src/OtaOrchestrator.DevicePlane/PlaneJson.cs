using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OtaOrchestrator.DevicePlane;

/// <summary>How JSON is read and written on the wire: bounded depth, no name twice, no HTML escapes.</summary>
internal static class PlaneJson
{
    public static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 32, AllowDuplicateProperties = false };
    private static readonly byte[] EmptyObject = "{}"u8.ToArray();

    /// <summary>The object in the payload; nothing at all counts as <c>{}</c>.</summary>
    /// <exception cref="RefusedException">InvalidJson.</exception>
    public static JsonElement ParseObject(ReadOnlySequence<byte> payload)
    {
        try
        {
            using var json = JsonDocument.Parse(payload.IsEmpty ? new ReadOnlySequence<byte>(EmptyObject) : payload, Reading);
            CheckText(json.RootElement);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? json.RootElement.Clone()
                : throw new RefusedException(Refusal.InvalidJson, "the payload must be a JSON object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new RefusedException(Refusal.InvalidJson, "the payload isn't valid JSON");
        }
    }

    /// <summary>Half a surrogate pair passes the parser and fails only when it is read; so everything is read once here.</summary>
    private static void CheckText(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    CheckText(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    _ = member.Name;
                    CheckText(member.Value);
                }

                break;
        }
    }

    public static byte[] Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
