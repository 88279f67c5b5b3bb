using System.Globalization;
using Amazon.IoT;
using Amazon.IoT.Model;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>The jobs of a fleet: created once, found by their names, withdrawn.</summary>
internal sealed class FleetJobs(IAmazonIoT iot, IotFleetOptions options, FirmwareEdge? edge, TimeProvider time)
{
    public const int PageSize = 250;

    /// <summary>How far the service's clock may be ahead of ours.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(1);

    private readonly OtaUpdates _updates = new(iot, options);

    /// <summary>
    /// Creates the job unless it is there. One that is there with another document or image is refused; one that was withdrawn meanwhile stays withdrawn,
    /// so that a late call resurrects nothing.
    /// </summary>
    /// <param name="release">What is offered: its document, or its image where the devices run FreeRTOS's OTA agent.</param>
    public async Task EnsureAsync(CreateJobRequest request, TargetRelease release, CancellationToken cancellation)
    {
        if (release.Image is { } image)
        {
            await _updates.EnsureAsync(request, image, cancellation);
            return;
        }

        var document = release.Document ?? throw new TargetException($"{release} has no document");
        request.Document = edge?.Linked(document) ?? document;
        try
        {
            await iot.CreateJobAsync(request, cancellation);
        }
        catch (ResourceAlreadyExistsException)
        {
            var there = await iot.GetJobDocumentAsync(new GetJobDocumentRequest { JobId = request.JobId }, cancellation);
            if (FirmwareEdge.WithoutSignatures(there.Document) != FirmwareEdge.WithoutSignatures(request.Document))
            {
                throw new TargetException($"the job {request.JobId} exists with another document");
            }
        }
    }

    public async Task<Job?> FindAsync(string id, CancellationToken cancellation)
    {
        try
        {
            return (await iot.DescribeJobAsync(new DescribeJobRequest { JobId = id }, cancellation)).Job;
        }
        catch (ResourceNotFoundException)
        {
            return null;
        }
    }

    /// <summary>What still offers something.</summary>
    /// <param name="prefixes">What the jobs' names begin with.</param>
    /// <param name="known">Jobs that are asked for one by one where the listing has none of them: it may be older than they are.</param>
    public async Task<Offers> OffersAsync(IReadOnlyList<string> prefixes, IEnumerable<string> known, CancellationToken cancellation)
    {
        var coming = await _updates.ComingAsync(prefixes, cancellation);
        var live = (await ListAsync(prefixes, JobStatus.IN_PROGRESS, cancellation)).ConvertAll(job => job.JobId);
        foreach (var id in known.Except(live).ToList())
        {
            if (await FindAsync(id, cancellation) is { } job && job.Status == JobStatus.IN_PROGRESS)
            {
                live.Add(id);
            }
        }

        return new Offers(live, coming);
    }

    /// <summary>Takes back what is queued. What a device has begun goes on.</summary>
    public async Task WithdrawAsync(Offers offers, string reasonCode, string comment, CancellationToken cancellation)
    {
        foreach (var id in offers.Jobs)
        {
            try
            {
                await iot.CancelJobAsync(new CancelJobRequest { JobId = id, Force = false, ReasonCode = reasonCode, Comment = comment }, cancellation);
            }
            catch (InvalidRequestException)
            {
                // It ended between the listing and here; anything else is still live and an error.
                if (await FindAsync(id, cancellation) is { } there && there.Status == JobStatus.IN_PROGRESS)
                {
                    throw;
                }
            }
        }
    }

    /// <summary>Ends by force what devices began with withdrawn jobs and did not end within the grace. These are the exceptions, so one call each.</summary>
    public async Task EndStragglersAsync(IReadOnlyList<string> prefixes, CancellationToken cancellation)
    {
        var left = options.ForcedCancelsPerCallMax;
        foreach (var job in await ListAsync(prefixes, JobStatus.CANCELED, cancellation))
        {
            if (left <= 0)
            {
                return;
            }

            var withdrawnAt = job.LastUpdatedAt ?? job.CompletedAt;
            // In the future: the clock was set back since, and nobody waits for that hour to come again.
            if (withdrawnAt is { } at && time.GetUtcNow().UtcDateTime - at.ToUniversalTime() is var age && age >= -SkewMax && age < options.WithdrawalGrace)
            {
                continue;
            }

            foreach (var thing in await InProgressAsync(job.JobId, left, cancellation))
            {
                left--;
                try
                {
                    await iot.CancelJobExecutionAsync(new CancelJobExecutionRequest { JobId = job.JobId, ThingName = thing, Force = true }, cancellation);
                }
                catch (Exception gone) when (gone is InvalidStateTransitionException or ResourceNotFoundException)
                {
                    // The device ended it itself, or left the fleet, a moment ago.
                }
            }
        }
    }

    /// <summary>A job without what it offers.</summary>
    public CreateJobRequest Request(string id, IEnumerable<string> targetArns, string description, int? ratePerMinuteMax) => new()
    {
        JobId = id,
        Targets = [.. targetArns],
        Description = description,
        PresignedUrlConfig = new PresignedUrlConfig
        {
            ExpiresInSec = (long)Math.Clamp(options.LinkLife.TotalSeconds, 60, 3600),
            RoleArn = options.PresignRoleArn,
        },
        TimeoutConfig = new TimeoutConfig { InProgressTimeoutInMinutes = (long)Math.Clamp(options.InProgressTimeout.TotalMinutes, 1, 10_080) },
        JobExecutionsRolloutConfig = ratePerMinuteMax is { } rate ? new JobExecutionsRolloutConfig { MaximumPerMinute = Math.Clamp(rate, 1, 1000) } : null,
    };

    /// <summary>Executions that a job has or had, whatever became of them.</summary>
    public static long Offered(Job job) => job.JobProcessDetails is not { } d ? 0
        : (long)(d.NumberOfQueuedThings ?? 0) + (d.NumberOfInProgressThings ?? 0) + (d.NumberOfSucceededThings ?? 0) + (d.NumberOfFailedThings ?? 0)
            + (d.NumberOfRejectedThings ?? 0) + (d.NumberOfTimedOutThings ?? 0) + (d.NumberOfCanceledThings ?? 0);

    private async Task<List<JobSummary>> ListAsync(IReadOnlyList<string> prefixes, JobStatus status, CancellationToken cancellation)
    {
        var found = new List<JobSummary>();
        if (prefixes.Count == 0)
        {
            return found;
        }

        string? next = null;
        do
        {
            var page = await iot.ListJobsAsync(new ListJobsRequest { Status = status, MaxResults = PageSize, NextToken = next }, cancellation);
            found.AddRange((page.Jobs ?? []).Where(j => prefixes.Any(prefix => j.JobId.StartsWith(prefix, StringComparison.Ordinal))));
            next = page.NextToken;
        }
        while (!string.IsNullOrEmpty(next));
        return found;
    }

    private async Task<IReadOnlyList<string>> InProgressAsync(string job, int max, CancellationToken cancellation)
    {
        var request = new ListJobExecutionsForJobRequest { JobId = job, Status = JobExecutionStatus.IN_PROGRESS, MaxResults = Math.Min(max, PageSize) };
        var page = await iot.ListJobExecutionsForJobAsync(request, cancellation);
        return [.. (page.ExecutionSummaries ?? []).Select(e => Thing(e.ThingArn))];
    }

    private static string Thing(string arn)
    {
        var at = arn.LastIndexOf(":thing/", StringComparison.Ordinal);
        return at < 0 ? throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{arn} is not a thing's ARN")) : arn[(at + ":thing/".Length)..];
    }
}
