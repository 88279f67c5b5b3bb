using System.Collections.Immutable;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Rollouts;

/// <summary>
/// One decision in the making: which lanes a signal concerns, what each becomes, and what follows from that for the others.
/// Where a lane may go is the machine's to say (<see cref="Lifecycle"/>); what it carries along is said here.
/// </summary>
internal sealed class Turn(Rollout before, Signal signal, DateTimeOffset now)
{
    private const string Frozen = "frozen: ";
    private readonly Rollout _before = before;
    private readonly HashSet<string> _replanned = new(StringComparer.Ordinal);
    private readonly List<string> _said = [];
    private Rollout _now = before;
    private string _unmet = "";

    public Decision Take()
    {
        var decision = signal.Trigger switch
        {
            Trigger.Start => All(Trigger.Start),
            Trigger.Pause => All(Trigger.Pause),
            Trigger.Resume => All(Trigger.Resume),
            Trigger.Approve => Approve(),
            Trigger.Promote => Promote(),
            Trigger.Rollback => Rollback(),
            Trigger.Halt => All(Trigger.Halt),
            Trigger.Take => All(Trigger.Take),
            Trigger.Accept => All(Trigger.Accept),
            Trigger.Cancel => Cancel(),
            Trigger.Supersede => Supersede(),
            _ => Outcome(),
        };
        if (decision is not null)
        {
            return decision;
        }
        Follow();
        return Changed();
    }

    private Decision Changed()
    {
        if (ReferenceEquals(_now, _before))
        {
            return Decision.Unchanged;
        }
        var next = _now with { Revision = _before.Revision + 1, UpdatedAt = now };
        return new Decision
        {
            Next = next,
            Replanned = [.. next.Lanes.Select(lane => lane.Name).Where(_replanned.Contains)],
            Effects = [.. next.Lanes.Where(lane => _replanned.Contains(lane.Name)).SelectMany(Effect.Of)],
            Text = string.Join("; ", _said),
        };
    }

    /// <summary>A command for every lane that knows it; refused when none does.</summary>
    private Decision? All(Trigger trigger)
    {
        bool any = false;
        foreach (var lane in _now.Lanes)
        {
            any |= Fire(lane.Name, trigger);
        }
        if (any && trigger == Trigger.Resume && _now.Cause.StartsWith(Frozen, StringComparison.Ordinal))
        {
            _now = _now with { Cause = "" };
        }
        return any ? null
            : trigger == Trigger.Resume && _before.State == LaneState.Drifted ? Decision.Refuse(RefusalReason.WrongState, $"{_before.Lanes.First(lane => lane.Drift is not null).Cause}: resume with --take or --accept, or roll back")
            : Decision.Refuse(RefusalReason.WrongState, $"the rollout is {Words.Of(_before.State)}: {_unmet}");
    }

    private Decision? Approve()
    {
        bool Open(Lane lane) => (signal.Lane is null || signal.Lane == lane.Name) && lane.Step + 1 < lane.Plan.Steps.Length
            && Approvals.Needed(lane, lane.Step + 1) > 0
            && lane.State is not (LaneState.Cancelled or LaneState.Refused or LaneState.RollingBack or LaneState.RolledBack or LaneState.RollbackStuck or LaneState.AwaitingUndo);
        var lane = _now.Lanes.FirstOrDefault(lane => Open(lane) && lane.State == LaneState.AwaitingApproval) ?? _now.Lanes.FirstOrDefault(Open);
        if (lane is null)
        {
            return Decision.Refuse(RefusalReason.WrongState, "no next step asks for approval");
        }
        if (signal.Actor == _before.StartedBy)
        {
            return Decision.Refuse(RefusalReason.NotApprover, "who started a rollout can't approve it");
        }
        int step = lane.Step + 1;
        if (_now.Approvals.Any(given => given.Lane == lane.Name && given.Step == step && given.Actor == signal.Actor))
        {
            return Decision.Unchanged;
        }
        _now = _now with { Approvals = _now.Approvals.Add(new Approval(signal.Actor, lane.Name, step, lane.Plan.Steps[step].Approval!, now)) };
        _said.Add($"{signal.Actor} approved step {step + 1} of {lane.Name}, {Approvals.Missing(_now, lane, step)} to go");
        if (lane.State == LaneState.AwaitingApproval)
        {
            Fire(lane.Name, Trigger.Advance);
        }
        return null;
    }

