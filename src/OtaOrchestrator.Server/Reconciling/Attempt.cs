using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Reconciling;

/// <summary>An effect at work: how often it was tried, since when, and what came last.</summary>
/// <param name="startedAt">Timestamp of the clock that does not jump.</param>
public sealed class Attempt(EffectRow effect, long startedAt)
{
    public EffectRow Effect { get; } = effect;
    public long StartedAt { get; } = startedAt;
    public int Count { get; set; }

    /// <summary>Failures in a row.</summary>
    public int Failures { get; set; }

    /// <summary>Timestamp since when calls fail; 0 when the last one did not.</summary>
    public long FailingSince { get; set; }

    public TimeSpan Pause(ReconcilerOptions options)
    {
        if (Effect.Kind == EffectKind.Look && Failures == 0)
        {
            return Effect.Delay;
        }
        double factor = Math.Pow(2, Math.Min(Failures > 0 ? Failures : Count - 1, 8));
        var pause = options.PollMin * factor;
        pause = pause > options.PollMax ? options.PollMax : pause;
        // Jitter, so that many lanes whose target came back do not all call at once.
        return pause * (0.8 + (Random.Shared.NextDouble() * 0.4));
    }
}
