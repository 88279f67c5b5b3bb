using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Firmware.Tests;

public sealed class AcceptanceTests
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
            UpdateOperation.Update, "r", "l", kind == "another release than offered" ? "x@1" : manifest.Release, null, bytes,
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

    [Fact]
    public void A_manifest_has_these_bytes_and_comes_back_from_them()
    {
        Assert.Equal(
            """{"type":"ota-manifest/v1","fleet":"thermostats","release":"thermostat-fw@2.4.0","version":"2.4.0","hardwareIds":["thermo-a1"],"securityCounter":3,"sequence":12,"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":12345}""",
            Encoding.UTF8.GetString(s_manifest.ToBytes()));
        Assert.Equal(s_manifest.ToBytes(), Manifest.Parse(s_manifest.ToBytes())!.ToBytes());
    }

    [Theory]
    [InlineData("\"fleet\":\"thermostats\",", "")]
    [InlineData("\"size\":12345", "\"size\":12345,\"more\":1")]
    [InlineData("\"size\":12345", "\"size\":12345,\"size\":1")]
    [InlineData("\"size\":12345", "\"size\":0")]
    [InlineData("\"size\":12345", "\"size\":1e99")]
    [InlineData("\"size\":12345", "\"size\":\"12345\"")]
    [InlineData("\"sequence\":12", "\"sequence\":-1")]
    [InlineData("[\"thermo-a1\"]", "[]")]
    [InlineData("[\"thermo-a1\"]", "[[\"thermo-a1\"]]")]
    [InlineData("aaaa\"", "AAAA\"")]
    [InlineData("/v1", "/v2")]
    [InlineData("}", "}{}")]
    public void A_manifest_that_says_more_less_or_something_else_is_none(string from, string to) =>
        Assert.Null(Manifest.Parse(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(s_manifest.ToBytes()).Replace(from, to, StringComparison.Ordinal))));

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"afr_ota":{"files":[]},"ota":{}}""")]
    [InlineData("""{"afr_ota":[],"ota":{}}""")]
    [InlineData("""{"afr_ota":{"files":[{"filesize":1},{"filesize":1}]},"ota":{"operation":"update"}}""")]
    [InlineData("""{"afr_ota":{"files":[{"filesize":"1"}]},"ota":{"operation":"wipe"}}""")]
    public void A_job_document_that_lacks_something_is_none(string json) => Assert.Null(UpdateDocument.Parse(JsonElement.Parse(json)));
}
