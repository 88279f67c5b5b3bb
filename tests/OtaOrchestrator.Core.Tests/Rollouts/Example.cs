using System.Collections.Immutable;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Core.Tests.Rollouts;

/// <summary>A rollout with a back end and a fleet, and a world that answers its effects.</summary>
internal static class Example
{
    public static readonly DateTimeOffset Start = new(2026, 11, 24, 9, 0, 0, TimeSpan.Zero);
    public static readonly Actor Releaser = new("rel-01");

    public static Rollout Rollout(bool firmwareNeedsNewApi = false, string? approval = null, bool pauseFirst = false, TimeSpan guard = default) => new()
    {
        Environment = "production",
        Id = "autumn",
        StartedBy = Releaser,
        CreatedAt = Start,
        UpdatedAt = Start,
        Plan = new Plan
        {
            Name = "autumn",
            Rollback = new RollbackPlan { UntilAfter = TimeSpan.FromHours(72), Shares = [0.1, 1], FailuresMax = 0.1, UndoWait = TimeSpan.FromMinutes(30) },
            Judge = new JudgePlan { NoData = OnVerdict.Hold, Unhealthy = OnVerdict.Rollback },
        },
        Lanes =
        [
            Lane("api", TargetKind.Traffic, "thermostat-api", "5.0.3", "5.1.0", firmwareNeedsNewApi ? ["firmware"] : [], guard,
                new StepPlan { Share = 0, Pause = pauseFirst }, Step(0.25), Step(1)),
            Lane("firmware", TargetKind.Fleet, "thermostats", "2.3.1", "2.4.0", [], guard,
                Step(0.1) with { Approval = approval }, Step(0.5), Step(1)),
        ],
    };

    private static StepPlan Step(double share) => new() { Share = share, BakeMin = TimeSpan.FromMinutes(10), BakeMax = TimeSpan.FromHours(1) };

    private static Lane Lane(string name, TargetKind kind, string target, string from, string to, ImmutableArray<string> undoAfter, TimeSpan guard, params StepPlan[] steps) => new()
    {
        Name = name,
        Target = target,
        Kind = kind,
        Epoch = 1,
        Candidate = new TargetRelease(target, to, "sha256:" + new string('b', 64)),
        Fallback = new TargetRelease(target, from, "sha256:" + new string('a', 64)),
        UndoAfter = undoAfter,
        Plan = new LanePlan
        {
            Name = name,
            Target = target,
            Steps = [.. steps],
            GuardAfter = guard,
            Checks = [new CheckPlan { Name = "errors", Source = kind == TargetKind.Traffic ? "router" : "devices", Interval = TimeSpan.FromMinutes(1) }],
        },
    };

    public static Judgement Judgement(Verdict verdict, bool complete = true) => new() { Verdict = verdict, Complete = complete && verdict == Verdict.Healthy, Cause = verdict == Verdict.Healthy ? "" : $"is {verdict}" };

    public static Signal Command(Trigger trigger, string actor = "rel-01") => new(trigger, new Actor(actor));

    public static Signal Looked(string lane, Verdict verdict = Verdict.Healthy, bool complete = true) =>
        new(Trigger.Looked, Actor.Judge) { Lane = lane, Judgement = Judgement(verdict, complete) };

    public static Signal Outcome(Trigger trigger, string lane, TimeSpan elapsed = default) => new(trigger, Actor.Orchestrator)
    {
        Lane = lane,
        Elapsed = elapsed,
        Reason = trigger is Trigger.PreparationFailed or Trigger.ExposureFailed or Trigger.PromotionFailed or Trigger.RestorationFailed ? "the target refused" : null,
        Reading = trigger == Trigger.ExposureReached ? new Reading(true, 0.5, "read back") : null,
        Restoration = trigger is Trigger.RestorationRead or Trigger.TailRead ? new Restoration(true, "all back", Returned: 20) : null,
    };

    /// <summary>The signal with which a world where all is well answers an effect.</summary>
    public static Signal Answer(Rollout rollout, Effect effect) => effect.Kind switch
    {
        EffectKind.Prepare => Outcome(Trigger.Prepared, effect.Lane),
        EffectKind.Expose => Outcome(Trigger.ExposureReached, effect.Lane) with { Reading = new Reading(true, rollout.Lane(effect.Lane).Plan.Steps[rollout.Lane(effect.Lane).Step].Share ?? 0, "read back") },
        EffectKind.Look => Looked(effect.Lane) with { Elapsed = TimeSpan.FromHours(1) },
        EffectKind.Promote => Outcome(Trigger.Promoted, effect.Lane),
        EffectKind.Restore => Outcome(Trigger.RestorationRead, effect.Lane, TimeSpan.FromSeconds(20)),
        EffectKind.FollowTail => Outcome(Trigger.TailRead, effect.Lane),
        _ => throw new ArgumentOutOfRangeException(nameof(effect)),
    };
}
