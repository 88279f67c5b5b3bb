using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Environments;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Hosting;
using OtaOrchestrator.Server.Store;
using Rollout = OtaOrchestrator.Protocol.V1.Rollout;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>Each method parses, decides, commits, answers.</summary>
public sealed class RolloutService(Database database, Ledger ledger, RolloutCreation creation, ImpactAnalysis analysis, RolloutView view, Changes changes, Home home, ServerAddresses addresses) : Protocol.V1.Rollouts.RolloutsBase
{
    private const int EntriesPerMessage = 500;

    public override async Task<Rollout> CreateRollout(CreateRolloutRequest request, ServerCallContext context)
    {
        var key = context.Key(request.RequestId, request);
        if (key.Before(database, Rollout.Parser) is { } before)
        {
            return before;
        }
        var environment = ResourceNames.Parent(request.Parent);
        var actor = context.Actor();
        var now = ledger.Now();
        var draft = creation.Check(environment, request.RolloutId, request.Plan ?? throw RefusedException.Invalid("plan", "is missing"), actor, now, request.Supersede, request.Rehearsal);
        var impact = await analysis.OfAsync(draft, context.CancellationToken);
        if (request.ValidateOnly)
        {
            return new Rollout
            {
                Name = ResourceNames.OfRollout(environment, draft.Id),
                Title = draft.Plan.Name,
                Plan = JsonParser.Default.Parse<Plan>(Core.Plans.PlanJson.Of(draft.Plan)),
                StartedBy = actor.Name,
                Impact = impact,
            };
        }
        var rollout = await ledger.CreateAsync(environment, draft.Id, key, created => View(created).ToByteArray(), db =>
        {
            var taken = creation.Take(db, draft, now);
            Journal.InsertUndoSheet(db, environment, draft.Id, UndoSheets.Of(taken, target => EnvironmentService.Parse(Journal.Target(db, environment, target)!), home, addresses.ControlPlane).ToByteArray());
            Journal.InsertImpact(db, environment, draft.Id, impact.ToByteArray());
            return taken;
        }, actor, draft.Supersedes, context.CancellationToken);
        return View(rollout);

        Rollout View(Core.Rollouts.Rollout created)
        {
            var shown = view.ToProto(created, actor);
            shown.Impact = impact;
            return shown;
        }
    }

    public override Task<Rollout> GetRollout(GetRolloutRequest request, ServerCallContext context)
    {
        var rollout = Find(request.Name);
        var shown = view.ToProto(rollout, context.Actor());
        if (database.Read(db => Journal.Impact(db, rollout.Environment, rollout.Id)) is { } impact)
        {
            shown.Impact = Impact.Parser.ParseFrom(impact);
        }
        return Task.FromResult(shown);
    }

    public override Task<ListRolloutsResponse> ListRollouts(ListRolloutsRequest request, ServerCallContext context)
    {
        var environment = ResourceNames.Parent(request.Parent);
        int size = Pages.Size(request.PageSize, usual: 50, most: 200);
        var filter = Filter.Parse(request.Filter, "state", "target", "active");
        var wanted = filter.TryGetValue("state", out var named) ? State(named) : (LaneState?)null;
        var active = filter.TryGetValue("active", out var truth) ? Filter.Truth("active", truth) : (bool?)null;
        var (before, idBefore) = Pages.Parts(request.PageToken, 2) is [var time, var id] ? (Pages.Time(time), id) : (Pages.EndOfTime, "~");
        var actor = context.Actor();
        var answer = new ListRolloutsResponse();
        while (true)
        {
            var rows = database.Read(db => Journal.Rollouts(db, environment, before, idBefore, size + 1));
            foreach (var row in rows)
            {
                var rollout = StoredJson.RolloutOf(row);
                if (answer.Rollouts.Count == size)
                {
                    answer.NextPageToken = Pages.Token(before.ToUnixTimeMilliseconds().ToString(System.Globalization.CultureInfo.InvariantCulture), idBefore);
                    return Task.FromResult(answer);
                }
                (before, idBefore) = (rollout.CreatedAt, rollout.Id);
                if ((wanted is null || rollout.State == wanted)
                    && (!filter.TryGetValue("target", out var target) || rollout.Lanes.Any(lane => lane.Target == target))
                    && (active is null || !rollout.Ended == active))
                {
                    answer.Rollouts.Add(view.ToProto(rollout, actor));
                }
            }
            if (rows.Count <= size)
            {
                return Task.FromResult(answer);
            }
        }
    }

