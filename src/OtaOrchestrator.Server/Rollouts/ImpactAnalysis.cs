using Google.Protobuf.WellKnownTypes;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Server.Environments;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Releases;
using Wire = OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>What a rollout would change: whom each step reaches, how long it takes at least, what can't be undone. Made before it begins, and stored with it.</summary>
public sealed class ImpactAnalysis(ITargets targets, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A target that can't be asked keeps nobody from starting: what is not known is said.</summary>
    public async Task<Wire.Impact> OfAsync(RolloutCreation.Draft draft, CancellationToken cancellation)
    {
        var impact = new Wire.Impact();
        var members = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var lane in await Task.WhenAll(draft.Lanes.Select(lane => OfAsync(draft, lane, cancellation))))
        {
            members[lane.Target] = lane.Devices;
            impact.Lanes.Add(lane);
        }
        impact.DurationMin = Duration.FromTimeSpan(draft.Plan.Lanes.Aggregate(TimeSpan.Zero, (sum, lane) => lane.Steps.Aggregate(sum, (steps, step) => steps + (step.BakeMin ?? TimeSpan.Zero))));
        impact.Stays.AddRange(draft.Lanes.SelectMany(lane => ReleaseService.Parse(lane.Candidate).Stays).Distinct());
        impact.Notes.AddRange(PlanValidator.Notes(draft.Plan, members.GetValueOrDefault));
        return impact;
    }

    private async Task<Wire.LaneImpact> OfAsync(RolloutCreation.Draft draft, RolloutCreation.DraftLane lane, CancellationToken cancellation)
    {
        var target = targets.Of(draft.Environment, lane.Target.Id);
        var impact = new Wire.LaneImpact
        {
            Name = lane.Plan.Name,
            Target = lane.Target.Id,
            Candidate = lane.Candidate.Id,
            Fallback = lane.Fallback.Id,
            Restore = target.Capabilities.Restore.ToString().ToLowerInvariant(),
        };
        Forecast? forecast = null;
        using var deadline = new CancellationTokenSource(Patience, time);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            forecast = await target.ForecastAsync(Order(draft, lane), limited.Token);
            impact.Devices = forecast.Members;
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            impact.Unknown = error is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : Causes.Of(error);
        }
        impact.Steps.AddRange(lane.Plan.Steps.Select((step, i) => new Wire.StepImpact
        {
            Share = step.Share ?? 0,
            Devices = forecast?.Steps[i].Added ?? 0,
            Who = forecast?.Steps[i].Who ?? "",
            BakeMin = Duration.FromTimeSpan(step.BakeMin ?? TimeSpan.Zero),
            WaitsFor = string.Join(", ", new[] { step.Approval is { } approval ? $"approval {approval}" : null, step.Pause ? "promotion" : null }.OfType<string>()),
        }));
        return impact;
    }

    private static TargetOrder Order(RolloutCreation.Draft draft, RolloutCreation.DraftLane lane) => new()
    {
        Environment = draft.Environment,
        Target = EnvironmentService.PlaceOf(lane.Spec),
        Rollout = draft.Id,
        Lane = lane.Plan.Name,
        Fence = new Fence(lane.Target.Epoch + 1, 0),
        Candidate = new TargetRelease(lane.Candidate.Name, lane.Candidate.Version, lane.Candidate.Digest),
        Fallback = new TargetRelease(lane.Fallback.Name, lane.Fallback.Version, lane.Fallback.Digest),
        Steps = [.. lane.Plan.Steps.Select(step => step.ToTarget())],
        Predecessors = lane.Predecessors ?? [],
        Step = -1,
    };
}
