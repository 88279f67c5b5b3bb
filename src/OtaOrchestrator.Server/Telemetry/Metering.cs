using System.Diagnostics;
using System.Diagnostics.Metrics;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Server.Telemetry;

/// <summary>Metrics and traces of the orchestrator, recorded after the commit.</summary>
public sealed class Metering : IDisposable
{
    public const string Name = "OtaOrchestrator";
    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _transitions;
    private readonly Counter<long> _effects;
    private readonly Histogram<double> _effectSeconds;

    public Metering()
    {
        _transitions = _meter.CreateCounter<long>("ota.rollout.transitions", description: "Committed decisions");
        _effects = _meter.CreateCounter<long>("ota.effects", description: "Effects carried out");
        _effectSeconds = _meter.CreateHistogram<double>("ota.effect.duration", "s", "Time of one call to a target");
    }

    public ActivitySource Traces { get; } = new(Name);

    public void Transition(LaneState state) => _transitions.Add(1, new KeyValuePair<string, object?>("state", state.ToString()));

    public void Effect(EffectKind kind, string outcome, TimeSpan took)
    {
        _effects.Add(1, new("kind", kind.ToString()), new("outcome", outcome));
        _effectSeconds.Record(took.TotalSeconds, new KeyValuePair<string, object?>("kind", kind.ToString()));
    }

    public void Dispose()
    {
        _meter.Dispose();
        Traces.Dispose();
    }
}