    public override async Task WatchRollout(WatchRolloutRequest request, IServerStreamWriter<WatchRolloutResponse> responseStream, ServerCallContext context)
    {
        var (environment, id) = ResourceNames.Rollout(request.Name);
        long after = request.AfterRevision;
        var actor = context.Actor();
        while (!context.CancellationToken.IsCancellationRequested)
        {
            var changed = changes.Next(environment, id);
            var rollout = Find(request.Name);
            var entries = database.Read(db => Journal.Entries(db, environment, id, after, EntriesPerMessage));
            var answer = new WatchRolloutResponse { Rollout = view.ToProto(rollout, actor) };
            answer.Entries.AddRange(entries.Select(RolloutView.ToProto));
            await responseStream.WriteAsync(answer, context.CancellationToken);
            after = entries.Count > 0 ? entries[^1].Revision : after;
            if (entries.Count == EntriesPerMessage)
            {
                continue;
            }
            if (rollout.Ended && after >= rollout.Revision)
            {
                return;
            }
            await changed.WaitAsync(context.CancellationToken);
        }
    }

    public override Task<ListJournalResponse> ListJournal(ListJournalRequest request, ServerCallContext context)
    {
        var (environment, id) = ResourceNames.Rollout(request.Name);
        Find(request.Name);
        var answer = new ListJournalResponse();
        answer.Entries.AddRange(database.Read(db => Journal.Entries(db, environment, id, request.AfterRevision, Pages.Size(request.PageSize, usual: 1000, most: 1000))).Select(RolloutView.ToProto));
        return Task.FromResult(answer);
    }

    public override Task<Rollout> PauseRollout(PauseRolloutRequest request, ServerCallContext context) =>
        SteerAsync(request.Name, Trigger.Pause, request.Reason, request.RequestId, request.Revision, request, context);

    public override Task<Rollout> ResumeRollout(ResumeRolloutRequest request, ServerCallContext context) =>
        SteerAsync(request.Name, request.Drift switch
        {
            DriftResolution.Unspecified => Trigger.Resume,
            DriftResolution.Take => Trigger.Take,
            DriftResolution.Accept => Trigger.Accept,
            _ => throw RefusedException.Invalid("drift", "is neither take nor accept"),
        }, request.Reason, request.RequestId, request.Revision, request, context);

    public override Task<Rollout> ApproveRollout(ApproveRolloutRequest request, ServerCallContext context) =>
        SteerAsync(request.Name, Trigger.Approve, request.Reason, request.RequestId, request.Revision, request, context, signal => signal with { Lane = request.Lane.Length > 0 ? request.Lane : null });

    public override Task<Rollout> PromoteRollout(PromoteRolloutRequest request, ServerCallContext context)
    {
        var (environment, _) = ResourceNames.Rollout(request.Name);
        var policy = database.Read(db => Journal.Environment(db, environment)) is { } row ? Policies.Of(row) : throw RefusedException.NotFound(ResourceNames.Of(environment));
        return SteerAsync(request.Name, Trigger.Promote, request.Reason, request.RequestId, request.Revision, request, context, signal => signal with { Full = request.Full, JumpMax = policy.JumpMax });
    }

    public override Task<Rollout> HaltRollout(HaltRolloutRequest request, ServerCallContext context) =>
        SteerAsync(request.Name, Trigger.Halt, request.Reason, request.RequestId, 0, request, context);

    public override Task<Rollout> CancelRollout(CancelRolloutRequest request, ServerCallContext context) =>
        SteerAsync(request.Name, Trigger.Cancel, request.Reason, request.RequestId, 0, request, context);

