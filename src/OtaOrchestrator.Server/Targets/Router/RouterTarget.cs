using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Server.Targets.Router;

/// <summary>
/// One route of a router as a target of rollouts. Keeps nothing: each write is the whole configuration of the route, fenced by the router itself,
/// and each read says what holds there. README.md tells the life of a rollout.
/// </summary>
/// <param name="http">Shows the orchestrator's certificate; see <see cref="RouterHttp"/>. May be shared.</param>
/// <param name="admin">The router's administration, <c>https://host:port</c>.</param>
/// <param name="route">The route's name on that router.</param>
public sealed class RouterTarget(HttpClient http, Uri admin, string route, TimeProvider time) : ITarget
{
    // Below the time that a call may take, so that what is wrong is told rather than that time ran out.
    private static readonly TimeSpan HealthPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HealthPoll = TimeSpan.FromMilliseconds(200);
    private const double Tolerance = 1e-9;
    private readonly RouterClient _router = new(http, admin, route);

    public Capabilities Capabilities { get; } = new()
    {
        PerVariantMetrics = true,
        CompareAndSwap = true,
        Features = new HashSet<string>(StringComparer.Ordinal) { PlanFeatures.Test, PlanFeatures.StickyFor, PlanFeatures.Lease, PlanFeatures.Mirror },
    };