    private Decision? Promote()
    {
        if (!signal.Full)
        {
            return All(Trigger.Promote);
        }
        var lane = _now.Lanes.FirstOrDefault(lane => lane.State is LaneState.Exposing or LaneState.Baking or LaneState.AwaitingPromotion);
        if (lane is null)
        {
            return Decision.Refuse(RefusalReason.WrongState, $"the rollout is {Words.Of(_before.State)}: no lane has steps to skip");
        }
        int last = lane.Plan.Steps.Length - 1;
        double jump = (lane.Plan.Steps[last].Share ?? 1) - lane.Share;
        if (jump > signal.JumpMax + 1e-9)
        {
            return Decision.Refuse(RefusalReason.Gate, $"from {lane.Share:P0} to {lane.Plan.Steps[last].Share:P0} is more than the environment's largest step, {signal.JumpMax:P0}");
        }
        for (int step = lane.Step + 1; step <= last; step++)
        {
            if (Approvals.Missing(_now, lane, step) is > 0 and var missing)
            {
                return Decision.Refuse(RefusalReason.Gate, $"step {step + 1} of {lane.Name} lacks {missing} approval(s)");
            }
        }
        return Fire(lane.Name, Trigger.Promote) ? null : Decision.Refuse(RefusalReason.WrongState, $"{lane.Name} is at its last step");
    }

    private Decision? Cancel()
    {
        if (_now.Lanes.Any(lane => lane.Exposed))
        {
            return Decision.Refuse(RefusalReason.WrongState, "something was exposed: roll it back instead");
        }
        return All(Trigger.Cancel);
    }

    /// <summary>Every lane goes over to another rollout, or none does.</summary>
    private Decision? Supersede()
    {
        foreach (var name in _before.Lanes.Where(lane => lane.State is not (LaneState.Refused or LaneState.Cancelled)).Select(lane => lane.Name))
        {
            if (!Fire(name, Trigger.Supersede))
            {
                return Decision.Refuse(RefusalReason.WrongState, $"{name} is {Words.Of(_before.Lane(name).State)}: what is being taken back can't be superseded");
            }
        }
        _now = _now with { SupersededBy = signal.Reason ?? "" };
        _said.Insert(0, $"superseded by {signal.Reason}");
        return null;
    }

    private Decision? Rollback()
    {
        if (_before.SupersededBy.Length > 0)
        {
            return Decision.Refuse(RefusalReason.WrongState, $"superseded by {_before.SupersededBy}: roll that back");
        }
        var lanes = _now.Lanes.Where(lane => signal.Lane is null || lane.Name == signal.Lane).ToList();
        if (!lanes.Any(lane => lane.Exposed))
        {
            return Decision.Refuse(RefusalReason.NothingToUndo, "nothing was exposed" + (_before.Ended ? "" : ": cancel it instead"));
        }
        TakeBack(Trigger.Rollback, signal.Reason is { Length: > 0 } reason ? reason : $"by {signal.Actor}", signal.Lane);
        if (!ReferenceEquals(_now, _before))
        {
            return null;
        }
        bool under = lanes.Any(lane => lane.State is LaneState.RollingBack or LaneState.AwaitingUndo or LaneState.RolledBack or LaneState.RollbackStuck);
        return under ? Decision.Unchanged : Decision.Refuse(RefusalReason.WindowClosed, "the way back was open until " + lanes.Max(lane => lane.RestoreUntil)?.ToString("u"));
    }

