using System.Collections.Concurrent;
using System.Text.Json;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>What each lane's target showed last. Kept in memory, stored now and then so that a restart has something to show and to judge on from.</summary>
public sealed class ProgressBoard(Database database, Changes changes, TimeProvider time)
{
    private static readonly TimeSpan StoreEvery = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<(string Environment, string Rollout, string Lane), (LaneProgress Progress, long StoredAt)> _lanes = new();

    public LaneProgress Of(string environment, string rollout, string lane) => Load(environment, rollout, lane).Progress;

    public async Task PutAsync(EffectRow effect, Func<LaneProgress, LaneProgress> change)
    {
        var key = (effect.Environment, effect.Rollout, effect.Lane);
        var (before, storedAt) = Load(effect.Environment, effect.Rollout, effect.Lane);
        var now = change(before);
        if (now == before)
        {
            return;
        }
        bool store = storedAt == 0 || time.GetElapsedTime(storedAt) >= StoreEvery;
        _lanes[key] = (now, store ? time.GetTimestamp() : storedAt);
        if (store)
        {
            try
            {
                var spec = JsonSerializer.Serialize(now, StoredJson.Default.LaneProgress);
                await database.WriteAsync(db => { Journal.PutProgress(db, effect.Environment, effect.Rollout, new ProgressRow(effect.Lane, spec, time.GetUtcNow())); return true; }, what: $"progress.{effect.Kind}.{effect.Lane}");
            }
            catch (StoreFullException)
            {
                // Only for show: a full disk must not keep the effect from going on.
            }
        }
        changes.Happened(effect.Environment, effect.Rollout);
    }

    private (LaneProgress Progress, long StoredAt) Load(string environment, string rollout, string lane) => _lanes.GetOrAdd((environment, rollout, lane), key =>
    {
        var stored = database.Read(db => Journal.Progress(db, key.Environment, key.Rollout)).Find(row => row.Lane == key.Lane);
        return (stored is null ? new LaneProgress() : JsonSerializer.Deserialize(stored.Spec, StoredJson.Default.LaneProgress) ?? new LaneProgress(), 0);
    });
}
