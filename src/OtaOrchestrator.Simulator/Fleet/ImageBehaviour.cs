using System.Text.Json;
using System.Text.Json.Serialization;
using OtaOrchestrator.Firmware.Images;

namespace OtaOrchestrator.Simulator.Fleet;

/// <summary>
/// What an image does when it is booted, as the image itself says: the first line of its body, JSON. All else in the body is filler. An image without such a line works.
/// </summary>
/// <param name="Boots">False: it crashes before anything else, on every boot.</param>
/// <param name="Network">False: it comes up, but never gets a network.</param>
/// <param name="SelfTest">What its own check finds wrong; null when it passes.</param>
/// <param name="UnhealthyAfterSeconds">From its confirmation, or from a later boot, on; null for never.</param>
/// <param name="HealthReason">What it then says.</param>
/// <param name="ServedBytes">For a server of tests: it sends this many bytes of the image and then nothing more.</param>
public sealed record ImageBehaviour(
    bool Boots = true, bool Network = true, string? SelfTest = null, double? UnhealthyAfterSeconds = null, string? HealthReason = null, long? ServedBytes = null)
{
    private const int StartBytes = 16 * 1024;

    /// <exception cref="InvalidDataException">The file is not an image.</exception>
    public static ImageBehaviour Read(string imageFile)
    {
        using var stream = File.OpenRead(imageFile);
        var start = new byte[StartBytes];
        int length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var header = FirmwareImage.Header(start.AsSpan(0, length)) ?? throw new InvalidDataException($"{imageFile} is not an image");
        var body = start.AsSpan(header.HeaderBytes, (int)Math.Min(length - header.HeaderBytes, header.BodyBytes));
        int end = body.IndexOf((byte)'\n');
        if (end <= 0 || body[0] != '{')
        {
            return new ImageBehaviour();
        }
        try
        {
            return JsonSerializer.Deserialize(body[..end], BehaviourJson.Default.ImageBehaviour) ?? new ImageBehaviour();
        }
        catch (JsonException)
        {
            return new ImageBehaviour();
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ImageBehaviour))]
internal sealed partial class BehaviourJson : JsonSerializerContext;
