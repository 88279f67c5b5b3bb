using Amazon.CloudTrail;
using Amazon.CloudTrail.Model;

namespace OtaOrchestrator.Aws.Controls;

/// <param name="Trails">Of the region, those of other regions that record here too, and an organization's.</param>
public sealed record TrailsReading(DateTimeOffset ReadAt, IReadOnlyList<TrailReading> Trails)
{
    /// <summary>What is done in any region is written down, in a way that shows when it is changed afterwards.</summary>
    public bool Recorded => Trails.Any(trail => trail.Gaps.Count == 0);
}

/// <param name="Arn">The evidence.</param>
/// <param name="LastDelivery">When CloudTrail last wrote to its bucket; null if it never did.</param>
/// <param name="Gaps">What it lacks, for people; empty for a trail that does what it should.</param>
public sealed record TrailReading(string Name, string Arn, DateTimeOffset? LastDelivery, IReadOnlyList<string> Gaps);

/// <summary>Whether CloudTrail records what is done in an account.</summary>
public sealed class Trails(IAmazonCloudTrail cloudTrail, TimeProvider time)
{
    public async Task<TrailsReading> ReadAsync(CancellationToken cancellation)
    {
        var readAt = time.GetUtcNow();
        List<TrailReading> trails = [];
        foreach (var trail in (await cloudTrail.DescribeTrailsAsync(new DescribeTrailsRequest(), cancellation)).TrailList ?? [])
        {
            var status = await cloudTrail.GetTrailStatusAsync(new GetTrailStatusRequest { Name = trail.TrailARN }, cancellation);
            DateTimeOffset? delivered = status.LatestDeliveryTime is { } at ? new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc)) : null;
            trails.Add(new TrailReading(trail.Name, trail.TrailARN, delivered, [.. Gaps(trail, status)]));
        }

        return new TrailsReading(readAt, trails);
    }

    private static IEnumerable<string> Gaps(Trail trail, GetTrailStatusResponse status)
    {
        if (status.IsLogging != true)
        {
            yield return "it is stopped";
        }

        if (trail.IsMultiRegionTrail != true)
        {
            yield return $"it records {trail.HomeRegion} alone";
        }

        if (trail.LogFileValidationEnabled != true)
        {
            yield return "its files can be changed unseen: validation is off";
        }

        if (!string.IsNullOrEmpty(status.LatestDeliveryError))
        {
            yield return $"it can't write to its bucket: {status.LatestDeliveryError}";
        }
    }
}
