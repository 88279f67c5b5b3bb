using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>
/// What became of the devices of a lane, as conditions on the index. A started device is in exactly one of <see cref="Healthy"/>,
/// <see cref="Failed"/>, <see cref="Silent"/> or none of them yet. Success reports early and silence late, hence the care with silence.
/// </summary>
internal sealed class FleetOutcomes
{
    /// <summary>How far a device's clock may be ahead.</summary>
    public const long ClockSkewSeconds = 86_400;

    public FleetOutcomes(string jobs, TargetOrder order, long now)
    {
        var (observeFor, silentAfter) = ((long)order.ObserveFor.TotalSeconds, (long)order.SilentAfter.TotalSeconds);
        var heard = FleetQuery.HeardSince(now - silentAfter);
        var unheard = FleetQuery.Not(heard);
        var candidate = FleetQuery.Runs(order.Candidate.Digest);
        var confirmed = FleetQuery.Outcome("confirmed", "nothing");
        var unhealthy = FleetQuery.Health("unhealthy");

        // A device heard of for the last time before now - silentAfter was silent within its observation if that had not ended by then.
        var observed = FleetQuery.ResolvedBy(now - observeFor);
        var observedBeforeSilence = FleetQuery.ResolvedBy(now - observeFor - silentAfter);

        Started = FleetQuery.LatestJobOf(jobs);
        FailedToInstall = FleetQuery.All(Started, FleetQuery.Outcome("failed", "refused", "reverted"));
        Refused = FleetQuery.All(Started, FleetQuery.Outcome("refused"));
        Unhealthy = FleetQuery.All(Started, confirmed, unhealthy);
        Failed = FleetQuery.All(
            Started,
            FleetQuery.Any(
                FleetQuery.Outcome("failed", "refused", "reverted"),
                FleetQuery.All(confirmed, FleetQuery.Any(unhealthy, FleetQuery.Not(candidate)))));

        var good = FleetQuery.All(confirmed, candidate, FleetQuery.Not(unhealthy));
        Healthy = FleetQuery.All(
            Started, good, FleetQuery.Health("healthy"), FleetQuery.Any(FleetQuery.All(heard, observed), observedBeforeSilence));
        Silent = FleetQuery.All(
            Started, unheard, FleetQuery.Any(FleetQuery.Outcome("started"), FleetQuery.All(good, FleetQuery.Not(observedBeforeSilence))));
        Dark = FleetQuery.All(Started, unheard, good, observedBeforeSilence);
    }

    public string Started { get; }

    /// <summary>Confirmed, runs the candidate, and healthy for the whole observation.</summary>
    public string Healthy { get; }

    /// <summary>Did not install, went back, or confirmed and became unhealthy.</summary>
    public string Failed { get; }

    public string FailedToInstall { get; }

    public string Unhealthy { get; }

    public string Refused { get; }

    /// <summary>Not heard of since it started, or since a moment within its observation.</summary>
    public string Silent { get; }

    /// <summary>Silent now, and it became so only after it had been observed.</summary>
    public string Dark { get; }
}
