using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Store;
using Wire = OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>A rollout as people and clients see it. Everything that they show is said here; clients derive nothing.</summary>
public sealed class RolloutView(Database database, ProgressBoard progress, Ledger ledger)
{
    public Wire.Rollout ToProto(Rollout rollout, Actor caller)
    {
        var now = ledger.Now();
        var view = new Wire.Rollout
        {
            Name = ResourceNames.OfRollout(rollout.Environment, rollout.Id),
            Title = rollout.Plan.Name,
            State = StateOf(rollout.State),
            Revision = rollout.Revision,
            Plan = JsonParser.Default.Parse<Wire.Plan>(PlanJson.Of(rollout.Plan)),
            Exposed = rollout.Lanes.Select(lane => lane.State is LaneState.RolledBack or LaneState.Cancelled or LaneState.Refused or LaneState.Superseded ? 0 : lane.Share).DefaultIfEmpty().Max(),
            StartedBy = rollout.StartedBy.Name,
            CreateTime = Timestamp.FromDateTimeOffset(rollout.CreatedAt),
            UpdateTime = Timestamp.FromDateTimeOffset(rollout.UpdatedAt),
            Cause = rollout.Cause,
            WayBack = WayBack(rollout, now),
            Rehearsal = rollout.Rehearsal,
            Supersedes = rollout.Supersedes.Length > 0 ? ResourceNames.OfRollout(rollout.Environment, rollout.Supersedes) : "",
            SupersededBy = rollout.SupersededBy.Length > 0 ? ResourceNames.OfRollout(rollout.Environment, rollout.SupersededBy) : "",
        };
        view.Lanes.AddRange(rollout.Lanes.Select(lane => ToProto(rollout, lane)));
        view.Approvals.AddRange(rollout.Approvals.Select(given => new Wire.Approval { Actor = given.Actor.Name, Approval_ = given.Name, Time = Timestamp.FromDateTimeOffset(given.At) }));
        view.Actions.AddRange(Actions(rollout, caller, now));
        if (Current(rollout) is { } lane)
        {
            view.WaitingFor = WaitingFor(rollout, lane);
            view.Next = Next(rollout, lane);
            if (Eta(lane, now) is { } eta)
            {
                view.Eta = Timestamp.FromDateTimeOffset(eta);
            }
        }
        return view;
    }

    public static Wire.JournalEntry ToProto(JournalRow row) => new()
    {
        Revision = row.Revision,
        Time = Timestamp.FromDateTimeOffset(row.At),
        Actor = row.Actor,
        Trigger = row.Trigger,
        Lane = row.Lane,
        From = row.From,
        To = row.To,
        Text = row.Text,
        Canonical = ByteString.CopyFrom(row.Canonical),
        CanonicalSha256 = Convert.ToHexStringLower(row.Sha256),
    };

    public static Wire.RolloutState StateOf(LaneState state) => System.Enum.Parse<Wire.RolloutState>(state.ToString());

    private Wire.Lane ToProto(Rollout rollout, Lane lane)
    {
        var live = progress.Of(rollout.Environment, rollout.Id, lane.Name);
        var judgement = live.Judgement ?? lane.Judgement;
        var view = new Wire.Lane
        {
            Name = lane.Name,
            Target = lane.Target,
            Candidate = lane.Candidate.ToString(),
            Fallback = lane.Fallback.ToString(),
            State = StateOf(lane.State),
            Step = lane.Step,
            Exposed = lane.Share,
            Cause = lane.Cause,
            HealthyEvaluations = lane.HealthyEvaluations,
            Baked = Duration.FromTimeSpan(lane.Baked),
            Detail = live.Error.Length > 0 ? live.Error : live.Detail.Length > 0 ? live.Detail : lane.Detail,
        };
        if (lane.Drift is { } drift)
        {
            view.Drift = new Wire.Drift { What = drift.What, Author = drift.Author };
        }
        if (lane.Exposed && lane.State != LaneState.RolledBack)
        {
            view.WaitsFor.AddRange(lane.UndoAfter.Where(name => rollout.Lane(name) is { Exposed: true, State: not LaneState.RolledBack }));
        }
        if (judgement is not null)
        {
            view.Judgement = new Wire.Judgement { Verdict = Verdict(judgement.Verdict), Complete = judgement.Complete, Cause = judgement.Cause };
            if (lane.LookedAt != default)
            {
                view.Judgement.Time = Timestamp.FromDateTimeOffset(lane.LookedAt);
            }
            view.Judgement.Checks.AddRange(judgement.Checks.Select(check => new Wire.CheckResult
            {
                Name = check.Name, Verdict = Verdict(check.Verdict), Text = check.Text, EValue = check.EValue, Samples = check.Samples, Value = check.Value, Limit = check.Limit, DryRun = check.DryRun,
            }));
        }
        if (lane.RestoreUntil is { } until)
        {
            view.RestoreUntil = Timestamp.FromDateTimeOffset(until);
        }
        if (lane.ReturnTook is { } took)
        {
            view.ReturnTook = Duration.FromTimeSpan(took);
        }
        if (lane.RestoredAt is { } restored)
        {
            view.RestoredTime = Timestamp.FromDateTimeOffset(restored);
        }
        if (lane.Kind == TargetKind.Fleet)
        {
            view.Fleet = Counts(lane, live);
        }
        return view;
    }

