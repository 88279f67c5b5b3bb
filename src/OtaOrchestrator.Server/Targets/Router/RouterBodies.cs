using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Server.Targets.Router;

// What the router's administration takes and gives; its members are the wire's.

internal sealed record RouteBody(FenceBody Fence, VariantBody Baseline, VariantBody? Candidate, double CandidateWeight, LeaseBody? Lease, int? StickySeconds, double? Mirror);

internal sealed record FenceBody(long Epoch, long Revision)
{
    public static FenceBody Of(Fence fence) => new(fence.Epoch, fence.Revision);

    public Fence ToFence() => new(Epoch, Revision);
}

internal sealed record VariantBody(string Release, IReadOnlyList<string> Addresses)
{
    public static VariantBody Of(TargetRelease release) => new(release.ToString(), release.Addresses);
}

internal sealed record LeaseBody(int Seconds, string OnLoss)
{
    public static LeaseBody Of(Lease lease) => new((int)Math.Ceiling(lease.For.TotalSeconds), lease.Return ? "return" : "hold");
}

internal sealed record RenewalBody(long Epoch);

internal sealed record RouteState(
    FenceBody Fence, VariantBody Baseline, VariantBody? Candidate, double CandidateWeight, double? Mirror, bool LeaseLost, WeightsState Effective,
    IReadOnlyList<DestinationState> Destinations, bool Drained);

internal sealed record WeightsState(double Baseline, double Candidate);

/// <param name="Side">baseline, candidate, or none.</param>
/// <param name="State">active, draining or removed.</param>
internal sealed record DestinationState(string Release, string Address, string Side, string State, long ConcurrentRequests, bool Overdue, bool Healthy, string? Problem);

internal sealed record RouteStatistics(string Instance, IReadOnlyList<SideState> Sides);

internal sealed record SideState(string Side, string Release, long Requests, long Errors, IReadOnlyList<LatencyState> Latency);

internal sealed record LatencyState(double UpToMs, long Requests);

internal sealed record RouterProblem(string? Title, string? Detail, IReadOnlyList<string>? Violations);
