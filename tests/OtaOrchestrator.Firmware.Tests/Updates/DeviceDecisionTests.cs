using System.Security.Cryptography;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Firmware.Tests.Updates;

/// <summary>What an offer leads to, one line each.</summary>
public sealed class DeviceDecisionTests
{
    private static readonly SigningKey s_key = SigningKey.Create();
    private static readonly Manifest s_manifest = new("thermostats", "thermostat-fw@2.4.0", "2.4.0", ["thermo-a1"], 3, 12, new string('a', 64), 12345);
    private static readonly DeviceIdentity s_device = new("thermostats", "thermo-a1", 3, 11, "");

    public static TheoryData<string, RefusalCode?> Cases() => new()
    {
        { "as it should be", null },
        { "manifest signed by another key", RefusalCode.Signature },
        { "manifest changed after it was signed", RefusalCode.Signature },
        { "image signed by another key", RefusalCode.Signature },
        { "no signatures", RefusalCode.Signature },
        { "signed, but no manifest", RefusalCode.Manifest },
        { "another fleet", RefusalCode.Manifest },
        { "another release than offered", RefusalCode.Manifest },
        { "another size than offered", RefusalCode.Manifest },
        { "other hardware", RefusalCode.Hardware },
        { "lower counter", RefusalCode.Downgrade },
        { "lower sequence", RefusalCode.Sequence },
        { "same sequence, other content", RefusalCode.Sequence },
        { "repeated", null },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_device_decides(string kind, RefusalCode? refusal)
    {
        var (manifest, device) = (s_manifest, s_device);
        switch (kind)
        {
            case "another fleet": manifest = manifest with { Fleet = "fridges" }; break;
            case "other hardware": manifest = manifest with { HardwareIds = ["thermo-b2"] }; break;
            case "lower counter": manifest = manifest with { SecurityCounter = 2 }; break;
            case "lower sequence": manifest = manifest with { Sequence = 10 }; break;
            case "same sequence, other content": device = device with { HighestSequence = 12, AcceptedSha256 = new string('0', 64) }; break;
            case "repeated": device = device with { HighestSequence = 12, AcceptedSha256 = Convert.ToHexStringLower(SHA256.HashData(manifest.ToBytes())) }; break;
        }
        byte[] bytes = kind == "signed, but no manifest" ? "{}"u8.ToArray() : manifest.ToBytes();
        var other = SigningKey.Create();
        var document = new UpdateDocument(
            UpdateOperation.Update, "r", "l", kind == "another release than offered" ? "x@1" : manifest.Release, [], bytes,
            (kind == "manifest signed by another key" ? other : s_key).SignDigest(SHA256.HashData(bytes)),
            (kind == "image signed by another key" ? other : s_key).SignDigest(Convert.FromHexString(manifest.Sha256)), "https://x/", kind == "another size than offered" ? 1 : manifest.Size);
        document = kind switch
        {
            "manifest changed after it was signed" => document with { ManifestBytes = (manifest with { Sequence = 99 }).ToBytes() },
            "no signatures" => document with { ManifestSignature = [], ImageSignature = [] },
            _ => document,
        };
        var acceptance = Acceptance.Of(document, device, s_key.Public);
        Assert.Equal(refusal, acceptance.Refusal);
        Assert.Equal(refusal is null, acceptance.Manifest is not null);
    }
}