    /// <summary>The outcome of an effect. One that no longer fits the lane's state changes nothing.</summary>
    private Decision? Outcome()
    {
        var lane = _now.Lane(signal.Lane!);
        switch (signal.Trigger)
        {
            case Trigger.Prepared:
                if (Fire(lane.Name, Trigger.Prepared))
                {
                    // Once prepared, always that: a later look at it would see what this rollout did.
                    Set(_now.Lane(lane.Name) with { Before = lane.Before ?? signal.Preparation?.Before, Seen = signal.Preparation?.Seen });
                }
                break;
            case Trigger.Drifted:
                Drift(lane, signal.Drift ?? throw new ArgumentException("a change is named"));
                break;
            case Trigger.PreparationFailed when lane is { State: LaneState.Preparing, Exposed: true }:
                TakeBack(signal.Trigger, $"{lane.Name}: {signal.Reason}", null);
                break;
            case Trigger.PreparationFailed:
                if (Fire(lane.Name, Trigger.PreparationFailed))
                {
                    _now = _now with { Cause = $"{lane.Name}: {signal.Reason}" };
                    foreach (var other in _now.Lanes.Where(other => other.Name != lane.Name))
                    {
                        Fire(other.Name, Trigger.Cancel);
                    }
                }
                break;
            case Trigger.ExposureReached:
                Fire(lane.Name, Trigger.ExposureReached);
                break;
            case Trigger.Promoted:
                Fire(lane.Name, Trigger.Promoted);
                break;
            case Trigger.ExposureFailed when lane.State == LaneState.Exposing:
            case Trigger.PromotionFailed when lane.State == LaneState.Promoting:
                TakeBack(signal.Trigger, $"{lane.Name}: {signal.Reason}", null);
                break;
            case Trigger.Looked:
                Look(lane, signal.Judgement ?? throw new ArgumentException("a look brings a judgement"));
                break;
            case Trigger.RestorationRead:
                Return(lane, signal.Restoration ?? throw new ArgumentException("a reading brings a restoration"));
                break;
            case Trigger.RestorationFailed when lane.State == LaneState.RollingBack:
                Set(Took(lane) with { Cause = signal.Reason ?? "" });
                Fire(lane.Name, Trigger.RestorationFailed);
                break;
            case Trigger.TailRead when lane.State == LaneState.RolledBack && signal.Restoration is { Tail: 0 }:
                _replanned.Add(lane.Name);
                _said.Add($"{lane.Name}: the tail has come back");
                Set(lane with { Tail = 0 });
                break;
        }
        return null;
    }

    private void Drift(Lane lane, Drift drift)
    {
        if (lane.Drift == drift || !Fire(lane.Name, Trigger.Drifted))
        {
            return;
        }
        var cause = drift.Author.Length > 0 ? $"{drift.What}, by {drift.Author}" : drift.What;
        Set(_now.Lane(lane.Name) with { Drift = drift, Seen = drift.Seen, Share = drift.Share, Cause = cause });
        _said.Add(cause);
    }

    private void Look(Lane lane, Judgement judgement)
    {
        if (judgement.Verdict == Verdict.Unhealthy && lane.State is not (LaneState.RollingBack or LaneState.RolledBack or LaneState.RollbackStuck or LaneState.AwaitingUndo))
        {
            // Only where a person may go on all the same.
            Set(Judged(lane, judgement) with { Condemned = _now.Plan.Judge.Unhealthy is OnVerdict.Hold or OnVerdict.Freeze ? signal.Observation as FleetObservation : null });
            Condemn(_now.Lane(lane.Name), judgement.Cause);
            return;
        }
        switch (lane.State)
        {
            case LaneState.Baking:
            case LaneState.Held when judgement is { Verdict: Verdict.Healthy, Complete: true }:
                Bake(lane, judgement);
                break;
            case LaneState.Succeeded when Settled && signal.Elapsed >= (lane.Plan.GuardAfter ?? TimeSpan.Zero):
                EndGuard(lane);
                break;
        }
    }

