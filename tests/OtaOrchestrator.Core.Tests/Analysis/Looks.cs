using System.Text.Json;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Tests.Analysis;

/// <summary>A lane that is looked at again and again. Between two looks the evidence goes through its stored form, as it does in the store.</summary>
internal sealed class Looks(params CheckPlan[] checks)
{
    public static readonly CheckPlan Ratio = new() { Name = "errors", Source = "router", Against = "baseline", RatioMax = 1.25, SamplesMin = 200 };
    public static readonly CheckPlan Latency = new() { Name = "latency", Source = "router", Metric = "latency", Against = "baseline", RatioMax = 1.25, SamplesMin = 200 };

    private LanePlan _lane = new() { Checks = [.. checks] };
    private StepPlan _step = new() { Share = 0.1 };

    public TrafficObservation Now { get; private set; } = new("a", SideCounters.Zero, SideCounters.Zero);
    public TrafficObservation? Since { get; private set; }
    public Evidence? Evidence { get; set; }

    public Looks Sticky()
    {
        _lane = _lane with { StickyFor = TimeSpan.FromHours(1) };
        return this;
    }

    /// <summary>The baseline has run for a while before anybody is exposed.</summary>
    public Looks After(long requests, long errors, IReadOnlyList<LatencyCount>? latency = null)
    {
        Now = Now with { Baseline = new(requests, errors) { Latency = latency ?? [] } };
        return this;
    }

    public Looks Step(double share)
    {
        _step = new StepPlan { Share = share };
        Since = Now;
        return this;
    }

    /// <summary>Requests and errors come, and are looked at.</summary>
    public Judgement Look(long candidate, long candidateErrors, long baseline, long baselineErrors) => See(Now with
    {
        Candidate = new(Now.Candidate.Requests + candidate, Now.Candidate.Errors + candidateErrors),
        Baseline = new(Now.Baseline.Requests + baseline, Now.Baseline.Errors + baselineErrors),
    });

    public Judgement See(TrafficObservation now)
    {
        Now = now;
        var judgement = Judge.Of(new Look(_lane, _step, Since, now, 0.01) { Evidence = Evidence });
        Evidence = Stored(judgement.Evidence!);
        return judgement;
    }

    public static Evidence Stored(Evidence evidence) => JsonSerializer.Deserialize<Evidence>(JsonSerializer.Serialize(evidence))!;
}
