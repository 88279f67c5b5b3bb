using OtaOrchestrator.Router.Routes;
using OtaOrchestrator.Router.Statistics;

namespace OtaOrchestrator.Router.Admin;

/// <summary>A route as GET and PUT show it.</summary>
/// <param name="Effective">What holds now; differs from <c>candidateWeight</c> after a lost lease.</param>
/// <param name="Drained">No request is left on a destination that the route no longer uses.</param>
internal sealed record RouteView(
    string Name, Fence Fence, Variant Baseline, Variant? Candidate, double CandidateWeight, Lease? Lease, bool LeaseLost, double? LeaseSecondsLeft,
    int? StickySeconds, double? Mirror, bool Preview, EffectiveWeights Effective, IReadOnlyList<DestinationView> Destinations, bool Drained)
{
    public static RouteView Of(Route route, RouteTable table)
    {
        var retired = table.Retired(route.Name);
        return new(
            route.Name, route.Spec.Fence, route.Spec.Baseline, route.Spec.Candidate, route.Spec.CandidateWeight, route.Spec.Lease, route.LeaseLost,
            table.LeaseLeft(route)?.TotalSeconds, route.Spec.StickySeconds, route.Spec.Mirror, route.PreviewToken is not null, new(1 - route.CandidateWeight, route.CandidateWeight),
            [
                .. route.Baseline.Select(destination => DestinationView.Of(destination, "baseline", table)),
                .. route.Candidate.Select(destination => DestinationView.Of(destination, "candidate", table)),
                .. retired.Select(destination => DestinationView.Of(destination, "none", table)),
            ],
            retired.All(destination => destination.State == DestinationState.Removed));
    }
}

internal readonly record struct EffectiveWeights(double Baseline, double Candidate);

/// <param name="Side">baseline, candidate, or none for a destination that was replaced.</param>
/// <param name="Overdue">It is draining for longer than is usual: its last requests or streams don't end by themselves.</param>
internal sealed record DestinationView(string Release, string Address, string Side, DestinationState State, long ConcurrentRequests, bool Overdue, HealthState Health, string? Problem)
{
    public bool Healthy => Health == HealthState.Healthy;

    public static DestinationView Of(Destination destination, string side, RouteTable table)
    {
        // The state is read first, so that "removed" never stands beside a count.
        var state = destination.State;
        return new(destination.Release, destination.Address, side, state, state == DestinationState.Removed ? 0 : destination.ConcurrentRequests, table.IsOverdue(destination), destination.Health.State, destination.Health.Problem);
    }
}

/// <summary>Counters since <see cref="StartedAt"/>. Another <see cref="Instance"/> means that they began again at 0.</summary>
internal sealed record StatisticsView(string Name, string Instance, DateTimeOffset StartedAt, IReadOnlyList<SideView> Sides);

/// <param name="Errors">Of the requests, those answered with 5xx (or a gRPC status that is the server's) or not at all.</param>
/// <param name="ClientAborts">Requests that the client gave up; not among the requests.</param>
/// <param name="Redistributed">Times an address of the baseline could not be reached and another one was asked; not among the requests.</param>
/// <param name="Latency">Until the answer began, cumulative: requests at or below each bound.</param>
internal sealed record SideView(Side Side, string Release, long Requests, long Errors, long ClientAborts, long Redistributed, IReadOnlyList<LatencyCount> Latency)
{
    public static SideView Of(SideStatistics side)
    {
        long errors = side.Errors;
        return new(side.Side, side.Release, side.Requests, errors, side.ClientAborts, side.Redistributed, side.Latency.Read());
    }
}
