using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Telemetry;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>A mutation's identity: repeating it gives the first answer.</summary>
public sealed record RequestKey(string Actor, string Id, byte[] BodySha256);

/// <summary>What came of a signal.</summary>
/// <param name="Rollout">As it is now.</param>
public sealed record Told(Rollout Rollout, Decision Decision);

/// <summary>What a commit changed, for whoever acts on it or watches it.</summary>
public sealed record Committed(Rollout Rollout, IReadOnlyList<string> Replanned, IReadOnlyList<EffectRow> Effects);

/// <summary>
/// Keeps the rollouts: takes a signal, decides, commits row, journal entry and effects in one transaction, and only then lets others know.
/// </summary>
public sealed partial class Ledger(Database database, Changes changes, Metering metering, TimeProvider time, ILogger<Ledger> logger)
{
    private readonly ConcurrentDictionary<(string Environment, string Id), Entry> _entries = new();

    /// <summary>Called after each commit, in the order of the rollout's revisions.</summary>
    public Action<Committed>? AfterCommit { get; set; }

    /// <summary>Now, in the precision of the journal, so that a decision can be made again from it.</summary>
    public DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());

    public Rollout? Find(string environment, string id) => Load(environment, id)?.Rollout;

    /// <summary>
    /// Commits a rollout's creation and its start. <paramref name="inTransaction"/> gives the rollout its targets' epochs and stores what goes with it.
    /// The rollout that it supersedes ends in the same transaction: at no moment is what was exposed nobody's.
    /// </summary>
    public async Task<Rollout> CreateAsync(
        string environment, string id, RequestKey? request, Func<Rollout, byte[]> answer, Func<Statements, Rollout> inTransaction, Actor actor, string? supersedes, CancellationToken cancellation)
    {
        if (supersedes is null)
        {
            return await CreateAsync(environment, id, request, answer, inTransaction, _ => { }, cancellation);
        }
        var entry = Load(environment, supersedes) ?? throw new LostRaceException($"{supersedes} is gone");
        await entry.Turn.WaitAsync(cancellation);
        try
        {
            var at = Now();
            var before = entry.Rollout;
            var signal = new Signal(Trigger.Supersede, actor) { Reason = id };
            var decision = Lifecycle.Decide(before, signal, at);
            var next = decision.Next ?? throw StatusMapping.Of(decision.Refusal!);
            var spec = StoredJson.Of(next);
            var written = Write(before, next, decision, signal, at, spec);
            var created = await CreateAsync(environment, id, request, answer, inTransaction, db => Update(db, before, next, decision, written, spec, at), cancellation);
            entry.Rollout = next;
            Publish(new Committed(next, decision.Replanned, written.Effects), decision.Text);
            return created;
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    private async Task<Rollout> CreateAsync(
        string environment, string id, RequestKey? request, Func<Rollout, byte[]> answer, Func<Statements, Rollout> inTransaction, Action<Statements> before, CancellationToken cancellation)
    {
        var at = Now();
        var committed = await database.WriteAsync(db =>
        {
            before(db);
            var created = inTransaction(db);
            var decision = Lifecycle.Decide(created, new Signal(Trigger.Start, created.StartedBy), at);
            var next = decision.Next ?? throw new InvalidOperationException("a new rollout can't be started: " + decision.Refusal?.Text);
            var spec = StoredJson.Of(next);
            if (!Journal.InsertRollout(db, next, StoredJson.Of(created), spec))
            {
                throw new RolloutExistsException(id);
            }
            var written = Write(created, next, decision, new Signal(Trigger.Start, created.StartedBy), at, spec);
            Persist(db, created, next, decision, written, at);
            if (request is not null)
            {
                Journal.InsertRequest(db, request.Actor, request.Id, request.BodySha256, answer(next), at);
            }
            return new Committed(next, decision.Replanned, written.Effects);
        }, what: "Created", cancellation: cancellation);
        var entry = _entries.GetOrAdd((environment, id), _ => new Entry(committed.Rollout));
        entry.Rollout = committed.Rollout;
        Publish(committed, "created");
        return committed.Rollout;
    }

    /// <summary>Tells a rollout a signal. An outcome names the effect that brought it; when that was replaced meanwhile the race is lost.</summary>
    /// <param name="answer">With a request: what is stored as its answer.</param>
    public async Task<Told?> TellAsync(
        string environment, string id, Signal signal, EffectRow? from = null, RequestKey? request = null, Func<Rollout, bool, byte[]>? answer = null, long expectedRevision = 0, CancellationToken cancellation = default)
    {
        if (Load(environment, id) is not { } entry)
        {
            return null;
        }
        await entry.Turn.WaitAsync(cancellation);
        try
        {
            var at = Now();
            var before = entry.Rollout;
            if (expectedRevision != 0 && before.Revision != expectedRevision)
            {
                throw new LostRaceException($"the rollout is at revision {before.Revision}, not {expectedRevision}");
            }
            var decision = Lifecycle.Decide(before, signal, at);
            if (decision.Next is not { } next)
            {
                if (request is not null && decision.Refusal is null && answer is not null)
                {
                    await database.WriteAsync(db => { Journal.InsertRequest(db, request.Actor, request.Id, request.BodySha256, answer(before, false), at); return true; }, Urgent(before), "answer", cancellation);
                }
                return new Told(before, decision);
            }
            var spec = StoredJson.Of(next);
            // Made here, not in the transaction: the one writer does nothing but write.
            var written = Write(before, next, decision, signal, at, spec);
            // A decision that was begun is carried through: whoever asked may have gone away, the rollout has not.
            await database.WriteAsync(db =>
            {
                if (from is not null && !Journal.HasEffect(db, from))
                {
                    throw new LostRaceException("the effect was replaced");
                }
                Update(db, before, next, decision, written, spec, at);
                if (request is not null && answer is not null)
                {
                    Journal.InsertRequest(db, request.Actor, request.Id, request.BodySha256, answer(next, true), at);
                }
                return true;
            }, Urgent(next), Name(signal, before, next), CancellationToken.None);
            entry.Rollout = next;
            Publish(new Committed(next, decision.Replanned, written.Effects), decision.Text);
            return new Told(next, decision);
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    /// <summary>An effect that ended without a decision.</summary>
    public async Task FinishAsync(EffectRow effect)
    {
        await database.WriteAsync(db => { Journal.DeleteEffect(db, effect); return true; }, what: $"done.{effect.Kind}.{effect.Lane}");
    }

    /// <summary>Rollback goes before everything, also before an empty disk.</summary>
    private static bool Urgent(Rollout rollout) =>
        rollout.Lanes.Any(lane => lane.State is LaneState.RollingBack or LaneState.AwaitingUndo or LaneState.RolledBack or LaneState.RollbackStuck);

    /// <summary>What a commit is, whenever it comes: the trigger, its lane, and the move.</summary>
    private static string Name(Signal signal, Rollout before, Rollout next) =>
        signal.Lane is { } lane ? $"{signal.Trigger}.{lane}.{before.Lane(lane).State}-{next.Lane(lane).State}" : $"{signal.Trigger}.{before.State}-{next.State}";

    private static Written Write(Rollout before, Rollout next, Decision decision, Signal signal, DateTimeOffset at, string spec)
    {
        var nextSha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(spec)));
        var canonical = JsonSerializer.SerializeToUtf8Bytes(new JournalContent(next.Environment, next.Id, next.Revision, at.ToUnixTimeMilliseconds(), signal, nextSha256), StoredJson.Default.JournalContent);
        var entry = new JournalRow(
            next.Revision, at, signal.Actor.Name, signal.Trigger.ToString(), signal.Lane ?? "", before.State.ToString(), next.State.ToString(), decision.Text, canonical, SHA256.HashData(canonical));
        List<EffectRow> effects = [];
        Lane? lane = null;
        var order = "";
        foreach (var effect in decision.Effects)
        {
            // Effects come lane by lane, and those of a lane have one order.
            if (lane?.Name != effect.Lane)
            {
                lane = next.Lane(effect.Lane);
                order = JsonSerializer.Serialize(lane.Order(next, next.Revision), StoredJson.Default.TargetOrder);
            }
            effects.Add(new EffectRow(next.Environment, next.Id, next.Revision, effects.Count, effect.Lane, lane.Target, effect.Kind, effect.Delay, at + effect.Delay, order));
        }
        return new Written(entry, effects);
    }

    private static void Update(Statements db, Rollout before, Rollout next, Decision decision, Written written, string spec, DateTimeOffset at)
    {
        if (!Journal.UpdateRollout(db, next, spec))
        {
            throw new LostRaceException();
        }
        Persist(db, before, next, decision, written, at);
    }

    private static void Persist(Statements db, Rollout before, Rollout next, Decision decision, Written written, DateTimeOffset at)
    {
        Journal.InsertEntry(db, next.Environment, next.Id, written.Entry);
        foreach (var lane in decision.Replanned)
        {
            // Effects of a kind that comes again are replaced by it.
            var comes = decision.Effects.Where(effect => effect.Lane == lane).Select(effect => effect.Kind).ToList();
            if (next.Revision == 1 || Effect.Of(before.Lane(lane)).Any(effect => !comes.Contains(effect.Kind)))
            {
                Journal.DeleteEffects(db, next.Environment, next.Id, lane);
            }
        }
        foreach (var row in written.Effects)
        {
            Journal.PutEffect(db, row);
        }
        Targets(db, before, next, at);
    }

    /// <summary>What a target runs, who has it, and which releases may not come back, follow from the lanes' moves.</summary>
    private static void Targets(Statements db, Rollout before, Rollout next, DateTimeOffset at)
    {
        foreach (var lane in next.Lanes)
        {
            var was = before.Lane(lane.Name).State;
            if (was == lane.State)
            {
                continue;
            }
            if (lane.State is LaneState.RollingBack or LaneState.AwaitingUndo)
            {
                if (before.Ended && !Journal.RetakeTarget(db, next.Environment, lane.Target, next.Id, lane.Epoch))
                {
                    throw new SupersededException(lane.Target, Journal.Target(db, next.Environment, lane.Target)?.ActiveRollout ?? "");
                }
                if (next.Rehearsal)
                {
                    // Nothing is wrong with what was only rehearsed.
                    continue;
                }
                Journal.Hold(db, new HoldRow(next.Environment, lane.Candidate.ToString(), next.Id, next.Cause, at));
            }
            else if (lane.State == LaneState.Succeeded)
            {
                Journal.SetCurrentRelease(db, next.Environment, lane.Target, lane.Candidate.ToString(), lane.Epoch);
            }
            else if (lane.State == LaneState.RolledBack)
            {
                Journal.SetCurrentRelease(db, next.Environment, lane.Target, lane.Fallback.ToString(), lane.Epoch);
                if (next.Rehearsal)
                {
                    Journal.PutRehearsal(db, new RehearsalRow(next.Environment, lane.Target, next.Id, at, lane.ReturnTook ?? TimeSpan.Zero));
                }
            }
        }
        if (next.Ended && !before.Ended)
        {
            foreach (var lane in next.Lanes)
            {
                Journal.FreeTarget(db, next.Environment, lane.Target, next.Id);
            }
        }
    }

    private Entry? Load(string environment, string id)
    {
        if (_entries.TryGetValue((environment, id), out var entry))
        {
            return entry;
        }
        return database.Read(db => Journal.Rollout(db, environment, id)) is { } spec
            ? _entries.GetOrAdd((environment, id), _ => new Entry(StoredJson.RolloutOf(spec)))
            : null;
    }

    private void Publish(Committed committed, string text)
    {
        var rollout = committed.Rollout;
        LogCommitted(rollout.Environment, rollout.Id, rollout.Revision, rollout.State, text);
        metering.Transition(rollout.State);
        AfterCommit?.Invoke(committed);
        changes.Happened(rollout.Environment, rollout.Id);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Environment}/{Rollout} revision {Revision} {State}: {Text}")]
    private partial void LogCommitted(string environment, string rollout, long revision, LaneState state, string text);

    private sealed record Written(JournalRow Entry, IReadOnlyList<EffectRow> Effects);

    private sealed class Entry(Rollout rollout)
    {
        public Rollout Rollout { get; set; } = rollout;

        /// <summary>One decision at a time.</summary>
        public SemaphoreSlim Turn { get; } = new(1, 1);
    }
}

public sealed class RolloutExistsException(string id) : Exception($"rollout {id} exists already");

/// <summary>Another rollout has taken the target since.</summary>
public sealed class SupersededException(string target, string rollout) : Exception($"{target} has moved on")
{
    public string Target { get; } = target;
    public string Rollout { get; } = rollout;
}
