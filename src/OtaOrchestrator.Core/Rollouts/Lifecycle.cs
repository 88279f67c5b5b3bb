using System.Collections.Immutable;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using Stateless;
using Stateless.Graph;

namespace OtaOrchestrator.Core.Rollouts;

/// <summary>Where a lane is. A rollout's state is that of the lane which most wants attention.</summary>
public enum LaneState
{
    Pending, Preparing, Ready, AwaitingApproval, Exposing, Baking, AwaitingPromotion, Paused, Held, Drifted, Promoting, Succeeded,
    AwaitingUndo, RollingBack, RolledBack, RollbackStuck, Refused, Cancelled, Superseded,
}

/// <summary>Commands of people, outcomes of effects, and what the lifecycle itself concludes from an outcome.</summary>
public enum Trigger
{
    // Commands.
    Start, Pause, Resume, Approve, Promote, Rollback, Halt, Cancel, Supersede, Take, Accept,

    // Outcomes of effects.
    Prepared, PreparationFailed, ExposureReached, ExposureFailed, Looked, Drifted, Promoted, PromotionFailed, RestorationRead, RestorationFailed, TailRead,

    // Conclusions.
    Begin, Advance, EvidenceMissing, Unhealthy, Freeze, Undo, Restored, GetStuck,
}

/// <summary>
/// Every state, trigger and guard of a lane, and the pure decision over a rollout. Nothing here reads a clock or touches the world;
/// a machine is built for one firing and dropped.
/// </summary>
public static class Lifecycle
{
    /// <summary>A forward call that was under way when the rollback began is given up after this, where the lane does not say otherwise.</summary>
    public static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(10);

