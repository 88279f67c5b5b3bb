using System.Security.Cryptography;
using System.Text.Json;
using Amazon.IoT;
using Amazon.IoT.Model;
using Amazon.Runtime;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Simulator.Attack;

/// <summary>
/// Everything about the offer is right, its form, its hashes, a sequence above all others, but for the key. So only a device that checks the signature refuses it.
/// </summary>
internal static class Forgery
{
    private const long SequenceAboveAll = 1_000_000_000;

    /// <summary>0 when the job is in the fleet; 1 when the control plane refused it.</summary>
    public static async Task<int> CommitAsync(
        Uri controlPlane, string authorityFile, string credentialsFile, string fleet, string hardware, string release, string reportFile, CancellationToken cancellation)
    {
        using var stolen = JsonDocument.Parse(await File.ReadAllBytesAsync(credentialsFile, cancellation));
        string Stolen(string name) => stolen.RootElement.GetProperty(name).GetString() ?? throw new InvalidDataException($"{credentialsFile} has no {name}");
        var (document, digest) = Offer(fleet, hardware, release);
        using var iot = new AmazonIoTClient(new BasicAWSCredentials(Stolen("accessKeyId"), Stolen("secretAccessKey")), new AmazonIoTConfig
        {
            ServiceURL = controlPlane.ToString(),
            AuthenticationRegion = Stolen("region"),
            HttpClientFactory = new PinnedClients(authorityFile),
            MaxErrorRetry = 2,
        });
        try
        {
            var group = await iot.DescribeThingGroupAsync(new DescribeThingGroupRequest { ThingGroupName = fleet }, cancellation);
            string job = $"forged-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
            await iot.CreateJobAsync(new CreateJobRequest { JobId = job, Targets = [group.ThingGroupArn], Document = document, TargetSelection = TargetSelection.SNAPSHOT }, cancellation);
            string beside = reportFile + ".new";
            await File.WriteAllTextAsync(beside, JsonSerializer.Serialize(new { job, digest }) + "\n", cancellation);
            File.Move(beside, reportFile, overwrite: true);
            return 0;
        }
        catch (AmazonServiceException refused)
        {
            await Console.Error.WriteLineAsync($"error: the control plane refused: {refused.ErrorCode} {refused.Message}");
            return 1;
        }
    }

    /// <summary>The job document and the digest of its image, signed with a key that was made a moment ago.</summary>
    public static (string Document, string Digest) Offer(string fleet, string hardware, string release)
    {
        if (release.Split('@') is not [var name, var version])
        {
            throw new InvalidDataException($"{release} is not name@version");
        }
        var key = SigningKey.Create();
        byte[] image = FirmwareImage.Create(name, version, [hardware], securityCounter: 1_000, RandomNumberGenerator.GetBytes(4096));
        byte[] sha256 = SHA256.HashData(image);
        string digest = Convert.ToHexStringLower(sha256);
        byte[] manifest = new Manifest(fleet, release, version, [hardware], 1_000, SequenceAboveAll, digest, image.Length).ToBytes();
        var document = new UpdateDocument(
            UpdateOperation.Update, "forged", "firmware", release, [], manifest, key.SignDigest(SHA256.HashData(manifest)), key.SignDigest(sha256), UpdateDocument.Placeholder(digest), image.Length);
        return (document.ToJson(), "sha256:" + digest);
    }
}
