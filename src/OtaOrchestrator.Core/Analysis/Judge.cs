using System.Collections.Immutable;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>What a look at a lane is judged by.</summary>
/// <param name="Since">What the target showed when the step was reached; null when nothing was shown.</param>
/// <param name="FalseAbortMax">Probability of ever aborting a good release, shared by the lane's checks.</param>
public sealed record Look(LanePlan Lane, StepPlan Step, Observation? Since, Observation? Now, double FalseAbortMax)
{
    /// <summary>Devices that the exposure was to reach, as read back; null when that is not known. A wave of a small fleet may have none.</summary>
    public long? Eligible { get; init; }

    /// <summary>The step's place in the lane.</summary>
    public int StepIndex { get; init; }

    /// <summary>What the checks that ask somebody were told, by their names.</summary>
    public IReadOnlyDictionary<string, CheckReading> Readings { get; init; } = ImmutableDictionary<string, CheckReading>.Empty;

    /// <summary>Of the look before.</summary>
    public Evidence Evidence { get; init; } = Evidence.None;
}

/// <summary>Turns observations into a verdict. Checks are named policies, chosen by their source; each kind stands in a file of its own.</summary>
public static class Judge
{
    /// <summary>The checks that are looked at in a step: what counts users where there are any, and the step's own test.</summary>
    public static IEnumerable<CheckPlan> ChecksOf(LanePlan lane, StepPlan step) =>
        lane.Checks.Where(check => check.IsTest() ? check.Name == step.Test : step is not { Share: 0, Group: null });

    public static Judgement Of(Look look)
    {
        var checks = ChecksOf(look.Lane, look.Step).ToList();
        if (look.Lane.Checks.IsDefaultOrEmpty)
        {
            return NoData(look, "the lane has no checks");
        }
        if (checks.Count == 0)
        {
            return new Judgement { Verdict = Verdict.Healthy, Complete = true, Cause = "", Evidence = look.Evidence };
        }
        bool counts = checks.Exists(check => !CheckSources.Asked.Contains(check.Source));
        if (counts && look.Now is null)
        {
            return NoData(look, "the target shows nothing yet");
        }
        if (look is { Now: FleetObservation { Offered: 0 }, Eligible: 0 })
        {
            return new Judgement
            {
                Verdict = Verdict.Healthy, Complete = true, Cause = "", Evidence = look.Evidence,
                Checks = [.. checks.Select(check => new CheckResult(check.Name, Verdict.Healthy, "the waves so far have no devices"))],
            };
        }
        var alpha = look.FalseAbortMax / Math.Max(1, checks.Count(check => !CheckSources.Asked.Contains(check.Source) && !check.DryRun));
        var evidence = look.Evidence.Step == look.StepIndex ? look.Evidence : look.Evidence with { Step = look.StepIndex, Readings = ImmutableDictionary<string, ReadingCount>.Empty };
        List<CheckResult> results = [];
        OnVerdict? onNoData = null;
        foreach (var check in checks)
        {
            CheckResult result;
            if (CheckSources.Asked.Contains(check.Source))
            {
                (result, var count) = ReadingCheck.Of(check, evidence.Readings.GetValueOrDefault(check.Name), look.Readings.GetValueOrDefault(check.Name));
                evidence = evidence with { Readings = evidence.Readings.SetItem(check.Name, count) };
            }
            else
            {
                result = (check.Source, look.Now) switch
                {
                    (CheckSources.Router, TrafficObservation traffic) => TrafficCheck.Of(check, look.Since as TrafficObservation, traffic),
                    (CheckSources.Devices, FleetObservation fleet) => FleetCheck.Of(check, fleet, alpha),
                    _ => new CheckResult(check.Name, Verdict.NoData, $"source {check.Source} shows nothing for this target"),
                };
            }
            results.Add(result with { DryRun = check.DryRun || (result.Verdict == Verdict.NoData && check.NoData == OnVerdict.Ignore) });
            if (result.Verdict == Verdict.NoData && !check.DryRun && check.NoData is OnVerdict.Hold or OnVerdict.Rollback)
            {
                onNoData = onNoData == OnVerdict.Rollback ? onNoData : check.NoData;
            }
        }
        var weighing = results.FindAll(result => !result.DryRun);
        var verdict = Combine(weighing);
        if (verdict != Verdict.Healthy)
        {
            var cause = string.Join("; ", weighing.Where(result => result.Verdict == verdict).Select(result => $"{result.Name}: {result.Text}"));
            return new Judgement { Verdict = verdict, Complete = false, Cause = cause, Checks = results, OnNoData = onNoData, Evidence = evidence };
        }
        var missing = look.Now switch
        {
            _ when !counts => "",
            TrafficObservation traffic => TrafficCheck.Missing(look.Step, look.Since as TrafficObservation, traffic),
            FleetObservation fleet => FleetCheck.Missing(look.Step, look.Lane, fleet),
            _ => "unknown observation",
        };
        return new Judgement { Verdict = verdict, Complete = missing.Length == 0, Cause = missing, Checks = results, Evidence = evidence };
    }

    private static Judgement NoData(Look look, string cause) => Judgement.NoData(cause) with { Evidence = look.Evidence };

    /// <summary>One bad check condemns; one that knows nothing keeps the others from acquitting. Nothing that weighs is nothing to tell from.</summary>
    private static Verdict Combine(List<CheckResult> results)
    {
        foreach (var worst in (ReadOnlySpan<Verdict>)[Verdict.Unhealthy, Verdict.NoData, Verdict.Inconclusive])
        {
            if (results.Exists(result => result.Verdict == worst))
            {
                return worst;
            }
        }
        return results.Count == 0 ? Verdict.NoData : Verdict.Healthy;
    }
}
