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

    /// <summary>Why <see cref="Now"/> is null.</summary>
    public string Absent { get; init; } = "the target shows nothing yet";
    public ReadingCounts ReadingsBefore { get; init; } = ReadingCounts.None;

    /// <summary>What a fleet had shown when a person overruled the judge; null when nobody did.</summary>
    public FleetObservation? Overruled { get; init; }

    /// <summary>What earlier looks have come to; null at the first.</summary>
    public Evidence? Evidence { get; init; }
}

/// <summary>Turns observations into a verdict. Checks are named policies, chosen by their source; each kind stands in a file of its own.</summary>
public static class Judge
{
    /// <summary>Pure: the same look, with the same evidence before it, gives the same judgement and the same evidence after it.</summary>
    public static Judgement Of(Look look)
    {
        look = look is { Now: FleetObservation fleet, Overruled: { } overruled } ? look with { Now = fleet.Without(overruled) } : look;
        var alpha = look.FalseAbortMax / Math.Max(1, look.Lane.Checks.IsDefault ? 0 : look.Lane.Checks.Count(Spends));
        var after = look.Now is TrafficObservation traffic ? Evidence.After(look, traffic, alpha) : look.Evidence;
        return Of(look, after, alpha) with { Evidence = after };
    }

    /// <summary>The lane takes a part of the rollout's budget of false aborts.</summary>
    public static bool Spends(LanePlan lane) => !lane.Checks.IsDefaultOrEmpty && lane.Checks.Any(Spends);

    /// <summary>Limits that are not tests are the plan's own word: who exceeds them has not been aborted falsely.</summary>
    private static bool Spends(CheckPlan check) => !check.DryRun && !check.IsTest() && (check.Source == CheckSources.Devices || Evidence.Compares(check));

    /// <summary>The checks that are looked at in a step: what counts users where there are any, and the step's own test.</summary>
    public static IEnumerable<CheckPlan> ChecksOf(LanePlan lane, StepPlan step) =>
        lane.Checks.Where(check => check.IsTest() ? check.Name == step.Test : step.Exposes());

    private static Judgement Of(Look look, Evidence? evidence, double alpha)
    {
        if (look.Lane.Checks.IsDefaultOrEmpty)
        {
            return Judgement.NoData("the lane has no checks");
        }
        var checks = ChecksOf(look.Lane, look.Step).ToList();
        if (checks.Count == 0)
        {
            return new Judgement { Verdict = Verdict.Healthy, Complete = true, Cause = "" };
        }
        bool counts = checks.Exists(check => !check.Asks());
        if (look.Now is null && !checks.Exists(check => check.Asks()))
        {
            return Judgement.NoData(look.Absent) with { Readings = look.ReadingsBefore };
        }
        if (look is { Now: FleetObservation { Offered: 0 }, Eligible: 0 })
        {
            return new Judgement { Verdict = Verdict.Healthy, Complete = true, Cause = "", Checks = [.. checks.Select(check => new CheckResult(check.Name, Verdict.Healthy, "the waves so far have no devices"))] };
        }
        var readings = look.ReadingsBefore.Step == look.StepIndex ? look.ReadingsBefore : new ReadingCounts { Step = look.StepIndex };
        List<CheckResult> results = [];
        OnVerdict? onNoData = null;
        foreach (var check in checks)
        {
            CheckResult result;
            if (check.Asks())
            {
                (result, var count) = ReadingCheck.Of(check, readings.Checks.GetValueOrDefault(check.Name), look.Readings.GetValueOrDefault(check.Name));
                readings = readings with { Checks = readings.Checks.SetItem(check.Name, count) };
            }
            else
            {
                result = (check.Source, look.Now) switch
                {
                    (CheckSources.Router, TrafficObservation traffic) => TrafficCheck.Of(check, evidence?.Of(check.Name), look.Since as TrafficObservation, traffic, 1 / alpha),
                    (CheckSources.Devices, FleetObservation fleet) => FleetCheck.Of(check, fleet, alpha),
                    (_, null) => new CheckResult(check.Name, Verdict.NoData, look.Absent),
                    _ => new CheckResult(check.Name, Verdict.NoData, $"source {check.Source} shows nothing for this target"),
                };
            }
            results.Add(result with { DryRun = check.DryRun || (result.Verdict == Verdict.NoData && check.NoData == OnVerdict.Ignore) });
            if (result.Verdict == Verdict.NoData && !check.DryRun && check.NoData is OnVerdict.Hold or OnVerdict.Rollback && onNoData != OnVerdict.Rollback)
            {
                onNoData = check.NoData;
            }
        }
        if (counts && look.Now is TrafficObservation sides && SplitCheck.Of(look, sides) is { } split)
        {
            results.Add(split);
        }
        var judgement = new Judgement { Verdict = Verdict.NoData, Complete = false, Cause = "no check that anything follows from", Checks = results, OnNoData = onNoData, Readings = readings };
        var counted = results.FindAll(result => !result.DryRun);
        if (counted.Count == 0)
        {
            return judgement;
        }
        var verdict = Combine(counted);
        if (verdict != Verdict.Healthy)
        {
            return judgement with { Verdict = verdict, Cause = string.Join("; ", counted.Where(result => result.Verdict == verdict).Select(result => $"{result.Name}: {result.Text}")) };
        }
        var missing = look.Now switch
        {
            _ when !counts => "",
            TrafficObservation traffic => TrafficCheck.Missing(look.Step, look.Since as TrafficObservation, traffic),
            FleetObservation fleet => FleetCheck.Missing(look.Step, look.Lane, fleet),
            _ => look.Absent,
        };
        return judgement with { Verdict = verdict, Complete = missing.Length == 0, Cause = missing };
    }

    /// <summary>One bad check condemns; one that knows nothing keeps the others from acquitting.</summary>
    private static Verdict Combine(List<CheckResult> results)
    {
        foreach (var worst in (ReadOnlySpan<Verdict>)[Verdict.Unhealthy, Verdict.NoData, Verdict.Inconclusive])
        {
            if (results.Any(result => result.Verdict == worst))
            {
                return worst;
            }
        }
        return Verdict.Healthy;
    }
}
