using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Checks;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Telemetry;

namespace OtaOrchestrator.Server.Reconciling;

/// <summary>One call to a target for one effect, and what it means: a signal, or nothing yet. Every failure ends here, as an outcome with its cause.</summary>
public sealed partial class EffectRunner(
    ITargets targets, CheckReadings checks, Ledger ledger, ProgressBoard progress, Metering metering, IOptions<ReconcilerOptions> options, TimeProvider time, ILogger<EffectRunner> logger)
{
    public async Task<Signal?> RunAsync(Attempt attempt, CancellationToken cancellation)
    {
        var effect = attempt.Effect;
        var order = JsonSerializer.Deserialize(effect.OrderJson, StoredJson.Default.TargetOrder)!;
        using var activity = metering.Traces.StartActivity(effect.Kind.ToString());
        activity?.SetTag("ota.rollout", $"{effect.Environment}/{effect.Rollout}");
        activity?.SetTag("ota.revision", effect.Revision);
        attempt.Count++;
        long began = time.GetTimestamp();
        var callTimeout = CallTimeout(ledger.Find(effect.Environment, effect.Rollout)?.Lane(effect.Lane));
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var deadline = time.CreateTimer(_ => limited.Cancel(), null, callTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            Pass(effect, "before");
            // On a thread of its own: a target may also block before it returns a task.
            var limit = limited.Token;
            var signal = await EndsAsync(effect, Task.Run(() => ActAsync(attempt, order, targets.Of(effect.Environment, effect.Target), limit), CancellationToken.None), limit);
            Pass(effect, "after");
            attempt.Failures = 0;
            attempt.FailingSince = 0;
            metering.Effect(effect.Kind, "ok", time.GetElapsedTime(began));
            return signal;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw;
        }
        catch (DriftException found) when (effect.Kind is EffectKind.Expose or EffectKind.Promote or EffectKind.Look)
        {
            attempt.Failures = 0;
            attempt.FailingSince = 0;
            metering.Effect(effect.Kind, "drifted", time.GetElapsedTime(began));
            return Outcome(attempt, Trigger.Drifted) with { Drift = found.Drift };
        }
        catch (Exception error)
        {
            var cause = error is OperationCanceledException ? $"no answer within {callTimeout.TotalSeconds:0.#} s" : Causes.Of(error);
            attempt.Failures++;
            attempt.FailingSince = attempt.FailingSince == 0 ? began : attempt.FailingSince;
            metering.Effect(effect.Kind, "failed", time.GetElapsedTime(began));
            LogFailed(effect.Key, effect.Kind, attempt.Count, cause);
            await progress.PutAsync(effect, lane => lane with { Error = cause });
            return Failed(attempt, cause, final: error is TargetException or DriftException);
        }
    }

    /// <summary>
    /// A call that heeds its cancellation ends by itself, in order. One that does not is left behind, so that it holds up nobody, least of all a rollback: should it reach
    /// the target in the end, its fence is behind, and the return is read back past the deadline of every forward call.
    /// </summary>
    private async Task<Signal?> EndsAsync(EffectRow effect, Task<Signal?> call, CancellationToken limit)
    {
        try
        {
            return await call.WaitAsync(limit);
        }
        catch (OperationCanceledException) when (!call.IsCompleted)
        {
            // Over time or withdrawn; it has a moment to end.
        }
        try
        {
            return await call.WaitAsync(options.Value.AbandonAfter, time, CancellationToken.None);
        }
        catch (TimeoutException) when (!call.IsCompleted)
        {
            LogLeft(effect.Key, effect.Kind, effect.Target);
            _ = call.ContinueWith(late => LogLate(effect.Key, effect.Kind, effect.Target, late.Exception is { } error ? Causes.Of(error) : "done"),
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw new OperationCanceledException(limit);
        }
    }

    /// <summary>What a call showed, unless it was left behind meanwhile: then somebody newer shows how things are.</summary>
    private async Task ShowAsync(EffectRow effect, Func<LaneProgress, LaneProgress> change, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        await progress.PutAsync(effect, change);
    }

    private async Task<Signal?> ActAsync(Attempt attempt, TargetOrder order, ITarget target, CancellationToken cancellation)
    {
        var effect = attempt.Effect;
        switch (effect.Kind)
        {
            case EffectKind.Prepare:
                var preparation = await target.PrepareAsync(order, cancellation);
                await ShowAsync(effect, lane => lane with { Members = preparation.Members, Detail = preparation.Pending ?? lane.Detail, Error = "" }, cancellation);
                if (preparation.Pending is { } pending)
                {
                    return Elapsed(attempt) < Patience(effect) ? null : Outcome(attempt, Trigger.PreparationFailed) with { Reason = $"not ready: {pending}" };
                }
                return preparation.Problem is { } problem
                    ? Outcome(attempt, Trigger.PreparationFailed) with { Reason = problem }
                    : Outcome(attempt, Trigger.Prepared) with { Preparation = preparation };

            case EffectKind.Expose:
                await target.ExposeAsync(order, cancellation);
                cancellation.ThrowIfCancellationRequested();
                Pass(effect, "acted");
                var reading = await target.ReadAsync(order, cancellation);
                await ShowAsync(effect, lane => lane with { Reading = reading, Detail = reading.Detail, Error = "" }, cancellation);
                if (!reading.Agrees)
                {
                    return Elapsed(attempt) < Patience(effect) ? null : Outcome(attempt, Trigger.ExposureFailed) with { Reason = $"not reached: {reading.Detail}" };
                }
                return Outcome(attempt, Trigger.ExposureReached) with { Reading = reading, Observation = await target.ObserveAsync(order, cancellation) };

            case EffectKind.Hold:
                await target.HoldAsync(order, cancellation);
                return null;

            case EffectKind.Look:
                return await LookAsync(attempt, order, target, cancellation);

            case EffectKind.Promote:
                await target.PromoteAsync(order, cancellation);
                cancellation.ThrowIfCancellationRequested();
                Pass(effect, "acted");
                var promoted = await target.ReadAsync(order, cancellation);
                return promoted.Agrees ? Outcome(attempt, Trigger.Promoted) with { Reading = promoted }
                    : Elapsed(attempt) < Patience(effect) ? null : Outcome(attempt, Trigger.PromotionFailed) with { Reason = $"not promoted: {promoted.Detail}" };

            case EffectKind.Restore:
                await target.RestoreAsync(order, cancellation);
                cancellation.ThrowIfCancellationRequested();
                Pass(effect, "acted");
                var restoration = await target.ReadRestorationAsync(order, cancellation);
                await ShowAsync(effect, lane => lane with { Restoration = restoration, Detail = restoration.Detail, Error = "" }, cancellation);
                return Outcome(attempt, Trigger.RestorationRead) with { Restoration = restoration };

            case EffectKind.FollowTail:
                var tail = await target.ReadRestorationAsync(order, cancellation);
                await ShowAsync(effect, lane => lane with { Restoration = tail, Detail = tail.Detail, Error = "" }, cancellation);
                return Outcome(attempt, Trigger.TailRead) with { Restoration = tail };

            default:
                throw new InvalidOperationException($"unknown effect {effect.Kind}");
        }
    }

    private async Task<Signal> LookAsync(Attempt attempt, TargetOrder order, ITarget target, CancellationToken cancellation)
    {
        var effect = attempt.Effect;
        var rollout = ledger.Find(effect.Environment, effect.Rollout)!;
        var lane = rollout.Lane(effect.Lane);
        var step = lane.Plan.Steps[Math.Clamp(lane.Step, 0, lane.Plan.Steps.Length - 1)];
        var asked = checks.ReadAsync(rollout, lane, step, cancellation);
        var (observation, absent) = await ObserveAsync(effect, lane, step, order, target, cancellation);
        var live = progress.Of(effect.Environment, effect.Rollout, effect.Lane);
        // What was seen before a person resumed the lane, and not committed, is forgotten with it.
        var before = live.Attempt == lane.Attempt ? live.Judgement : null;
        // The rollout's budget of false aborts is shared by the lanes that spend it.
        double falseAbortMax = (rollout.Plan.Judge.FalseAbortMax ?? 0.01) / Math.Max(1, rollout.Lanes.Count(other => Judge.Spends(other.Plan)));
        var judgement = Judge.Of(new Look(lane.Plan, step, lane.Since, observation, falseAbortMax)
        {
            Eligible = live.Reading?.Eligible,
            StepIndex = lane.Step,
            Absent = absent ?? "the target shows nothing yet",
            Readings = await asked,
            ReadingsBefore = before?.Readings ?? lane.Judgement?.Readings ?? ReadingCounts.None,
            // Not every look is committed: a lane that waits is judged on without a change of its rows.
            Evidence = Evidence.Newer(lane.Evidence, before?.Evidence),
            Overruled = lane.Overruled,
        });
        await ShowAsync(effect, now => now with { Attempt = lane.Attempt, Judgement = judgement, Observation = observation ?? now.Observation, Error = absent ?? "" }, cancellation);
        // A verdict comes first; who it was is for people.
        return judgement.Verdict != Verdict.Unhealthy && lane.Drift is { Author: "" } drift && await AuthorAsync(effect, order, drift, target, cancellation) is { Length: > 0 } author
            ? Outcome(attempt, Trigger.Drifted) with { Drift = drift with { Author = author } }
            : Outcome(attempt, Trigger.Looked, Actor.Judge) with { Judgement = judgement, Observation = observation };
    }

    /// <summary>Who can't be asked names nobody, and keeps the judge from nothing.</summary>
    private async Task<string> AuthorAsync(EffectRow effect, TargetOrder order, Drift drift, ITarget target, CancellationToken cancellation)
    {
        try
        {
            return await target.AuthorAsync(order, drift, cancellation);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            LogBlind(effect.Key, Causes.Of(error));
            return "";
        }
    }

    /// <summary>
    /// What the target shows, or why it shows nothing: where others are asked as well, they are heard all the same. Looking is what keeps a partial exposure; one that
    /// the target has taken back since has nothing to show.
    /// </summary>
    private async Task<(Observation? Observation, string? Absent)> ObserveAsync(EffectRow effect, Lane lane, StepPlan step, TargetOrder order, ITarget target, CancellationToken cancellation)
    {
        if (!CheckReadings.Asks(lane, step))
        {
            return (await RenewedAsync(cancellation), null);
        }
        // Of the time that the whole look has, so that some is left to judge in.
        var patience = CallTimeout(lane) / 2;
        using var deadline = new CancellationTokenSource(patience, time);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            return (await RenewedAsync(limited.Token).WaitAsync(limited.Token), null);
        }
        catch (Exception error) when (error is not DriftException && !cancellation.IsCancellationRequested)
        {
            var cause = error is OperationCanceledException ? $"no answer within {patience.TotalSeconds:0.#} s" : Causes.Of(error);
            LogBlind(effect.Key, cause);
            return (null, cause);
        }

        async Task<Observation?> RenewedAsync(CancellationToken limit)
        {
            // Before its first step a lane has nothing of its own to keep or to miss.
            if (order.Step >= 0)
            {
                await target.RenewAsync(order, limit);
            }
            return await target.ObserveAsync(order, limit);
        }
    }

    /// <summary>What a call that failed means: nothing yet while it may still work, no data for the judge, and in the end an outcome.</summary>
    private Signal? Failed(Attempt attempt, string cause, bool final)
    {
        bool givesUp = final || time.GetElapsedTime(attempt.FailingSince) >= options.Value.GiveUpAfter;
        return attempt.Effect.Kind switch
        {
            EffectKind.Look => Outcome(attempt, Trigger.Looked, Actor.Judge) with { Judgement = Judgement.NoData(cause) },
            EffectKind.Prepare when givesUp => Outcome(attempt, Trigger.PreparationFailed) with { Reason = cause },
            EffectKind.Expose when givesUp => Outcome(attempt, Trigger.ExposureFailed) with { Reason = cause },
            EffectKind.Promote when givesUp => Outcome(attempt, Trigger.PromotionFailed) with { Reason = cause },
            EffectKind.Restore when attempt.Failures >= options.Value.RestoreAttemptsMax => Outcome(attempt, Trigger.RestorationFailed) with { Reason = cause },
            _ => null,
        };
    }

    private TimeSpan Patience(EffectRow effect)
    {
        var lane = ledger.Find(effect.Environment, effect.Rollout)!.Lane(effect.Lane);
        return lane.Plan.Steps[Math.Clamp(lane.Step, 0, lane.Plan.Steps.Length - 1)].BakeMax ?? TimeSpan.FromHours(1);
    }

    private TimeSpan CallTimeout(Lane? lane) => lane?.CallTimeout ?? options.Value.CallTimeout;

    private void Pass(EffectRow effect, string when) => options.Value.Probe?.Invoke($"{effect.Kind}.{effect.Lane}.{when}");

    private TimeSpan Elapsed(Attempt attempt) => time.GetElapsedTime(attempt.StartedAt);

    private Signal Outcome(Attempt attempt, Trigger trigger, Actor? actor = null) =>
        new(trigger, actor ?? Actor.Orchestrator) { Lane = attempt.Effect.Lane, Elapsed = Elapsed(attempt) };

    [LoggerMessage(Level = LogLevel.Warning, Message = "effect {Effect} {Kind}, attempt {Attempt}: {Cause}")]
    private partial void LogFailed(string effect, EffectKind kind, int attempt, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "effect {Effect}: the target shows nothing: {Cause}")]
    private partial void LogBlind(string effect, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "effect {Effect} {Kind}: {Target} heeds no cancellation, the call is left behind")]
    private partial void LogLeft(string effect, EffectKind kind, string target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "effect {Effect} {Kind}: a call to {Target} that was left behind ended: {Outcome}")]
    private partial void LogLate(string effect, EffectKind kind, string target, string outcome);
}