    private void Bake(Lane lane, Judgement judgement)
    {
        // A look counts for the time since the one before it, but never for more than two intervals: a clock that jumps adds nothing.
        var most = lane.Interval * 2;
        var since = now - lane.LookedAt;
        var counted = since < TimeSpan.Zero ? TimeSpan.Zero : since > most ? most : since;
        var step = lane.Plan.Steps[lane.Step];
        bool nobody = !step.Exposes() && step.Test is null;
        bool healthy = nobody || judgement.Verdict == Verdict.Healthy;
        bool complete = nobody || (healthy && judgement.Complete);
        var bakeMin = step.BakeMin ?? TimeSpan.Zero;
        lane = Judged(lane, judgement) with
        {
            LookedAt = now,
            Baked = healthy ? lane.Baked + counted : lane.Baked,
            HealthyEvaluations = healthy ? lane.HealthyEvaluations + 1 : lane.HealthyEvaluations,
            Waited = complete ? lane.Waited : lane.Waited + counted,
        };
        Set(lane);
        _replanned.Add(lane.Name);
        _said.Add($"{lane.Name}: {Words.Of(judgement.Verdict)}{(healthy && !complete ? ", evidence incomplete" : "")}, baked {lane.Baked.TotalSeconds:0.#} of {bakeMin.TotalSeconds:0.#} s");
        int looksMin = (int)Math.Max(1, Math.Ceiling(bakeMin / most));
        if (complete && lane.Baked >= bakeMin && lane.HealthyEvaluations >= looksMin)
        {
            Fire(lane.Name, Trigger.Advance);
        }
        else if (lane.State == LaneState.Baking && step.BakeMax is { } bakeMax && lane.Waited >= bakeMax)
        {
            var cause = $"evidence missing after {bakeMax.TotalSeconds:0} s: {judgement.Cause}";
            if ((judgement.Verdict == Verdict.NoData ? judgement.OnNoData ?? _now.Plan.Judge.NoData : _now.Plan.Judge.NoData) == OnVerdict.Rollback)
            {
                TakeBack(Trigger.Unhealthy, $"{lane.Name}: {cause}", null);
            }
            else
            {
                Set(lane with { Cause = cause });
                Fire(lane.Name, Trigger.EvidenceMissing);
            }
        }
    }

    private void Condemn(Lane lane, string cause)
    {
        if (_now.Plan.Judge.Unhealthy == OnVerdict.Freeze)
        {
            Freeze(lane, cause);
            return;
        }
        if (_now.Plan.Judge.Unhealthy == OnVerdict.Hold && lane.State is LaneState.Baking or LaneState.Held)
        {
            if (lane.State == LaneState.Held)
            {
                _now = _before;
                return;
            }
            Set(lane with { Cause = cause });
            Fire(lane.Name, Trigger.EvidenceMissing);
            return;
        }
        TakeBack(Trigger.Unhealthy, $"{lane.Name}: {cause}", null);
        if (lane.State == _now.Lane(lane.Name).State)
        {
            // The way back is closed: nothing follows from the verdict but the record of it elsewhere.
            _now = _before;
            _replanned.Clear();
        }
    }

    /// <summary>
    /// Every lane stays where it is until a person decides: what a migration has changed must not be taken back by a machine. A lane that has succeeded can't
    /// be stopped any more; that it is ill is recorded all the same.
    /// </summary>
    private void Freeze(Lane lane, string cause)
    {
        cause = $"{Frozen}{lane.Name}: {cause}";
        if (lane.State == LaneState.Paused || lane.Cause.StartsWith(Frozen, StringComparison.Ordinal))
        {
            _now = _before;
            return;
        }
        foreach (var name in _before.Lanes.Select(other => other.Name))
        {
            Fire(name, Trigger.Freeze);
        }
        Set(_now.Lane(lane.Name) with { Cause = cause });
        _replanned.Add(lane.Name);
        _now = _now with { Cause = cause };
        _said.Insert(0, cause);
    }

    /// <summary>Takes the lanes back in reverse order; those that exposed nothing are cancelled. With a name, only that lane, at once, and the others stay where they are.</summary>
    private void TakeBack(Trigger trigger, string cause, string? only)
    {
        bool any = false;
        foreach (var name in _before.Lanes.Reverse().Select(lane => lane.Name))
        {
            var lane = _now.Lane(name);
            if (only is not null && only != name)
            {
                Fire(name, lane.Exposed ? Trigger.Pause : Trigger.Rollback);
                continue;
            }
            if (only is not null && lane.UndoAfter.Length > 0 && lane.State is not (LaneState.RollingBack or LaneState.RolledBack or LaneState.RollbackStuck))
            {
                // Who names a lane accepts that what needs it stays: nothing would ever undo that, and this lane would wait for it for ever.
                lane = lane with { UndoAfter = [] };
                Set(lane);
                any |= lane.State == LaneState.AwaitingUndo;
            }
            bool undoes = lane.Exposed && Fire(name, trigger == Trigger.Rollback || lane.State is LaneState.Preparing or LaneState.Exposing or LaneState.Promoting && name == signal.Lane ? trigger : Trigger.Unhealthy);
            any |= undoes;
            if (undoes)
            {
                Set(_now.Lane(name) with { Cause = cause });
            }
        }
        if (!any)
        {
            _now = _before;
            _replanned.Clear();
            return;
        }
        foreach (var lane in _now.Lanes.Where(lane => !lane.Exposed))
        {
            Fire(lane.Name, Trigger.Rollback);
        }
        _now = _now with { Cause = cause };
        _said.Insert(0, cause);
    }