    private static Wire.FleetCounts Counts(Lane lane, LaneProgress live)
    {
        var counts = new Wire.FleetCounts { Devices = live.Members };
        if (live.Observation is FleetObservation fleet)
        {
            counts.Offered = fleet.Offered;
            counts.Queued = fleet.Queued;
            counts.Confirmed = fleet.Starts.Sum(bucket => bucket.Healthy);
            counts.Failed = fleet.Starts.Sum(bucket => bucket.Failed);
            counts.Silent = fleet.Starts.Sum(bucket => bucket.Silent) + fleet.Dark;
            counts.Busy = fleet.Starts.Sum(bucket => Math.Max(0, bucket.Unresolved));
            counts.Refused = fleet.Refused;
            counts.OnCandidate = counts.Confirmed;
        }
        if (live.Restoration is { } back && lane.State is LaneState.RollingBack or LaneState.RolledBack or LaneState.RollbackStuck)
        {
            counts.Returned = back.Returned;
            counts.OnCandidate = back.Candidate;
            counts.Failed = back.Failed;
            counts.Tail = back.Tail;
        }
        return counts;
    }

    private static string Verdict(Core.Analysis.Verdict verdict) => verdict switch
    {
        Core.Analysis.Verdict.Healthy => "healthy",
        Core.Analysis.Verdict.Unhealthy => "unhealthy",
        Core.Analysis.Verdict.Inconclusive => "inconclusive",
        _ => "noData",
    };

    private IEnumerable<Wire.Action> Actions(Rollout rollout, Actor caller, DateTimeOffset now)
    {
        foreach (var trigger in (Trigger[])[Trigger.Pause, Trigger.Resume, Trigger.Approve, Trigger.Promote, Trigger.Rollback, Trigger.Halt, Trigger.Cancel])
        {
            yield return Action(rollout, new Signal(trigger, caller), now);
        }
    }

    private Wire.Action Action(Rollout rollout, Signal command, DateTimeOffset now)
    {
        var reason = WhyNot(rollout, command, now);
        return new Wire.Action { Verb = command.Trigger.ToString().ToLowerInvariant(), Permitted = reason is null, Reason = reason ?? "" };
    }

    /// <summary>The lifecycle knows the rollout alone; that another one has had the target since, only the store knows.</summary>
    private string? WhyNot(Rollout rollout, Signal command, DateTimeOffset now) =>
        Lifecycle.WhyNot(rollout, command, now)?.Text ?? (command.Trigger == Trigger.Rollback && rollout.Ended
            ? database.Read(db => rollout.Lanes.Where(lane => lane.State == LaneState.Succeeded)
                .Where(lane => Journal.Target(db, rollout.Environment, lane.Target)?.Epoch != lane.Epoch).Select(lane => $"another rollout has had {lane.Target} since: start one with {lane.Fallback} instead").FirstOrDefault())
            : null);

    private Wire.WayBack WayBack(Rollout rollout, DateTimeOffset now)
    {
        var refusal = WhyNot(rollout, new Signal(Trigger.Rollback, Actor.Orchestrator), now);
        var until = rollout.Lanes.Select(lane => lane.RestoreUntil).Min();
        var view = new Wire.WayBack
        {
            Ready = refusal is null,
            Text = refusal ?? (rollout.Lanes.Any(lane => lane.Kind == TargetKind.Fleet) ? "signed" : "old side kept"),
        };
        view.Rehearsals.AddRange(database.Read(db => rollout.Lanes.Select(lane => Journal.Rehearsal(db, rollout.Environment, lane.Target)).OfType<RehearsalRow>().ToList()).Select(row =>
            new Wire.Rehearsal { Target = row.Target, Time = Timestamp.FromDateTimeOffset(row.At), Took = Duration.FromTimeSpan(row.Took) }));
        if (until is { } closes)
        {
            view.Until = Timestamp.FromDateTimeOffset(closes);
        }
        return view;
    }

