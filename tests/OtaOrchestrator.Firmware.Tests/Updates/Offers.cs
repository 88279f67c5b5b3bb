using System.Security.Cryptography;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Firmware.Tests.Updates;

/// <summary>A signed offer, and what a part of it may be replaced by before it is signed.</summary>
internal sealed record Offer(UpdateDocument Document, Manifest Manifest);

internal static class Offers
{
    public static readonly SigningKey Key = SigningKey.FromPem(SigningKey.Create().ToPem());

    public static readonly DeviceIdentity Device = new("thermostats", "thermo-a1", 3, 7, "");

    public static Offer Make(Func<Manifest, Manifest>? change = null, SigningKey? manifestKey = null, SigningKey? imageKey = null)
    {
        var image = FirmwareImage.Create("thermostat-fw", "2.4.0", ["thermo-a1"], 3, new byte[100]);
        var sha256 = SHA256.HashData(image);
        var manifest = new Manifest("thermostats", "thermostat-fw@2.4.0", "2.4.0", ["thermo-a1"], 3, 12, Convert.ToHexStringLower(sha256), image.Length);
        manifest = change?.Invoke(manifest) ?? manifest;
        var bytes = manifest.ToBytes();
        return new Offer(
            new UpdateDocument(
                UpdateOperation.Update, "r1", "firmware", "thermostat-fw@2.4.0", [], bytes, (manifestKey ?? Key).SignDigest(SHA256.HashData(bytes)), (imageKey ?? Key).SignDigest(sha256),
                UpdateDocument.Placeholder(Convert.ToHexStringLower(sha256)), image.Length),
            manifest);
    }
}