    private void Return(Lane lane, Restoration restoration)
    {
        if (lane.State is not (LaneState.RollingBack or LaneState.RollbackStuck))
        {
            return;
        }
        var plan = _now.Plan.Rollback;
        bool gaveUp = lane.Kind == TargetKind.Fleet && plan.UndoWait is { } undoWait && signal.Elapsed >= undoWait;
        if ((restoration.Agrees && signal.Elapsed >= lane.Settle) || gaveUp)
        {
            Set(lane with { Detail = restoration.Detail, Tail = restoration.Tail });
            if (lane.UndoStep + 1 < lane.UndoShares(_now.Plan).Length)
            {
                Set(Took(_now.Lane(lane.Name)) with { UndoStep = lane.UndoStep + 1 });
                _replanned.Add(lane.Name);
                _said.Add($"{lane.Name}: the first {lane.UndoShares(_now.Plan)[lane.UndoStep]:P0} returned");
                return;
            }
            Set(Took(_now.Lane(lane.Name)));
            Fire(lane.Name, Trigger.Restored);
            return;
        }
        long answered = restoration.Failed + restoration.Returned + restoration.Candidate;
        if (lane.State == LaneState.RollingBack && restoration.Failed > Math.Max(1, (plan.FailuresMax ?? 1) * answered))
        {
            Set(Took(lane) with { Cause = $"{restoration.Failed} of {answered} devices failed to return", Detail = restoration.Detail });
            Fire(lane.Name, Trigger.GetStuck);
        }
    }

    /// <summary>The return's waves add up; what a person did in between does not.</summary>
    private Lane Took(Lane lane) => lane with { ReturnTook = (lane.ReturnTook ?? TimeSpan.Zero) + signal.Elapsed };

    /// <summary>What a lane's move means for the others: the next one begins, a waiting one is undone, the guard ends.</summary>
    private void Follow()
    {
        if (ReferenceEquals(_now, _before))
        {
            return;
        }
        for (bool moved = true; moved;)
        {
            moved = false;
            bool prepared = _now.Lanes.All(lane => lane.State is not (LaneState.Pending or LaneState.Preparing or LaneState.Refused or LaneState.Cancelled));
            var next = _now.Lanes.FirstOrDefault(lane => lane.State != LaneState.Succeeded);
            if (prepared && next is { State: LaneState.Ready })
            {
                moved = Fire(next.Name, Trigger.Begin);
            }
            foreach (var waiting in _now.Lanes.Where(lane => lane.State == LaneState.AwaitingUndo))
            {
                moved |= Fire(waiting.Name, Trigger.Undo);
            }
        }
        if (Settled)
        {
            // The way back closes for all lanes together, counted from the last one's success: a lane that is done early must not be left on the
            // candidate when a later one is taken back.
            foreach (var lane in _now.Lanes.Where(lane => lane.State == LaneState.Succeeded && lane.RestoreUntil is null))
            {
                Set(lane with { RestoreUntil = now + (_now.Plan.Rollback.UntilAfter ?? TimeSpan.Zero) });
            }
            foreach (var lane in _now.Lanes.Where(lane => lane.State == LaneState.Succeeded && !lane.GuardOver && (lane.Plan.GuardAfter ?? TimeSpan.Zero) <= TimeSpan.Zero))
            {
                EndGuard(lane);
            }
        }
    }

    private void EndGuard(Lane lane)
    {
        _replanned.Add(lane.Name);
        _said.Add($"{lane.Name}: guard over");
        Set(lane with { GuardOver = true });
    }

    /// <summary>No lane moves on: each has succeeded, or was taken back alone.</summary>
    private bool Settled => _now.Lanes.All(lane => lane.State is LaneState.Succeeded or LaneState.RolledBack or LaneState.Cancelled);

