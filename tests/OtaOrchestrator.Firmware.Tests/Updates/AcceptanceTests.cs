using System.Security.Cryptography;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Firmware.Tests.Updates;

public sealed class AcceptanceTests
{
    private static readonly SigningKey Other = SigningKey.Create();

    private static RefusalCode? Refusal(UpdateDocument document, DeviceIdentity? device = null) => Acceptance.Of(document, device ?? Offers.Device, Offers.Key.Public).Refusal;

    [Fact]
    public void A_sound_offer_is_accepted()
    {
        var offer = Offers.Make();
        var acceptance = Acceptance.Of(offer.Document, Offers.Device, Offers.Key.Public);

        Assert.Null(acceptance.Refusal);
        Assert.Equal(offer.Manifest.ToBytes(), acceptance.Manifest!.ToBytes());
    }

    [Fact]
    public void Signatures_of_other_keys_are_refused()
    {
        Assert.Equal(RefusalCode.Signature, Refusal(Offers.Make(manifestKey: Other).Document));
        Assert.Equal(RefusalCode.Signature, Refusal(Offers.Make(imageKey: Other).Document));
        Assert.Equal(RefusalCode.Signature, Refusal(Offers.Make().Document with { ManifestSignature = [] }));
        Assert.Equal(RefusalCode.Signature, Refusal(Offers.Make().Document with { ImageSignature = [] }));
    }

    [Fact]
    public void A_signature_does_not_cover_another_images_digest()
    {
        var offer = Offers.Make(manifest => manifest with { Sha256 = new string('c', 64) });

        Assert.Equal(RefusalCode.Signature, Refusal(offer.Document));
    }

    [Fact]
    public void Unsigned_text_is_not_believed_not_even_for_the_reason()
    {
        // Wrong in every way; the only thing that may be said of it is that nobody trusted signed it.
        var offer = Offers.Make(manifest => manifest with { Fleet = "ovens", HardwareIds = ["x"], SecurityCounter = 0, Sequence = 1 }, manifestKey: Other);

        Assert.Equal(RefusalCode.Signature, Refusal(offer.Document));
    }

    [Fact]
    public void A_signed_manifest_that_is_malformed_is_refused()
    {
        var bytes = "{\"type\":\"ota-manifest/v1\"}"u8.ToArray();

        Assert.Equal(RefusalCode.Manifest, Refusal(Offers.Make().Document with { ManifestBytes = bytes, ManifestSignature = Offers.Key.SignDigest(SHA256.HashData(bytes)) }));
    }

    [Fact]
    public void Mix_and_match_is_refused()
    {
        Assert.Equal(RefusalCode.Manifest, Refusal(Offers.Make(manifest => manifest with { Fleet = "ovens" }).Document));
        Assert.Equal(RefusalCode.Manifest, Refusal(Offers.Make().Document with { Release = "thermostat-fw@9.9.9" }));
        Assert.Equal(RefusalCode.Manifest, Refusal(Offers.Make().Document with { FileSize = 1 << 30 }));
    }

    [Theory]
    [InlineData("thermo-b1", RefusalCode.Hardware)]
    [InlineData("THERMO-A1", RefusalCode.Hardware)]
    [InlineData("thermo-a1", null)]
    public void Only_its_own_hardware(string hardware, RefusalCode? expected) => Assert.Equal(expected, Refusal(Offers.Make().Document, Offers.Device with { HardwareId = hardware }));

    [Theory]
    [InlineData(2, RefusalCode.Downgrade)]
    [InlineData(3, null)]
    [InlineData(4, null)]
    public void A_counter_below_the_devices_own_is_a_downgrade(long counter, RefusalCode? expected) =>
        Assert.Equal(expected, Refusal(Offers.Make(manifest => manifest with { SecurityCounter = counter }).Document));

    [Theory]
    [InlineData(6, RefusalCode.Sequence)]
    [InlineData(7, RefusalCode.Sequence)]
    [InlineData(8, null)]
    public void A_sequence_that_was_superseded_is_refused(long sequence, RefusalCode? expected) =>
        Assert.Equal(expected, Refusal(Offers.Make(manifest => manifest with { Sequence = sequence }).Document));

    [Fact]
    public void The_very_manifest_that_was_accepted_may_come_again()
    {
        var offer = Offers.Make();
        var device = Offers.Device with { HighestSequence = 12, AcceptedSha256 = Convert.ToHexStringLower(SHA256.HashData(offer.Document.ManifestBytes)) };

        Assert.Null(Refusal(offer.Document, device));
        Assert.Equal(RefusalCode.Sequence, Refusal(Offers.Make(manifest => manifest with { HardwareIds = ["thermo-a1", "thermo-a2"] }).Document, device));
    }

    [Fact]
    public void A_return_is_new_metadata_for_an_older_image()
    {
        // The device runs 2.4.0 by sequence 12; the fallback's manifest names 2.3.1 with sequence 13.
        var fallback = Offers.Make(manifest => manifest with { Version = "2.3.1", Sequence = 13 });

        Assert.Null(Refusal(fallback.Document, Offers.Device with { HighestSequence = 12 }));
    }
}
