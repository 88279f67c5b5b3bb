using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Amazon.Runtime.StandIn;

/// <summary>JSON as AWS writes it. A null is the same as a missing member.</summary>
internal static class JsonWire
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Object(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Options))
        {
            write(writer);
        }

        return stream.ToArray();
    }

    public static void WriteList<T>(Utf8JsonWriter writer, List<T> list, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartArray();
        foreach (var item in list)
        {
            write(writer, item);
        }

        writer.WriteEndArray();
    }

    public static void WriteMap<T>(Utf8JsonWriter writer, Dictionary<string, T> map, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartObject();
        foreach (var (key, value) in map)
        {
            writer.WritePropertyName(key);
            write(writer, value);
        }

        writer.WriteEndObject();
    }

    public static void WriteEpochSeconds(Utf8JsonWriter writer, DateTime value) =>
        writer.WriteNumberValue(((DateTimeOffset)value.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000m);

    public static void WriteIso8601(Utf8JsonWriter writer, DateTime value) => writer.WriteStringValue(RestWire.Iso8601(value));

    public static IEnumerable<JsonProperty> Members(JsonElement content) => content.ValueKind == JsonValueKind.Object
        ? content.EnumerateObject().Where(m => m.Value.ValueKind != JsonValueKind.Null)
        : [];

    public static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Null => null,
        _ => value.GetRawText(),
    };

    public static int Integer(JsonElement value) => value.GetInt32();

    public static long Long(JsonElement value) => value.GetInt64();

    /// <summary>JSON has no NaN and no infinities: AWS writes them as strings.</summary>
    public static double Double(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture)
        : value.GetDouble();

    public static float Float(JsonElement value) => (float)Double(value);

    public static bool Boolean(JsonElement value) => value.GetBoolean();

    /// <summary>Epoch seconds with a fraction, or ISO 8601. Rounded to milliseconds, as doubles have no exact hundredths.</summary>
    public static DateTime Timestamp(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? DateTimeOffset.Parse(value.GetString()!, CultureInfo.InvariantCulture).UtcDateTime
        : DateTime.UnixEpoch.AddMilliseconds(Math.Round(value.GetDouble() * 1000));

    public static MemoryStream Blob(JsonElement value) => new(value.GetBytesFromBase64());

    public static List<T> ReadList<T>(JsonElement value, Func<JsonElement, T> read) => [.. value.EnumerateArray().Select(read)];

    public static Dictionary<string, T> ReadMap<T>(JsonElement value, Func<JsonElement, T> read) =>
        Members(value).ToDictionary(m => m.Name, m => read(m.Value));
}
