using Amazon.IoT;
using Amazon.IoT.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>
/// Jobs for FreeRTOS's OTA agent: AWS makes stream, document and job of an update, some time after it was asked to. The job is then one as any other, under the update's name
/// with a prefix.
/// </summary>
internal sealed class OtaUpdates(IAmazonIoT iot, IotFleetOptions options)
{
    /// <summary>What AWS puts before an update's id to name its job.</summary>
    public const string JobPrefix = "AFR_OTA-";

    /// <summary>What the agent's port checks with; a device knows it by this name.</summary>
    public const string KeyName = "release-key";

    public const string FileName = "firmware.img";

    /// <summary>How the image is signed; together they name the signature in the document: <c>sig-sha256-ecdsa</c>.</summary>
    public const string Hash = "SHA256";

    public const string Algorithm = "ECDSA";

    /// <summary>Asks for the update behind a job unless it was asked for before. Repeating finds out whether it was made.</summary>
    /// <param name="like">Job, targets, limits and what else the update takes over.</param>
    /// <exception cref="TargetException">AWS could not make it and has forgotten it, or it exists with another image.</exception>
    public async Task EnsureAsync(CreateJobRequest like, OtaImage image, CancellationToken cancellation)
    {
        var id = like.JobId[JobPrefix.Length..];
        try
        {
            await iot.CreateOTAUpdateAsync(Request(id, like, image), cancellation);
        }
        catch (ResourceAlreadyExistsException)
        {
            var there = (await iot.GetOTAUpdateAsync(new GetOTAUpdateRequest { OtaUpdateId = id }, cancellation)).OtaUpdateInfo;
            if (there.OtaUpdateStatus == OTAUpdateStatus.CREATE_FAILED)
            {
                // Nobody was offered anything by it. Without it the name is free for who asks again when the cause is mended: a return has no other.
                await iot.DeleteOTAUpdateAsync(new DeleteOTAUpdateRequest { OtaUpdateId = id, DeleteStream = true }, cancellation);
                throw new TargetException($"AWS IoT could not make the update {id}: {there.ErrorInfo?.Code} {there.ErrorInfo?.Message}");
            }

            if (there.OtaUpdateFiles is not [var file] || file.FileLocation?.S3Location?.Key != image.Sha256)
            {
                throw new TargetException($"the update {id} exists with another image");
            }
        }
    }

    /// <summary>How many updates AWS is still making: their jobs are nowhere to be found, and come at any time. Who asks for jobs as well asks for them after this, or misses one between the two.</summary>
    /// <param name="jobs">What the jobs' names begin with.</param>
    public async Task<int> ComingAsync(IReadOnlyList<string> jobs, CancellationToken cancellation)
    {
        var ids = jobs.Where(prefix => prefix.StartsWith(JobPrefix, StringComparison.Ordinal)).Select(prefix => prefix[JobPrefix.Length..]).ToList();
        var coming = 0;
        // In the order in which an update goes through them.
        foreach (var status in ids.Count == 0 ? [] : new[] { OTAUpdateStatus.CREATE_PENDING, OTAUpdateStatus.CREATE_IN_PROGRESS })
        {
            string? next = null;
            do
            {
                var page = await iot.ListOTAUpdatesAsync(new ListOTAUpdatesRequest { OtaUpdateStatus = status, MaxResults = FleetJobs.PageSize, NextToken = next }, cancellation);
                coming += (page.OtaUpdates ?? []).Count(update => ids.Exists(id => update.OtaUpdateId.StartsWith(id, StringComparison.Ordinal)));
                next = page.NextToken;
            }
            while (!string.IsNullOrEmpty(next));
        }

        return coming;
    }

    private CreateOTAUpdateRequest Request(string id, CreateJobRequest like, OtaImage image) => new()
    {
        OtaUpdateId = id,
        Description = like.Description,
        Targets = like.Targets,
        Protocols = [Protocol.HTTP],
        TargetSelection = like.TargetSelection,
        RoleArn = options.PresignRoleArn ?? throw new TargetException("there is no role with which AWS IoT makes updates"),
        AwsJobPresignedUrlConfig = new AwsJobPresignedUrlConfig { ExpiresInSec = like.PresignedUrlConfig.ExpiresInSec },
        AwsJobTimeoutConfig = new AwsJobTimeoutConfig { InProgressTimeoutInMinutes = like.TimeoutConfig.InProgressTimeoutInMinutes },
        AwsJobExecutionsRolloutConfig = like.JobExecutionsRolloutConfig is { } rate ? new AwsJobExecutionsRolloutConfig { MaximumPerMinute = rate.MaximumPerMinute } : null,
        AwsJobAbortConfig = like.AbortConfig is { } abort ? new AwsJobAbortConfig { AbortCriteriaList = abort.CriteriaList.ConvertAll(Criterion) } : null,
        Files =
        [
            new OTAUpdateFile
            {
                FileName = FileName,
                FileType = 0,
                FileVersion = image.Version,
                FileLocation = new FileLocation { S3Location = new S3Location { Bucket = options.FirmwareBucket, Key = image.Sha256 } },
                CodeSigning = new CodeSigning
                {
                    CustomCodeSigning = new CustomCodeSigning
                    {
                        Signature = new CodeSigningSignature { InlineDocument = new MemoryStream(Convert.FromBase64String(image.Signature)) },
                        CertificateChain = new CodeSigningCertificateChain { CertificateName = KeyName },
                        HashAlgorithm = Hash,
                        SignatureAlgorithm = Algorithm,
                    },
                },
            },
        ],
    };

    private static AwsJobAbortCriteria Criterion(AbortCriteria criterion) => new()
    {
        Action = AwsJobAbortCriteriaAbortAction.CANCEL,
        FailureType = AwsJobAbortCriteriaFailureType.FindValue(criterion.FailureType.Value),
        ThresholdPercentage = criterion.ThresholdPercentage,
        MinNumberOfExecutedThings = criterion.MinNumberOfExecutedThings,
    };
}
