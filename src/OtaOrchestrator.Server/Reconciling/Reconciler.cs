using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Reconciling;

/// <summary>
/// Carries out what was committed. Each effect is a task that waits until it is due, acts, and brings the outcome back as a signal. A commit that replans a lane
/// withdraws the lane's tasks; writes to one target wait for each other, so a withdrawn write ends before the next begins.
/// </summary>
public sealed partial class Reconciler(
    Database database, Ledger ledger, EffectRunner runner, IOptions<ReconcilerOptions> options, TimeProvider time, ILogger<Reconciler> logger) : IHostedService, IDisposable
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _targets = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Environment, string Rollout, string Lane), List<Live>> _live = [];
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _forward = new(options.Value.WorkersMax);
    private readonly CancellationTokenSource _stopping = new();
    private int _running;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        ledger.AfterCommit = Take;
        var now = time.GetUtcNow();
        foreach (var effect in database.Read(Journal.Effects))
        {
            // The clock may have jumped while nobody counted: what is left is at most what was asked for.
            var left = effect.DueAt - now;
            Begin(effect, left < TimeSpan.Zero ? TimeSpan.Zero : left > effect.Delay ? effect.Delay : left);
        }
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        while (Volatile.Read(ref _running) > 0 && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _forward.Dispose();
    }

    private void Take(Committed committed)
    {
        lock (_gate)
        {
            foreach (var lane in committed.Replanned)
            {
                if (_live.Remove((committed.Rollout.Environment, committed.Rollout.Id, lane), out var withdrawn))
                {
                    withdrawn.ForEach(live => live.Withdraw());
                }
            }
        }
        foreach (var effect in committed.Effects)
        {
            Begin(effect, effect.Delay);
        }
    }

    private void Begin(EffectRow effect, TimeSpan delay)
    {
        var live = new Live(_stopping.Token);
        lock (_gate)
        {
            var key = (effect.Environment, effect.Rollout, effect.Lane);
            if (!_live.TryGetValue(key, out var lives))
            {
                _live[key] = lives = [];
            }
            lives.Add(live);
        }
        Interlocked.Increment(ref _running);
        _ = Task.Run(() => RunAsync(effect, delay, live));
    }

    private async Task RunAsync(EffectRow effect, TimeSpan delay, Live live)
    {
        try
        {
            if (!await WaitAsync(delay, live.Token))
            {
                return;
            }
            var attempt = new Attempt(effect, time.GetTimestamp());
            while (true)
            {
                TimeSpan? wait;
                try
                {
                    wait = await OnceAsync(attempt, live);
                }
                catch (Exception error) when (!live.Token.IsCancellationRequested)
                {
                    // An effect may not stand still: a lane in the middle of a rollback would stay where it is.
                    LogBroken(error, effect.Key, effect.Kind);
                    wait = options.Value.PollMax;
                }
                if (wait is not { } pause)
                {
                    return;
                }
                if (!await WaitAsync(pause, live.Token))
                {
                    return;
                }
            }
        }
        catch (Exception) when (live.Token.IsCancellationRequested)
        {
            // Withdrawn by a later decision, or the server stops: the store knows what is left to do.
        }
        finally
        {
            lock (_gate)
            {
                if (_live.TryGetValue((effect.Environment, effect.Rollout, effect.Lane), out var lives) && lives.Remove(live) && lives.Count == 0)
                {
                    _live.Remove((effect.Environment, effect.Rollout, effect.Lane));
                }
            }
            // Nobody withdraws what is no longer listed.
            live.Dispose();
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>Acts once and tells the outcome. Null when the effect is over, otherwise how long to wait before the next time.</summary>
    private async Task<TimeSpan?> OnceAsync(Attempt attempt, Live live)
    {
        var effect = attempt.Effect;
        bool back = effect.Kind is EffectKind.Restore or EffectKind.FollowTail;
        bool writes = effect.Kind is not (EffectKind.Look or EffectKind.FollowTail);
        var target = writes ? _targets.GetOrAdd($"{effect.Environment}/{effect.Target}", _ => new SemaphoreSlim(1, 1)) : null;
        Signal? signal;
        if (!back)
        {
            await _forward.WaitAsync(live.Token);
        }
        try
        {
            if (target is not null)
            {
                await target.WaitAsync(live.Token);
            }
            try
            {
                signal = await runner.RunAsync(attempt, live.Token);
            }
            finally
            {
                target?.Release();
            }
        }
        finally
        {
            if (!back)
            {
                _forward.Release();
            }
        }
        live.Token.ThrowIfCancellationRequested();
        if (signal is null)
        {
            if (effect.Kind == EffectKind.Hold && attempt.Failures == 0)
            {
                await ledger.FinishAsync(effect);
                return null;
            }
            return attempt.Pause(options.Value);
        }
        try
        {
            var told = await ledger.TellAsync(effect.Environment, effect.Rollout, signal, effect, cancellation: live.Token);
            return told?.Decision.Next is null || !live.Token.IsCancellationRequested ? attempt.Pause(options.Value) : null;
        }
        catch (LostRaceException)
        {
            LogDropped(effect.Key, effect.Kind);
            return null;
        }
        catch (StoreFullException)
        {
            LogFull(effect.Key, effect.Kind);
            return options.Value.PollMax;
        }
        catch (SupersededException superseded)
        {
            LogSuperseded(effect.Key, superseded.Target, superseded.Rollout);
            return options.Value.PollMax;
        }
    }

    /// <summary>False when the effect was withdrawn meanwhile: most waits end so, and are worth no exception.</summary>
    private async ValueTask<bool> WaitAsync(TimeSpan delay, CancellationToken cancellation)
    {
        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return !cancellation.IsCancellationRequested;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "effect {Effect} {Kind} broke; it is tried again")]
    private partial void LogBroken(Exception error, string effect, EffectKind kind);

    [LoggerMessage(Level = LogLevel.Information, Message = "effect {Effect} {Kind}: outcome dropped, a later decision replaced it")]
    private partial void LogDropped(string effect, EffectKind kind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "effect {Effect} {Kind}: outcome not stored, the disk is full; it is tried again")]
    private partial void LogFull(string effect, EffectKind kind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "effect {Effect}: {Target} was taken by {Rollout}")]
    private partial void LogSuperseded(string effect, string target, string rollout);

    private sealed class Live(CancellationToken stopping) : IDisposable
    {
        private readonly CancellationTokenSource _withdrawn = CancellationTokenSource.CreateLinkedTokenSource(stopping);

        public CancellationToken Token => _withdrawn.Token;

        public void Withdraw() => _withdrawn.Cancel();

        public void Dispose() => _withdrawn.Dispose();
    }
}
