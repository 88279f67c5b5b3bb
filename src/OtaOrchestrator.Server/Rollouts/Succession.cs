using System.Collections.Immutable;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Store;
using Wire = OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>A fix that goes forward: it takes over every target of the rollout before it, and returns to what that one would have returned to.</summary>
internal sealed record Succession(Rollout Rollout)
{
    /// <summary>A return asks for each release by its digest, and a query of a fleet's index has a limit.</summary>
    private const int FleetPredecessorsMax = 2;

    /// <summary>Null when there is nothing to take over, or it can't be: then <paramref name="violations"/> says why.</summary>
    public static Succession? Of(Statements db, string environment, Plan plan, Func<string, TargetRow?> find, List<PlanViolation> violations)
    {
        var taken = plan.Lanes.Select(lane => find(lane.Target)).OfType<TargetRow>().Select(target => target.ActiveRollout).Where(id => id.Length > 0).Distinct().ToList();
        if (taken.Count == 0)
        {
            return null;
        }
        if (taken.Count > 1)
        {
            violations.Add(new PlanViolation("lanes", $"belong to {string.Join(" and ", taken)}: one rollout can be superseded, not several"));
            return null;
        }
        var rollout = StoredJson.RolloutOf(Journal.Rollout(db, environment, taken[0])!);
        var succession = new Succession(rollout);
        violations.AddRange(succession.LeftOut(plan));
        for (int i = 0; i < plan.Lanes.Length; i++)
        {
            var lane = plan.Lanes[i];
            if (succession.Before(lane.Target) is not { } before)
            {
                continue;
            }
            if (lane.Fallback is { } fallback && fallback != before.Fallback.ToString())
            {
                violations.Add(new PlanViolation($"lanes[{i}].fallback", $"is {fallback}; {rollout.Id} would return to {before.Fallback}", "a rollout that supersedes another inherits its way back"));
            }
            if (lane.Release == before.Candidate.ToString())
            {
                violations.Add(new PlanViolation($"lanes[{i}].release", $"is what {rollout.Id} brings already"));
            }
        }
        return succession;
    }

    /// <summary>What the rollout has exposed and the plan does not take over: it would be nobody's.</summary>
    public IEnumerable<PlanViolation> LeftOut(Plan plan) => Rollout.Lanes.Where(lane => lane.Exposed && plan.Lanes.All(mine => mine.Target != lane.Target))
        .Select(lane => new PlanViolation("lanes", $"leave out {lane.Target}, to which {Rollout.Id} has exposed {lane.Candidate}", "take it over too, or roll back"));

    public Plan Inherit(Plan plan) => plan with { Lanes = [.. plan.Lanes.Select(lane => Before(lane.Target) is { } before ? lane with { Fallback = before.Fallback.ToString() } : lane)] };

    /// <summary>What devices or users of the target may have because of the rollout, or of those that it had taken over itself.</summary>
    /// <param name="canBeTakenOver">Of the target.</param>
    public ImmutableArray<Predecessor>? Predecessors(string target, bool canBeTakenOver)
    {
        if (Before(target) is not { Exposed: true } lane)
        {
            return null;
        }
        if (!canBeTakenOver)
        {
            throw new RefusedException(Wire.ErrorReason.WrongState, $"{Rollout.Id} has exposed {lane.Candidate} on {target}, which can't be taken over: roll it back first");
        }
        var offered = lane.Plan.Steps.Take(lane.Step + 1).Select(step => step.ToTarget()).ToList();
        ImmutableArray<Predecessor> mine = offered.Count == 0 ? []
            :
            [
                new Predecessor(Rollout.Id, lane.Name, lane.Candidate.ToString(), lane.Candidate.Digest,
                    offered.Where(step => step.Group is null).Select(step => step.Share).DefaultIfEmpty(0).Max(), [.. offered.Select(step => step.Group).OfType<string>().Distinct()]),
            ];
        ImmutableArray<Predecessor> all = [.. lane.Predecessors ?? [], .. mine];
        return lane.Kind == TargetKind.Traffic || all.Length <= FleetPredecessorsMax ? all
            : throw new RefusedException(Wire.ErrorReason.WrongState, $"{Rollout.Id} took over {string.Join(" and ", all.SkipLast(1).Select(one => one.Rollout))} already, and some of {target} may run any of their releases: roll it back first");
    }

    public Lane? Before(string target) => Rollout.Lanes.FirstOrDefault(lane => lane.Target == target);
}
