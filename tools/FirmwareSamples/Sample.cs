using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using OtaOrchestrator.Firmware.Images;

namespace OtaOrchestrator.Tools.FirmwareSamples;

/// <summary>One image of <c>firmware-samples/</c>. The same code gives the same bytes, today and next year.</summary>
/// <param name="Behaviour">The first line of the body: what the image does when booted.</param>
/// <param name="Outcome">What a device that runs 2.3.1 reports when it is offered this image, and the reason code; with <paramref name="LeadsTo"/> the row of the README.</param>
/// <param name="FlippedByte">Where a bit was turned after the image was made; null for nowhere.</param>
public sealed record Sample(
    string Version, string Suffix, long SecurityCounter, string Hardware, string Behaviour, int BodyBytes, string Does, string Outcome, string LeadsTo, int? FlippedByte = null)
{
    public const string Name = "thermostat-fw";

    public static IReadOnlyList<Sample> All { get; } =
    [
        new("2.3.1", "", 3, "thermo-a1", "{}", 24_000, "works", "nothing", "what devices come with; offered again, there is nothing to do"),
        new("2.4.0", "", 3, "thermo-a1", "{}", 32_000, "works", "confirmed", "installed, confirmed, healthy"),
        new("2.4.1", "-crash-loop", 3, "thermo-a1", """{"boots":false}""", 20_000, "crashes on every boot", "reverted CRASH_LOOP", "the boot loader runs out of attempts, 2.3.1 runs again"),
        new("2.4.2", "-no-network", 3, "thermo-a1", """{"network":false}""", 20_000, "boots, never has a network", "reverted NO_NETWORK", "never connects, so the local timer takes it back to 2.3.1"),
        new("2.4.3", "-stalls", 3, "thermo-a1", """{"servedBytes":16384}""", 48_000, "works; a test's server sends 16,384 bytes of it and then nothing, each time", "failed DOWNLOAD", "attempts run out, 2.3.1 runs on; from any other server it is a good image"),
        new("2.4.4", "-self-test", 3, "thermo-a1", """{"selfTest":"sensor does not answer"}""", 20_000, "fails its own check", "reverted SELF_TEST", "given up before it connects, 2.3.1 runs again"),
        new("2.4.5", "-other-hardware", 3, "thermo-b2", "{}", 20_000, "works, on other hardware", "refused HARDWARE", "nothing is downloaded"),
        new("2.5.0", "-unhealthy", 3, "thermo-a1", """{"unhealthyAfterSeconds":1,"healthReason":"temperature drifts"}""", 28_000, "passes its own check, is unhealthy a second after it was confirmed", "confirmed", "installed and confirmed; then says unhealthy, and has to be told to return"),
        new("2.6.0", "-tampered", 3, "thermo-a1", "{}", 20_000, "one bit was turned after it was made", "refused HASH", "can't be published; smuggled past the server, every device refuses it", 12_345),
        new("1.9.0", "-downgrade", 1, "thermo-a1", "{}", 16_000, "works, with a security counter below that of the devices", "refused DOWNGRADE", "nothing is downloaded"),
    ];

    public string FileName => $"{Name}-{Version}{Suffix}.img";

    public byte[] ToImage()
    {
        var image = FirmwareImage.Create(Name, Version, [Hardware], SecurityCounter, Body());
        if (FlippedByte is { } at)
        {
            image[at] ^= 1;
        }
        return image;
    }

    private byte[] Body()
    {
        var body = new byte[BodyBytes];
        var script = Encoding.UTF8.GetBytes(Behaviour + "\n");
        script.CopyTo(body, 0);
        // Filler that doesn't compress: hashes of the version and a number.
        Span<byte> block = stackalloc byte[SHA256.HashSizeInBytes];
        var seed = new byte[Version.Length + 4];
        Encoding.ASCII.GetBytes(Version, seed);
        for (int at = script.Length, number = 0; at < body.Length; at += block.Length, number++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(seed.AsSpan(Version.Length), number);
            SHA256.HashData(seed, block);
            block[..Math.Min(block.Length, body.Length - at)].CopyTo(body.AsSpan(at));
        }
        return body;
    }
}
