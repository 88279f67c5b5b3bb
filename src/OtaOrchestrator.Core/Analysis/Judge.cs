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

    /// <summary>What earlier looks have come to; null at the first.</summary>
    public Evidence? Evidence { get; init; }
}

/// <summary>Turns observations into a verdict. Checks are named policies, chosen by their source; each kind stands in a file of its own.</summary>
public static class Judge
{
    /// <summary>Pure: the same look, with the same evidence before it, gives the same judgement and the same evidence after it.</summary>
    public static Judgement Of(Look look)
    {
        var alpha = look.FalseAbortMax / Math.Max(1, look.Lane.Checks.IsDefault ? 0 : look.Lane.Checks.Count(Spends));
        var after = look.Now is TrafficObservation traffic ? Evidence.After(look, traffic, alpha) : look.Evidence;
        return Of(look, after, alpha) with { Evidence = after };
    }

    /// <summary>The lane takes a part of the rollout's budget of false aborts.</summary>
    public static bool Spends(LanePlan lane) => !lane.Checks.IsDefaultOrEmpty && lane.Checks.Any(Spends);

    /// <summary>Limits that are not tests are the plan's own word: who exceeds them has not been aborted falsely.</summary>
    private static bool Spends(CheckPlan check) => !check.DryRun && !check.IsTest() && (check.Source == CheckSources.Devices || Evidence.Compares(check));

    private static Judgement Of(Look look, Evidence? evidence, double alpha)
    {
        if (look.Now is not { } now)
        {
            return Judgement.NoData("the target shows nothing yet");
        }
        if (look.Lane.Checks.IsDefaultOrEmpty)
        {
            return Judgement.NoData("the lane has no checks");
        }
        if (now is FleetObservation { Offered: 0 } && look.Eligible == 0)
        {
            return new Judgement { Verdict = Verdict.Healthy, Complete = true, Cause = "", Checks = [.. look.Lane.Checks.Select(check => new CheckResult(check.Name, Verdict.Healthy, "the waves so far have no devices"))] };
        }
        List<CheckResult> results = [];
        foreach (var check in look.Lane.Checks.Where(check => !check.IsTest() || check.Name == look.Step.Test))
        {
            var result = (check.Source, now) switch
            {
                (CheckSources.Router, TrafficObservation traffic) => TrafficCheck.Of(check, evidence?.Of(check.Name), look.Since as TrafficObservation, traffic, 1 / alpha),
                (CheckSources.Devices, FleetObservation fleet) => FleetCheck.Of(check, fleet, alpha),
                _ => new CheckResult(check.Name, Verdict.NoData, $"source {check.Source} shows nothing for this target"),
            };
            results.Add(result with { DryRun = check.DryRun });
        }
        if (now is TrafficObservation sides && SplitCheck.Of(look, sides) is { } split)
        {
            results.Add(split);
        }
        var counted = results.Where(result => !result.DryRun).ToList();
        if (counted.Count == 0)
        {
            return Judgement.NoData("no check that anything follows from") with { Checks = results };
        }
        var verdict = Combine(counted);
        var cause = string.Join("; ", counted.Where(result => result.Verdict == verdict && verdict != Verdict.Healthy).Select(result => $"{result.Name}: {result.Text}"));
        if (verdict != Verdict.Healthy)
        {
            return new Judgement { Verdict = verdict, Complete = false, Cause = cause, Checks = results };
        }
        var missing = now switch
        {
            TrafficObservation traffic => TrafficCheck.Missing(look.Step, look.Since as TrafficObservation, traffic),
            FleetObservation fleet => FleetCheck.Missing(look.Step, look.Lane, fleet),
            _ => "unknown observation",
        };
        return new Judgement { Verdict = verdict, Complete = missing.Length == 0, Cause = missing, Checks = results };
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
