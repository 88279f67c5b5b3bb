using System.Text.Json.Serialization;

namespace OtaOrchestrator.Core.Ports;

/// <summary>What a target shows at one moment; the judge turns it into a verdict.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(TrafficObservation), "traffic")]
[JsonDerivedType(typeof(FleetObservation), "fleet")]
public abstract record Observation;

/// <summary>Counters of one side since the counting process started.</summary>
/// <param name="Requests">Answered or failed requests.</param>
/// <param name="Errors">Of those, 5xx answers and transport failures.</param>
public sealed record SideCounters(long Requests, long Errors)
{
    public static readonly SideCounters Zero = new(0, 0);

    /// <summary>Cumulative latency counts: pairs of an upper bound in milliseconds and the number of requests at or below it.</summary>
    public IReadOnlyList<LatencyCount> Latency { get; init; } = [];
}

/// <param name="UpToMs">Upper bound, milliseconds.</param>
public readonly record struct LatencyCount(double UpToMs, long Requests);

/// <param name="Instance">Changes when the counters started again at 0.</param>
public sealed record TrafficObservation(string Instance, SideCounters Candidate, SideCounters Baseline) : Observation;

/// <summary>What the devices of a lane show, over all waves offered so far. Its size does not grow with the fleet.</summary>
/// <param name="Offered">Devices that were offered the candidate.</param>
/// <param name="Reachable">Of those, devices heard of within the last seven days.</param>
/// <param name="Queued">Offered, not started.</param>
/// <param name="Starts">Devices by the second in which they started, oldest first.</param>
/// <param name="Dark">Devices that had confirmed and are silent now.</param>
/// <param name="Refused">Devices that refused the update because its verification failed.</param>
/// <param name="Causes">Reason codes of failures with their counts.</param>
public sealed record FleetObservation(
    long Offered, long Reachable, long Queued, IReadOnlyList<StartBucket> Starts, long Dark, long Refused, IReadOnlyList<CauseCount> Causes) : Observation
{
    /// <summary>As if the devices that were bad in an earlier observation had never been offered anything.</summary>
    public FleetObservation Without(FleetObservation earlier)
    {
        var bad = earlier.Starts.Where(bucket => bucket.Bad > 0).ToDictionary(bucket => bucket.StartedAt);
        var starts = Starts.Select(bucket => bad.TryGetValue(bucket.StartedAt, out var then) ? bucket.Without(then) : bucket).ToList();
        long gone = Starts.Sum(bucket => bucket.Started) - starts.Sum(bucket => bucket.Started);
        return this with
        {
            Offered = Math.Max(0, Offered - gone),
            Reachable = Math.Max(0, Reachable - gone),
            Starts = starts,
            Dark = Math.Max(0, Dark - earlier.Dark),
            Refused = Math.Max(0, Refused - earlier.Refused),
        };
    }
}

/// <param name="StartedAt">Epoch seconds.</param>
/// <param name="Started">Devices that started then.</param>
/// <param name="Healthy">Of those, confirmed and healthy for the lane's observation time.</param>
/// <param name="Failed">Of those, failed, reverted, refused, or unhealthy after confirming.</param>
/// <param name="Silent">Of those, unresolved and not heard of within the lane's limit.</param>
public readonly record struct StartBucket(long StartedAt, long Started, long Healthy, long Failed, long Silent)
{
    public long Unresolved => Started - Healthy - Failed - Silent;
    [JsonIgnore]
    public long Bad => Failed + Silent;

    /// <summary>A device that was silent then and came to a good end since is healthy now.</summary>
    internal StartBucket Without(StartBucket then)
    {
        long failed = Math.Min(Failed, then.Failed);
        long silent = Math.Min(Silent, then.Silent);
        return this with { Started = Started - failed - silent, Failed = Failed - failed, Silent = Silent - silent };
    }
}

public readonly record struct CauseCount(string Code, long Count);