    /// <summary>The lane that the rollout's state comes from.</summary>
    private static Lane? Current(Rollout rollout) => rollout.Ended ? null : rollout.Lanes.FirstOrDefault(lane => lane.State == rollout.State);

    private Wire.WaitingFor WaitingFor(Rollout rollout, Lane lane)
    {
        var live = progress.Of(rollout.Environment, rollout.Id, lane.Name);
        var waiting = lane.State switch
        {
            LaneState.AwaitingApproval => new Wire.WaitingFor
            {
                Kind = "approval",
                Have = (Approvals.Needed(lane, lane.Step + 1) - Approvals.Missing(rollout, lane, lane.Step + 1)).ToString(CultureInfo.InvariantCulture),
                Need = Approvals.Needed(lane, lane.Step + 1).ToString(CultureInfo.InvariantCulture),
                Who = lane.Plan.Steps[lane.Step + 1].Approval ?? "",
            },
            LaneState.AwaitingPromotion => new Wire.WaitingFor { Kind = "promotion", Need = "ota rollout promote", Who = "anyone but the judge" },
            LaneState.Paused => new Wire.WaitingFor { Kind = "resume", Need = "ota rollout resume" },
            LaneState.Drifted => new Wire.WaitingFor { Kind = "drift", Have = lane.Cause, Need = "ota rollout resume --take | --accept, or ota rollback" },
            LaneState.Exposing => new Wire.WaitingFor { Kind = "exposure", Have = live.Reading?.Detail ?? "", Need = StepText(lane, lane.Step) },
            LaneState.Baking or LaneState.Held => new Wire.WaitingFor
            {
                Kind = "evidence",
                Have = live.Judgement is { Complete: false } judgement ? judgement.Cause : $"{Seconds(lane.Baked)} healthy",
                Need = $"{Seconds(lane.Plan.Steps[lane.Step].BakeMin ?? TimeSpan.Zero)} healthy",
            },
            LaneState.RollingBack or LaneState.RollbackStuck => new Wire.WaitingFor { Kind = "restoration", Have = live.Restoration?.Detail ?? "", Need = lane.Fallback.ToString() },
            LaneState.AwaitingUndo => new Wire.WaitingFor { Kind = "lane", Need = string.Join(", ", lane.UndoAfter) },
            LaneState.Succeeded => new Wire.WaitingFor { Kind = "guard", Need = Seconds(lane.Plan.GuardAfter ?? TimeSpan.Zero) },
            _ => new Wire.WaitingFor { Kind = Words.Of(lane.State), Have = live.Error },
        };
        return waiting;
    }

    private static string Next(Rollout rollout, Lane lane) => lane.State switch
    {
        LaneState.Pending or LaneState.Preparing or LaneState.Ready => $"{lane.Name} goes to {StepText(lane, 0)}",
        LaneState.Exposing => $"{lane.Name} bakes at {StepText(lane, lane.Step)}",
        LaneState.Baking or LaneState.Held or LaneState.AwaitingApproval or LaneState.AwaitingPromotion or LaneState.Paused or LaneState.Drifted =>
            lane.Step + 1 < lane.Plan.Steps.Length ? $"{lane.Name} goes to {StepText(lane, lane.Step + 1)}" : $"{lane.Name} is promoted",
        LaneState.Promoting => rollout.Lanes.FirstOrDefault(other => other.State == LaneState.Ready) is { } following ? $"{following.Name} goes to {StepText(following, 0)}" : "the rollout succeeds",
        LaneState.RollingBack or LaneState.AwaitingUndo => $"{lane.Name} is back on {lane.Fallback}",
        LaneState.RollbackStuck => "a person looks at it",
        _ => "",
    };

    private static DateTimeOffset? Eta(Lane lane, DateTimeOffset now) =>
        lane.State == LaneState.Baking && lane.Judgement is { Complete: true } && lane.Plan.Steps[lane.Step].BakeMin is { } bake ? now + (bake - lane.Baked) : null;

    private static string StepText(Lane lane, int step) =>
        step < 0 ? "nothing" : lane.Plan.Steps[step].Group ?? (lane.Plan.Steps[step].Share ?? 0).ToString("0.##%", CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture) + " s";
}