    private bool Fire(string name, Trigger trigger)
    {
        var lane = _now.Lane(name);
        var (state, unmet) = Lifecycle.Fire(_now, lane, trigger, now, signal.Full);
        if (state is not { } next)
        {
            _unmet = _unmet.Length == 0 ? unmet : _unmet;
            return false;
        }
        if (lane.State == LaneState.Drifted && next != LaneState.Drifted)
        {
            lane = lane with { Drift = null, Cause = "" };
        }
        Set(Enter(trigger == Trigger.Resume && lane.State != LaneState.RollbackStuck ? Resumed(lane) : lane, next, trigger) with { State = next });
        _replanned.Add(name);
        _said.Add($"{name}: {Words.Of(lane.State)} -> {Words.Of(next)}" + (next == LaneState.Exposing ? $" step {_now.Lane(name).Step + 1}" : ""));
        return true;
    }

    /// <summary>What a lane carries into a state.</summary>
    private Lane Enter(Lane lane, LaneState state, Trigger trigger) => state switch
    {
        _ when trigger == Trigger.Accept => Fresh(lane) with { ResumeTo = null },
        LaneState.Exposing when trigger == Trigger.Take => Fresh(lane) with { ResumeTo = null, Attempt = lane.Attempt + 1 },
        LaneState.Exposing when trigger == Trigger.Resume => Fresh(lane) with { ResumeTo = null },
        LaneState.Exposing => Fresh(lane) with { Step = signal.Full && trigger == Trigger.Promote ? lane.Plan.Steps.Length - 1 : lane.Step + 1 },
        LaneState.Baking => Fresh(lane) with
        {
            Share = signal.Reading?.Share ?? lane.Share,
            Detail = signal.Reading?.Detail ?? lane.Detail,
            Seen = signal.Reading?.Seen ?? lane.Seen,
            Since = signal.Observation,
            LookedAt = now,
        },
        LaneState.Paused => lane with { ResumeTo = lane.State },
        LaneState.Drifted => lane with { ResumeTo = lane.State == LaneState.Drifted ? lane.ResumeTo : lane.State },
        LaneState.AwaitingApproval or LaneState.AwaitingPromotion => lane with { ResumeTo = null, Cause = "" },
        LaneState.Refused => lane with { Cause = signal.Reason ?? "" },
        LaneState.Succeeded => lane with { SucceededAt = now, Share = 1, Seen = signal.Reading?.Seen ?? lane.Seen },
        LaneState.RollingBack => lane with
        {
            Cause = trigger == Trigger.Advance ? "the rehearsal turned round" : lane.Cause,
            // Taken up again after it stuck or was halted, it goes on where it was.
            UndoStep = lane.State == LaneState.RollbackStuck ? lane.UndoStep : 0,
            ReturnTook = lane.State == LaneState.RollbackStuck ? lane.ReturnTook : null,
            Halted = false,
            Settle = lane.State is LaneState.Exposing or LaneState.Promoting ? lane.CallTimeout ?? Lifecycle.CallDeadline : lane.Settle,
        },
        LaneState.AwaitingUndo => lane with { Settle = lane.State is LaneState.Exposing or LaneState.Promoting ? lane.CallTimeout ?? Lifecycle.CallDeadline : lane.Settle },
        LaneState.RollbackStuck => lane with { Halted = trigger == Trigger.Halt },
        LaneState.RolledBack => lane with { RestoredAt = now, Share = 0 },
        _ => lane,
    };

    /// <summary>The evidence stays when the step that it came from is over and its judgement is not.</summary>
    private static Lane Judged(Lane lane, Judgement judgement) =>
        lane with { Judgement = judgement with { Evidence = null }, Evidence = judgement.Evidence ?? lane.Evidence };

    /// <summary>Who resumes a lane that the judge condemned overrules it: what led to that verdict counts no more, or it would be the next one too.</summary>
    private static Lane Resumed(Lane lane)
    {
        lane = lane with { Attempt = lane.Attempt + 1 };
        return lane.Judgement is { Verdict: Verdict.Unhealthy } ? lane with { Evidence = null, Judgement = null, Overruled = lane.Condemned ?? lane.Overruled, Condemned = null } : lane;
    }

    private static Lane Fresh(Lane lane) =>
        lane with { Baked = TimeSpan.Zero, Waited = TimeSpan.Zero, HealthyEvaluations = 0, Cause = "", Judgement = null };

    private void Set(Lane lane) => _now = _now with { Lanes = _now.Lanes.Replace(_now.Lane(lane.Name), lane) };
}