    public Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Forecast(0, [.. order.Steps.Select(step => new StepForecast(0, step switch
    {
        { Share: 0, Mirror: > 0 } => $"nobody; copies of {Percent(step.Mirror)} of the requests",
        { Share: 0 } => "nobody; with the preview header only",
        _ => $"{Percent(step.Share)} of the requests of route {route}",
    }))]));

    /// <summary>Puts the candidate beside the fallback with weight 0 and waits until both are healthy. <exception cref="IOException">One is not healthy yet.</exception></summary>
    public async Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation)
    {
        if (Problem(order) is { } problem)
        {
            return new Preparation(0, problem);
        }
        // Only a check: the write below is absolute and would move users if they were elsewhere.
        if (await _router.FindAsync(cancellation) is { } current && current.Fence.ToFence() < order.Fence && Elsewhere(current, order) is { } elsewhere)
        {
            return new Preparation(0, elsewhere);
        }
        await _router.PutAsync(Body(order, 0), cancellation);
        long began = time.GetTimestamp();
        while (Unhealthy(Ours(await _router.GetAsync(cancellation), order)) is { } unhealthy)
        {
            if (time.GetElapsedTime(began) >= HealthPatience)
            {
                throw new IOException($"{unhealthy.Release} at {unhealthy.Address} {unhealthy.Problem ?? "was not looked at yet"}");
            }
            await Task.Delay(HealthPoll, time, cancellation);
        }
        return new Preparation(0);
    }

    public Task ExposeAsync(TargetOrder order, CancellationToken cancellation) => _router.PutAsync(Body(Checked(order), order.Share) with { Mirror = MirrorOf(order) }, cancellation);

    public async Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation)
    {
        var now = await _router.GetAsync(cancellation);
        double share = ShareOf(now, order.Candidate);
        bool agrees = now.Fence.ToFence() == order.Fence && share >= order.Share - Tolerance && Serves(now.Baseline, order.Fallback)
            && (now.Mirror ?? 0) >= (share >= 1 - Tolerance ? 0 : MirrorOf(order) ?? 0) - Tolerance;
        return new Reading(agrees, share, Detail(now, order));
    }

    /// <summary>Does nothing without a partial exposure. <exception cref="TargetException">The lease ran out, or another rollout holds the route.</exception></summary>
    public Task RenewAsync(TargetOrder order, CancellationToken cancellation) =>
        LeaseOf(order, order.Share) is null ? Task.CompletedTask : _router.RenewAsync(new RenewalBody(order.Fence.Epoch), cancellation);

    /// <summary>Does nothing: a router has nothing queued, and weights stay as they are.</summary>
    public Task HoldAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>All requests to the candidate. The fallback stays beside it, warm, until the next rollout takes its place.</summary>
    public Task PromoteAsync(TargetOrder order, CancellationToken cancellation) => _router.PutAsync(Body(Checked(order), 1), cancellation);

    public async Task RestoreAsync(TargetOrder order, CancellationToken cancellation)
    {
        try
        {
            await _router.PutAsync(Body(Checked(order), 0) with { Candidate = null, StickySeconds = null }, cancellation);
        }
        catch (TargetException) when (!cancellation.IsCancellationRequested)
        {
            // A person may have been faster, with the undo sheet: then it is as it should be, and the higher fence keeps it so.
            if (!Restored(await _router.GetAsync(cancellation), order))
            {
                throw;
            }
        }
    }

    public async Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation)
    {
        var now = await _router.GetAsync(cancellation);
        return new Restoration(Restored(now, order), Detail(now, order));
    }

    public async Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation)
    {
        var now = await _router.StatisticsAsync(cancellation);
        return new TrafficObservation(now.Instance, Counters("candidate", order.Candidate), Counters("baseline", order.Fallback));

        SideCounters Counters(string side, TargetRelease release) =>
            now.Sides.FirstOrDefault(found => found.Side == side && found.Release == release.ToString()) is { } counted
                ? new SideCounters(counted.Requests, counted.Errors) { Latency = [.. counted.Latency.Select(count => new LatencyCount(count.UpToMs, count.Requests))] }
                : SideCounters.Zero;
    }

    private static string? Problem(TargetOrder order)
    {
        if (order.Steps.Any(step => step.Group is not null))
        {
            return "a router has no groups";
        }
        return new[] { order.Fallback, order.Candidate }.FirstOrDefault(release => release.Addresses.Count == 0) is { } nowhere ? $"{nowhere} has no address" : null;
    }

    private static TargetOrder Checked(TargetOrder order) => Problem(order) is { } problem ? throw new TargetException(problem) : order;

    private static RouteBody Body(TargetOrder order, double weight) => new(
        FenceBody.Of(order.Fence), VariantBody.Of(order.Fallback), VariantBody.Of(order.Candidate), weight,
        LeaseOf(order, weight), order.StickyFor is { } sticky ? (int)Math.Ceiling(sticky.TotalSeconds) : null, Mirror: null);

    // Nobody or everybody on the candidate is a state to stay in; something between is not, without somebody who looks at it.
    private static LeaseBody? LeaseOf(TargetOrder order, double weight) => order.Lease is { } lease && weight is > 0 and < 1 ? LeaseBody.Of(lease) : null;

    private static double? MirrorOf(TargetOrder order) => order.Step >= 0 && order.Steps[order.Step].Mirror is > 0 and var mirror ? mirror : null;

    /// <summary>Why users are not where this rollout would take them from; null when they are.</summary>
    private string? Elsewhere(RouteState now, TargetOrder order) =>
        ShareOf(now, order.Fallback) + order.Predecessors.Sum(before => ShareOf(now, before.Release)) >= 1 - Tolerance ? null
            : $"route {route} sends {Percent(now.Effective.Candidate)} to {now.Candidate?.Release ?? "nothing"} and {Percent(now.Effective.Baseline)} to {now.Baseline.Release}, not everything to the fallback {order.Fallback}";

    private static double ShareOf(RouteState now, TargetRelease release) => ShareOf(now, release.ToString());

    private static double ShareOf(RouteState now, string release) =>
        (now.Baseline.Release == release ? now.Effective.Baseline : 0) + (now.Candidate?.Release == release ? now.Effective.Candidate : 0);

    private static bool Serves(VariantBody variant, TargetRelease release) =>
        variant.Release == release.ToString() && variant.Addresses.SequenceEqual(release.Addresses, StringComparer.Ordinal);

    // A fence above ours keeps a late write of this rollout out just as well.
    private static bool Restored(RouteState now, TargetOrder order) =>
        now.Fence.ToFence() >= order.Fence && Serves(now.Baseline, order.Fallback) && now.Effective.Candidate == 0;

    private static IEnumerable<DestinationState> Ours(RouteState now, TargetOrder order) =>
        now.Fence.ToFence() == order.Fence ? now.Destinations : throw new TargetException($"another write took the route, with fence ({now.Fence.Epoch}, {now.Fence.Revision})");

    private static DestinationState? Unhealthy(IEnumerable<DestinationState> destinations) =>
        destinations.FirstOrDefault(destination => destination.Side != "none" && !destination.Healthy);

    private static string Detail(RouteState now, TargetOrder order)
    {
        string text = $"{Percent(ShareOf(now, order.Candidate))} to {order.Candidate}, {Percent(ShareOf(now, order.Fallback))} to {order.Fallback}";
        if (now.LeaseLost)
        {
            text += "; the lease ran out, so everything went to the fallback";
        }
        if (Unhealthy(now.Destinations) is { } unhealthy)
        {
            text += $"; {unhealthy.Release} at {unhealthy.Address} {unhealthy.Problem ?? "was not looked at yet"}";
        }
        long draining = now.Destinations.Where(destination => destination.State == "draining").Sum(destination => destination.ConcurrentRequests);
        text = draining == 0 ? text : text + $"; {draining} requests end on destinations that are going";
        return now.Destinations.FirstOrDefault(destination => destination.Overdue) is { } overdue
            ? text + $"; {overdue.ConcurrentRequests} requests or streams don't end on {overdue.Release} at {overdue.Address}: don't stop it" : text;
    }

    private static string Percent(double share) => (share * 100).ToString("0.##", System.Globalization.CultureInfo.InvariantCulture) + " %";
}