    private static StateMachine<LaneState, Trigger> Configure(Rollout rollout, Lane lane, DateTimeOffset now, bool full = false, bool whole = false)
    {
        var machine = new StateMachine<LaneState, Trigger>(lane.State);
        bool last = lane.Step + 1 >= lane.Plan.Steps.Length;
        bool nextIsApproved = !last && Approvals.Missing(rollout, lane, lane.Step + 1) == 0;
        bool waitsForPerson = lane.Step >= 0 && lane.Plan.Steps[lane.Step].Pause;
        bool inWindow = lane.RestoreUntil is not { } until || now <= until;
        var undone = lane.UndoAfter.All(name => rollout.Lane(name) is { Exposed: false } or { State: LaneState.RolledBack });

        On(LaneState.Pending, state => state
            .Permit(Trigger.Start, LaneState.Preparing)
            .PermitIf(Trigger.Cancel, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed")
            .PermitIf(Trigger.Rollback, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed"));
        Undoable(LaneState.Pending);

        On(LaneState.Preparing, state => state
            .Permit(Trigger.Prepared, LaneState.Ready)
            .PermitIf(Trigger.PreparationFailed, LaneState.Refused, () => !lane.Exposed, "nothing was exposed")
            .PermitIf(Trigger.Cancel, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed")
            .PermitIf(Trigger.Rollback, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed"));
        Undoable(LaneState.Preparing, Trigger.PreparationFailed);

        On(LaneState.Ready, state => state
            .PermitIf(Trigger.Begin, LaneState.Exposing, () => nextIsApproved, "the first step is approved")
            .PermitIf(Trigger.Begin, LaneState.AwaitingApproval, () => !nextIsApproved, "the first step is not approved")
            .PermitIf(Trigger.Cancel, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed")
            .PermitIf(Trigger.Rollback, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed"));
        Undoable(LaneState.Ready);

        On(LaneState.AwaitingApproval, state => state
            .PermitIf(Trigger.Advance, LaneState.Exposing, () => nextIsApproved, "the next step is approved")
            .Permit(Trigger.Pause, LaneState.Paused)
            .Permit(Trigger.Freeze, LaneState.Paused)
            .PermitIf(Trigger.Cancel, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed")
            .PermitIf(Trigger.Rollback, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed"));
        Undoable(LaneState.AwaitingApproval);

        On(LaneState.Exposing, state => state
            .Permit(Trigger.ExposureReached, LaneState.Baking)
            .Permit(Trigger.Pause, LaneState.Paused)
            .Permit(Trigger.Freeze, LaneState.Paused)
            .PermitReentryIf(Trigger.Promote, () => full && !last, "it is told to skip the remaining steps"));
        Undoable(LaneState.Exposing, Trigger.ExposureFailed);

        On(LaneState.Baking, state => state
            .PermitIf(Trigger.Advance, LaneState.Promoting, () => last && !rollout.Rehearsal, "it was the last step")
            .PermitIf(Trigger.Advance, LaneState.RollingBack, () => last && rollout.Rehearsal, "it was the last step of a rehearsal")
            .PermitIf(Trigger.Advance, LaneState.AwaitingPromotion, () => !last && waitsForPerson, "the step waits for a person")
            .PermitIf(Trigger.Advance, LaneState.AwaitingApproval, () => !last && !waitsForPerson && !nextIsApproved, "the next step is not approved")
            .PermitIf(Trigger.Advance, LaneState.Exposing, () => !last && !waitsForPerson && nextIsApproved, "the next step is free to go")
            .Permit(Trigger.EvidenceMissing, LaneState.Held)
            .Permit(Trigger.Pause, LaneState.Paused)
            .Permit(Trigger.Freeze, LaneState.Paused)
            .PermitIf(Trigger.Promote, LaneState.Exposing, () => full && !last, "it is told to skip the remaining steps"));
        Undoable(LaneState.Baking);

        On(LaneState.AwaitingPromotion, state => state
            .PermitIf(Trigger.Promote, LaneState.Exposing, () => nextIsApproved, "the next step is approved")
            .PermitIf(Trigger.Promote, LaneState.AwaitingApproval, () => !nextIsApproved, "the next step is not approved")
            .Permit(Trigger.Pause, LaneState.Paused)
            .Permit(Trigger.Freeze, LaneState.Paused));
        Undoable(LaneState.AwaitingPromotion);

        On(LaneState.Paused, state => state
            .PermitIf(Trigger.Resume, LaneState.AwaitingApproval, () => lane.ResumeTo == LaneState.AwaitingApproval, "it was waiting for approval")
            .PermitIf(Trigger.Resume, LaneState.AwaitingPromotion, () => lane.ResumeTo == LaneState.AwaitingPromotion, "it was waiting for promotion")
            .PermitIf(Trigger.Resume, LaneState.Exposing, () => lane.ResumeTo is not (LaneState.AwaitingApproval or LaneState.AwaitingPromotion), "it was under way")
            .PermitIf(Trigger.Cancel, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed")
            .PermitIf(Trigger.Rollback, LaneState.Cancelled, () => !lane.Exposed, "nothing was exposed"));
        Undoable(LaneState.Paused);

        On(LaneState.Held, state => state
            .Permit(Trigger.Resume, LaneState.Exposing)
            .PermitIf(Trigger.Advance, LaneState.Promoting, () => last && !rollout.Rehearsal, "it was the last step")
            .PermitIf(Trigger.Advance, LaneState.RollingBack, () => last && rollout.Rehearsal, "it was the last step of a rehearsal")
            .PermitIf(Trigger.Advance, LaneState.AwaitingPromotion, () => !last && waitsForPerson, "the step waits for a person")
            .PermitIf(Trigger.Advance, LaneState.AwaitingApproval, () => !last && !waitsForPerson && !nextIsApproved, "the next step is not approved")
            .PermitIf(Trigger.Advance, LaneState.Exposing, () => !last && !waitsForPerson && nextIsApproved, "the next step is free to go")
            .Permit(Trigger.Pause, LaneState.Paused)
            .Permit(Trigger.Freeze, LaneState.Paused));
        Undoable(LaneState.Held);

        // Somebody else has changed the target: the judge goes on, and nothing is overwritten until a person has seen it.
        On(LaneState.Drifted, state => state
            .PermitReentry(Trigger.Drifted)
            .PermitIf(Trigger.Take, LaneState.Promoting, () => lane.ResumeTo is LaneState.Promoting or LaneState.Succeeded, "it was promoted")
            .PermitIf(Trigger.Take, LaneState.Exposing, () => lane.ResumeTo is not (LaneState.Promoting or LaneState.Succeeded), "it was on its way")
            .PermitIf(Trigger.Accept, LaneState.Exposing, () => lane.ResumeTo == LaneState.Exposing, "it was exposing")
            .PermitIf(Trigger.Accept, LaneState.Promoting, () => lane.ResumeTo == LaneState.Promoting, "it was being promoted")
            .PermitIf(Trigger.Accept, LaneState.Succeeded, () => lane.ResumeTo == LaneState.Succeeded, "it had succeeded")
            .PermitIf(Trigger.Accept, LaneState.AwaitingApproval, () => lane.ResumeTo == LaneState.AwaitingApproval, "it was waiting for approval")
            .PermitIf(Trigger.Accept, LaneState.AwaitingPromotion, () => lane.ResumeTo == LaneState.AwaitingPromotion, "it was waiting for promotion")
            .PermitIf(Trigger.Accept, LaneState.Baking, () => lane.ResumeTo is LaneState.Baking or LaneState.Held or LaneState.Paused, "it was baking, held or paused"));
        Undoable(LaneState.Drifted);
        foreach (var state in (LaneState[])[LaneState.AwaitingApproval, LaneState.Exposing, LaneState.Baking, LaneState.AwaitingPromotion, LaneState.Paused, LaneState.Held, LaneState.Promoting, LaneState.Succeeded])
        {
            On(state, shown => shown.PermitIf(Trigger.Drifted, LaneState.Drifted, () => lane.Step >= 0, "a step was exposed"));
        }

        On(LaneState.Promoting, state => state
            .Permit(Trigger.Promoted, LaneState.Succeeded)
            .Permit(Trigger.Freeze, LaneState.Paused));
        Undoable(LaneState.Promoting, Trigger.PromotionFailed);

        Undoable(LaneState.Succeeded);

        On(LaneState.AwaitingUndo, state => state
            .PermitIf(Trigger.Undo, LaneState.RollingBack, () => undone, "what needs it was undone"));

        On(LaneState.RollingBack, state => state
            .Permit(Trigger.Restored, LaneState.RolledBack)
            .Permit(Trigger.GetStuck, LaneState.RollbackStuck)
            .Permit(Trigger.RestorationFailed, LaneState.RollbackStuck)
            .Permit(Trigger.Halt, LaneState.RollbackStuck));

        On(LaneState.RollbackStuck, state => state
            .Permit(Trigger.Rollback, LaneState.RollingBack)
            .Permit(Trigger.Resume, LaneState.RollingBack)
            .Permit(Trigger.Restored, LaneState.RolledBack)
            .PermitReentryIf(Trigger.Halt, () => !lane.Halted, "it was not halted already"));

        // A fix that goes forward takes over whatever was not taken back; what was offered so far is the new rollout's to withdraw.
        foreach (var state in (LaneState[])[LaneState.Pending, LaneState.Preparing, LaneState.Ready, LaneState.AwaitingApproval, LaneState.Exposing, LaneState.Baking,
            LaneState.AwaitingPromotion, LaneState.Paused, LaneState.Held, LaneState.Drifted, LaneState.Promoting, LaneState.Succeeded])
        {
            On(state, taken => taken.Permit(Trigger.Supersede, LaneState.Superseded));
        }

        return machine;

        // A firing asks for the state that it starts from; the others are only built to be shown.
        void On(LaneState state, Action<StateMachine<LaneState, Trigger>.StateConfiguration> configure)
        {
            if (whole || state == lane.State)
            {
                configure(machine.Configure(state));
            }
        }

        // A rollback passes no gate: the only conditions are that something was exposed and that the way back is still open.
        void Undoable(LaneState state, params Trigger[] failures)
        {
            foreach (var trigger in (Trigger[])[Trigger.Rollback, Trigger.Unhealthy, .. failures])
            {
                On(state, exposed => exposed
                    .PermitIf(trigger, LaneState.RollingBack, () => lane.Exposed && inWindow && undone, "something was exposed and the way back is open")
                    .PermitIf(trigger, LaneState.AwaitingUndo, () => lane.Exposed && inWindow && !undone, "something was exposed, the way back is open, and what needs it was not undone"));
            }
        }
    }

    /// <summary>The state diagram, printed by the machine itself.</summary>
    public static string Diagram(Rollout example) =>
        MermaidGraph.Format(Configure(example, example.Lanes[0], example.CreatedAt, whole: true).GetInfo());

    /// <summary>What a signal leads to. The same rollout, signal and time always give the same decision.</summary>
    public static Decision Decide(Rollout rollout, Signal signal, DateTimeOffset now) => new Turn(rollout, signal, now).Take();

    /// <summary>Whether a command would be carried out, and if not, why.</summary>
    public static Refusal? WhyNot(Rollout rollout, Signal command, DateTimeOffset now) => Decide(rollout, command, now).Refusal;

    /// <summary>The lane that most wants attention names the rollout's state.</summary>
    public static LaneState Derive(ImmutableArray<Lane> lanes)
    {
        ReadOnlySpan<LaneState> attention =
        [
            LaneState.RollbackStuck, LaneState.RollingBack, LaneState.AwaitingUndo, LaneState.Refused, LaneState.Drifted, LaneState.Held, LaneState.Paused,
            LaneState.AwaitingApproval, LaneState.AwaitingPromotion, LaneState.Promoting, LaneState.Baking, LaneState.Exposing, LaneState.Preparing,
            LaneState.Pending, LaneState.Ready, LaneState.RolledBack, LaneState.Superseded, LaneState.Cancelled,
        ];
        foreach (var state in attention)
        {
            if (lanes.Any(lane => lane.State == state))
            {
                return state;
            }
        }
        return LaneState.Succeeded;
    }

    internal static (LaneState? Next, string Unmet) Fire(Rollout rollout, Lane lane, Trigger trigger, DateTimeOffset now, bool full = false)
    {
        var machine = Configure(rollout, lane, now, full);
        if (!machine.CanFire(trigger, out var unmet))
        {
            return (null, unmet is null or { Count: 0 } ? $"{Words.Of(lane.State)} knows no {Words.Of(trigger)}" : "not so: " + string.Join("; ", unmet.Distinct()));
        }
        machine.Fire(trigger);
        return (machine.State, "");
    }
}