    public override async Task<RollbackRolloutResponse> RollbackRollout(RollbackRolloutRequest request, ServerCallContext context)
    {
        var key = context.Key(request.RequestId, request);
        if (key.Before(database, RollbackRolloutResponse.Parser) is { } before)
        {
            return before;
        }
        var reason = Reasons.Checked(request.Reason);
        var (environment, id) = ResourceNames.Rollout(request.Name);
        id = id == "-" ? Newest(environment) : id;
        var rollout = ledger.Find(environment, id) ?? throw RefusedException.NotFound(request.Name);
        if (request.Lane.Length > 0 && rollout.Lanes.All(lane => lane.Name != request.Lane))
        {
            throw RefusedException.Invalid("lane", $"{Core.Plans.Names.Shown(request.Lane)} is none of {string.Join(", ", rollout.Lanes.Select(lane => lane.Name))}");
        }
        var actor = context.Actor();
        var signal = new Signal(Trigger.Rollback, actor) { Reason = reason, Lane = request.Lane.Length > 0 ? request.Lane : null };
        RollbackRolloutResponse Answer(Core.Rollouts.Rollout now, bool changed)
        {
            var answer = new RollbackRolloutResponse
            {
                Rollout = view.ToProto(now, actor),
                Already = !changed,
                AcceptTime = Timestamp.FromDateTimeOffset(changed ? now.UpdatedAt : ledger.Now()),
                JournalRevision = now.Revision,
            };
            if (signal.Lane is { } only)
            {
                answer.Warnings.Add($"only {only} goes back; the other lanes are paused where they are and may not fit it");
            }
            return answer;
        }
        var told = await ledger.TellAsync(environment, id, signal, request: key, answer: (now, changed) => Answer(now, changed).ToByteArray(), cancellation: context.CancellationToken);
        return told!.Decision.Refusal is { } refusal ? throw StatusMapping.Of(refusal) : Answer(told.Rollout, told.Decision.Next is not null);
    }

    public override Task<UndoSheet> GetUndoSheet(GetUndoSheetRequest request, ServerCallContext context)
    {
        var (environment, id) = ResourceNames.Rollout(request.Name);
        var sheet = database.Read(db => Journal.UndoSheet(db, environment, id)) ?? throw RefusedException.NotFound(request.Name);
        return Task.FromResult(UndoSheet.Parser.ParseFrom(sheet));
    }

    private async Task<Rollout> SteerAsync(
        string name, Trigger trigger, string reason, string requestId, long revision, IMessage request, ServerCallContext context, Func<Signal, Signal>? with = null)
    {
        var key = context.Key(requestId, request);
        if (key.Before(database, Rollout.Parser) is { } before)
        {
            return before;
        }
        var (environment, id) = ResourceNames.Rollout(name);
        var actor = context.Actor();
        var signal = new Signal(trigger, actor) { Reason = Reasons.Checked(reason) };
        var told = await ledger.TellAsync(
            environment, id, with is null ? signal : with(signal), request: key, answer: (now, _) => view.ToProto(now, actor).ToByteArray(), expectedRevision: revision, cancellation: context.CancellationToken)
            ?? throw RefusedException.NotFound(name);
        return told.Decision.Refusal is { } refusal ? throw StatusMapping.Of(refusal) : view.ToProto(told.Rollout, actor);
    }

    /// <summary>The newest rollout that was ever meant to expose anything. It looks no further: an older one has to be named.</summary>
    private string Newest(string environment)
    {
        var newest = database.Read(db => Journal.Rollouts(db, environment, Pages.EndOfTime, "~", 50)).ConvertAll(StoredJson.RolloutOf);
        var chosen = newest.Find(rollout => !rollout.Rehearsal && rollout.State is not (LaneState.Refused or LaneState.Cancelled or LaneState.Superseded)) ?? newest.Find(rollout => !rollout.Rehearsal);
        return chosen?.Id ?? throw new RefusedException(ErrorReason.NothingToUndo, $"{environment} has had no rollout");
    }

    private Core.Rollouts.Rollout Find(string name)
    {
        var (environment, id) = ResourceNames.Rollout(name);
        return ledger.Find(environment, id) ?? throw RefusedException.NotFound(name);
    }

    /// <summary>A state that nobody knows is refused: an empty list would say that there is no such rollout.</summary>
    private static LaneState State(string name)
    {
        const string Prefix = "ROLLOUT_STATE_";
        var word = (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? name[Prefix.Length..] : name).Replace("_", "", StringComparison.Ordinal);
        return word.All(char.IsAsciiLetter) && System.Enum.TryParse<LaneState>(word, ignoreCase: true, out var state)
            ? state
            : throw RefusedException.Invalid("filter", $"{Core.Plans.Names.Shown(name)} is no state of a rollout");
    }
}
