using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>What became of the devices that a lane takes back, as conditions on the index. What a rollout before it had offered is taken back with it.</summary>
internal sealed class ReturnOutcomes
{
    public ReturnOutcomes(TargetOrder order, long now)
    {
        string[] candidates = [order.Candidate.Digest, .. order.Predecessors.Select(before => before.Digest)];
        var names = new JobNames(order);
        var returns = FleetQuery.LatestJobOf(names.OfReturns);
        var heard = FleetQuery.HeardSince(now - (long)order.SilentAfter.TotalSeconds);
        // A query has a limit, and the names of all jobs that offer anything would pass it.
        var updates = order.Predecessors.Count == 0 ? FleetQuery.LatestJobOf(names.OfUpdates) : FleetQuery.All(FleetQuery.LatestJobOf(names.OfFleet), FleetQuery.Not(returns));
        var updating = FleetQuery.All(updates, FleetQuery.Outcome("started"));
        var affected = FleetQuery.Any(FleetQuery.Runs(candidates), updating);

        Failed = FleetQuery.All(returns, FleetQuery.Outcome("failed", "refused", "reverted"));
        Candidate = FleetQuery.All(affected, heard, FleetQuery.Not(Failed));
        Silent = FleetQuery.All(affected, FleetQuery.Not(heard), FleetQuery.Not(Failed));
        Returned = FleetQuery.All(
            FleetQuery.Runs([order.Fallback.Digest, .. order.Fallback.Image is { } twin ? ["sha256:" + twin.Sha256] : Array.Empty<string>()]), returns, FleetQuery.Any(FleetQuery.Outcome("confirmed"), FleetQuery.RanBefore(candidates)));
    }

    /// <summary>Reachable, and still on what is taken back or installing it.</summary>
    public string Candidate { get; }

    /// <summary>Runs the fallback, and did not before.</summary>
    public string Returned { get; }

    /// <summary>Tried to return and did not.</summary>
    public string Failed { get; }

    /// <summary>Affected and not heard of.</summary>
    public string Silent { get; }

    public IEnumerable<string> All => [Candidate, Returned, Failed, Silent];
}
