using System.Text.Json;

namespace OtaOrchestrator.Firmware.Updates;

/// <summary>
/// What is signed for a device to go by: which release, for which hardware, with which image. The sequence grows with every manifest of a fleet, so that
/// a device knows an old one; a return is a new manifest that points at the older image.
/// </summary>
/// <param name="SecurityCounter">A device refuses an image whose counter is below its own.</param>
/// <param name="Sha256">Of the exact image file, 64 lower-case hex digits.</param>
public sealed record Manifest(string Fleet, string Release, string Version, IReadOnlyList<string> HardwareIds, long SecurityCounter, long Sequence, string Sha256, long Size)
{
    public const string Type = "ota-manifest/v1";
    public const int BytesMax = 8192;
    public const long SizeMax = 4L * 1024 * 1024 * 1024;

    /// <summary>The exact bytes that are signed: UTF-8 JSON, members in a fixed order, no white space.</summary>
    public byte[] ToBytes()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", Type);
            json.WriteString("fleet", Fleet);
            json.WriteString("release", Release);
            json.WriteString("version", Version);
            json.WriteStartArray("hardwareIds");
            foreach (var id in HardwareIds)
            {
                json.WriteStringValue(id);
            }
            json.WriteEndArray();
            json.WriteNumber("securityCounter", SecurityCounter);
            json.WriteNumber("sequence", Sequence);
            json.WriteString("sha256", Sha256);
            json.WriteNumber("size", Size);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    /// <summary>Reads strictly: an unknown, missing or repeated member makes it null, and so does a value out of range.</summary>
    public static Manifest? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
        {
            return null;
        }
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 4 });
            using var document = JsonDocument.ParseValue(ref reader);
            while (reader.Read())
            {
                return null;
            }
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.EnumerateObject().Count() != 9 || root.EnumerateObject().Select(member => member.Name).Distinct().Count() != 9)
            {
                return null;
            }
            if (root.GetProperty("type").GetString() != Type)
            {
                return null;
            }
            var manifest = new Manifest(
                root.GetProperty("fleet").GetString() ?? "",
                root.GetProperty("release").GetString() ?? "",
                root.GetProperty("version").GetString() ?? "",
                [.. root.GetProperty("hardwareIds").EnumerateArray().Select(id => id.GetString() ?? "")],
                root.GetProperty("securityCounter").GetInt64(),
                root.GetProperty("sequence").GetInt64(),
                root.GetProperty("sha256").GetString() ?? "",
                root.GetProperty("size").GetInt64());
            return manifest.IsSound() ? manifest : null;
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private bool IsSound() =>
        Fleet.Length is > 0 and <= 128 && Release.Length is > 0 and <= 128 && Version.Length is > 0 and <= 64
        && HardwareIds.Count is > 0 and <= 32 && HardwareIds.All(id => id.Length is > 0 and <= 64)
        && SecurityCounter >= 0 && Sequence > 0 && Size is > 0 and <= SizeMax
        && Sha256.Length == 64 && Sha256.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));
}
