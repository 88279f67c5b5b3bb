using System.Text.Json;

namespace OtaOrchestrator.Simulator.Load;

/// <summary>What an answer says of itself.</summary>
/// <param name="OnPurpose">It failed because its back end was told to.</param>
internal readonly record struct Answer(string Version, bool OnPurpose)
{
    public static readonly Answer Unknown = new("unknown", false);

    public static Answer Read(Stream body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return Unknown;
            }
            bool meant = root.TryGetProperty("onPurpose", out var purpose) && purpose.ValueKind == JsonValueKind.True;
            return root.TryGetProperty("version", out var version) && version.ValueKind == JsonValueKind.String && version.GetString() is { Length: > 0 and <= 64 } text
                ? new Answer(text, meant) : Unknown with { OnPurpose = meant };
        }
        catch (JsonException)
        {
            return Unknown;
        }
    }
}
