using System.Globalization;
using System.Text;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Core.Tests.Rollouts;

/// <summary>Carries decisions out as the reconciler does: commit, then act; effects of a replanned lane are replaced. Keeps the transcript.</summary>
internal sealed class World(Rollout rollout)
{
    private readonly StringBuilder _transcript = new();

    public Rollout Rollout { get; private set; } = rollout;
    public Rollout Created { get; } = rollout;
    public DateTimeOffset Now { get; set; } = rollout.CreatedAt;
    public List<Effect> Effects { get; private set; } = [];
    public List<(Signal Signal, DateTimeOffset At)> Journal { get; } = [];
    public string Transcript => _transcript.ToString();

    public Decision Tell(Signal signal)
    {
        var decision = Lifecycle.Decide(Rollout, signal, Now);
        var who = signal.Lane is null ? signal.Actor.Name : $"{signal.Lane}";
        _transcript.Append(CultureInfo.InvariantCulture, $"{Now - Created.CreatedAt:hh\\:mm\\:ss} {who}: {Words.Of(signal.Trigger)}{(signal.Judgement is { } j ? " " + Words.Of(j.Verdict) : "")}\n");
        if (decision.Refusal is { } refusal)
        {
            _transcript.Append(CultureInfo.InvariantCulture, $"    refused {refusal.Reason}: {refusal.Text}\n");
        }
        if (decision.Next is { } next)
        {
            Journal.Add((signal, Now));
            Rollout = next;
            Effects = [.. Effects.Where(effect => !decision.Replanned.Contains(effect.Lane)), .. decision.Effects];
            _transcript.Append(CultureInfo.InvariantCulture, $"    {next.Revision} {decision.Text}\n");
            foreach (var effect in decision.Effects)
            {
                _transcript.Append(CultureInfo.InvariantCulture, $"    -> {effect.Lane}: {Words.Of(effect.Kind)}{(effect.Delay > TimeSpan.Zero ? $" in {effect.Delay.TotalSeconds:0} s" : "")}\n");
            }
        }
        return decision;
    }

    /// <summary>Answers the effect that is due first, as a world where all is well would.</summary>
    public bool Step()
    {
        var effect = Effects.Where(effect => effect.Kind != EffectKind.Hold).OrderBy(effect => effect.Delay).FirstOrDefault();
        if (effect is null)
        {
            return false;
        }
        Now += effect.Delay;
        if (Tell(Example.Answer(Rollout, effect)).Next is null)
        {
            Effects.Remove(effect);
        }
        return true;
    }

    public World Run(Func<Rollout, bool> until, int most = 500)
    {
        for (int i = 0; i < most && !until(Rollout); i++)
        {
            if (!Step())
            {
                break;
            }
        }
        Assert.True(until(Rollout), $"never came to it: {Words.Of(Rollout.State)}\n{Transcript}");
        return this;
    }
}
