using System.Text.RegularExpressions;
using Amazon.CloudFront;
using Amazon.CloudFront.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.CloudFront;

/// <summary>
/// A distribution before the bucket with the firmware. Devices' documents are written with the link that AWS IoT would resolve; here it becomes one that CloudFront answers to.
/// Nothing of it is stored: a link that was signed opens an image for whoever has it.
/// </summary>
public sealed partial class FirmwareEdge(IAmazonCloudFront cloudFront, string distribution, SignedLinks links, TimeProvider time)
{
    /// <summary>
    /// How long a link in a document holds. The document is a job's for good, so this is how long devices that were away are still served by it; a new attempt has a new one.
    /// </summary>
    public static readonly TimeSpan LinkLife = TimeSpan.FromDays(30);

    /// <summary>Makes every edge ask for the image anew: one that was asked before it lay there keeps "no" for a while.</summary>
    /// <returns>Null when all edges do; otherwise what is waited for, for people.</returns>
    public async Task<string?> RefreshAsync(string sha256, CancellationToken cancellation)
    {
        try
        {
            // The same name finds the same invalidation, also one whose making was never answered.
            var batch = new InvalidationBatch { CallerReference = $"ota-{sha256}", Paths = new Paths { Quantity = 1, Items = ["/" + sha256] } };
            var made = (await cloudFront.CreateInvalidationAsync(new CreateInvalidationRequest { DistributionId = distribution, InvalidationBatch = batch }, cancellation)).Invalidation;
            var now = (await cloudFront.GetInvalidationAsync(new GetInvalidationRequest { DistributionId = distribution, Id = made.Id }, cancellation)).Invalidation;
            return now.Status == "Completed" ? null : $"{distribution} forgets what its edges knew of {sha256[..12]}";
        }
        catch (NoSuchInvalidationException)
        {
            return $"{distribution} does not know yet that it is to forget {sha256[..12]}";
        }
        catch (AmazonCloudFrontException refusal) when (refusal is NoSuchDistributionException or AccessDeniedException or InvalidArgumentException)
        {
            throw new TargetException($"{distribution} does not hand firmware out: {refusal.Message}", refusal);
        }
    }

    /// <summary>The document with links that CloudFront answers to.</summary>
    public string Linked(string document) => Placeholder().Replace(document, image => links.Of(image.Groups["image"].Value, time.GetUtcNow() + LinkLife));

    /// <summary>The document whatever its links were signed for: two that differ in nothing else are the same.</summary>
    public static string WithoutSignatures(string document) => Signature().Replace(document, "");

    [GeneratedRegex(@"\$\{aws:iot:s3-presigned-url:[^}]*/(?<image>[0-9a-f]{64})\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"(?<=/[0-9a-f]{64})\?Expires=\d+&Signature=[A-Za-z0-9_~-]+&Key-Pair-Id=\w+", RegexOptions.CultureInvariant)]
    private static partial Regex Signature();
}
