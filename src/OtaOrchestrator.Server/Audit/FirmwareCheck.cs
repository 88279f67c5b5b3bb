using System.Security.Cryptography;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Server.Releases;

namespace OtaOrchestrator.Server.Audit;

/// <param name="Digest"><c>sha256:</c> and hex.</param>
/// <param name="Signature">DER over the digest.</param>
internal sealed record PublishedImage(string Release, string Digest, long Size, byte[] Signature);

/// <summary>The stored images against the digests and signatures that were published.</summary>
internal static class FirmwareCheck
{
    public static async Task OfAsync(FirmwareStore store, IReadOnlyCollection<PublishedImage> images, VerificationKey key, Findings findings, CancellationToken cancellation)
    {
        foreach (var image in images)
        {
            var sha256 = image.Digest["sha256:".Length..];
            var file = new FileInfo(store.File(sha256));
            if (!file.Exists)
            {
                findings.Add(FindingKind.FirmwareMissing, image.Release, $"{image.Size} bytes of {image.Digest}", "no file", "publish the same image again");
                continue;
            }
            await using var stream = file.OpenRead();
            var found = await SHA256.HashDataAsync(stream, cancellation);
            if (Convert.ToHexStringLower(found) != sha256 || file.Length != image.Size)
            {
                findings.Add(FindingKind.FirmwareDigest, image.Release, $"{image.Size} bytes of {image.Digest}", $"{file.Length} bytes of sha256:{Convert.ToHexStringLower(found)}", "devices refuse it; publish the same image again");
            }
            else if (!key.Verify(found, image.Signature))
            {
                findings.Add(FindingKind.FirmwareSignature, image.Release, "a signature by the release key", "one that does not hold", "devices refuse it");
            }
        }
    }

    /// <param name="unclaimed">Digests of stored images that weren't arriving.</param>
    /// <param name="images">Read after <paramref name="unclaimed"/>, or a release that was published in between would be missed.</param>
    public static void Strays(IEnumerable<string> unclaimed, IEnumerable<PublishedImage> images, Findings findings)
    {
        var known = images.Select(image => image.Digest["sha256:".Length..]).ToHashSet(StringComparer.Ordinal);
        foreach (var file in unclaimed.Where(file => !known.Contains(file)))
        {
            findings.Add(FindingKind.FirmwareStray, file, "images of published releases", "an image of none", "an upload that was cut off before its release was stored, or a stranger's file");
        }
    }
}
