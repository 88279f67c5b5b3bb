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
}

/// <summary>Turns observations into a verdict. Checks are named policies, chosen by their source; each kind stands in a file of its own.</summary>
public static class Judge
{
    public static Judgement Of(Look look)
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
        var alpha = look.FalseAbortMax / look.Lane.Checks.Length;
        List<CheckResult> results = [];
        foreach (var check in look.Lane.Checks)
        {
            results.Add((check.Source, now) switch
            {
                ("router", TrafficObservation traffic) => TrafficCheck.Of(check, look.Since as TrafficObservation, traffic),
                ("devices", FleetObservation fleet) => FleetCheck.Of(check, fleet, alpha),
                _ => new CheckResult(check.Name, Verdict.NoData, $"source {check.Source} shows nothing for this target"),
            });
        }
        var verdict = Combine(results);
        var cause = string.Join("; ", results.Where(result => result.Verdict == verdict && verdict != Verdict.Healthy).Select(result => $"{result.Name}: {result.Text}"));
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
