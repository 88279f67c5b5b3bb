using System.Security.Cryptography;
using OtaOrchestrator.Firmware.Signing;

namespace OtaOrchestrator.Firmware.Updates;

/// <summary>Why a device refuses an update. The names go over the wire in capitals.</summary>
public enum RefusalCode { Malformed, Signature, Manifest, Hash, Hardware, Downgrade, Sequence }

/// <summary>What a device knows of itself when it is offered something.</summary>
/// <param name="HighestSequence">Of the manifests that it has accepted.</param>
/// <param name="AcceptedSha256">Of the manifest bytes with that sequence, hex; a repeat of them is fine.</param>
public sealed record DeviceIdentity(string Fleet, string HardwareId, long SecurityCounter, long HighestSequence, string AcceptedSha256);

/// <summary>The decision about an offer: a manifest to go by, or why not.</summary>
public sealed record Acceptance(Manifest? Manifest, RefusalCode? Refusal, string Text)
{
    /// <summary>
    /// Decides before anything is downloaded. The order matters: nothing is believed, not even for an error's text, before its signature holds.
    /// </summary>
    public static Acceptance Of(UpdateDocument document, DeviceIdentity device, VerificationKey trusted)
    {
        static Acceptance No(RefusalCode code, string text) => new(null, code, text);

        if (!trusted.Verify(SHA256.HashData(document.ManifestBytes), document.ManifestSignature))
        {
            return No(RefusalCode.Signature, "the manifest is not signed by the key that this device trusts");
        }
        if (Manifest.Parse(document.ManifestBytes) is not { } manifest)
        {
            return No(RefusalCode.Manifest, "the manifest is signed but malformed");
        }
        if (!trusted.Verify(Convert.FromHexString(manifest.Sha256), document.ImageSignature))
        {
            return No(RefusalCode.Signature, "the image's signature is not by the key that this device trusts");
        }
        if (manifest.Fleet != device.Fleet || manifest.Release != document.Release || manifest.Size != document.FileSize)
        {
            return No(RefusalCode.Manifest, "the manifest is for another fleet, release or size than the offer");
        }
        if (!manifest.HardwareIds.Contains(device.HardwareId, StringComparer.Ordinal))
        {
            return No(RefusalCode.Hardware, $"for {string.Join(", ", manifest.HardwareIds)}, this is {device.HardwareId}");
        }
        if (manifest.SecurityCounter < device.SecurityCounter)
        {
            return No(RefusalCode.Downgrade, $"security counter {manifest.SecurityCounter} is below this device's {device.SecurityCounter}");
        }
        if (manifest.Sequence < device.HighestSequence
            || (manifest.Sequence == device.HighestSequence && Convert.ToHexStringLower(SHA256.HashData(document.ManifestBytes)) != device.AcceptedSha256))
        {
            return No(RefusalCode.Sequence, $"sequence {manifest.Sequence} was superseded, this device has seen {device.HighestSequence}");
        }
        return new Acceptance(manifest, null, "");
    }
}
