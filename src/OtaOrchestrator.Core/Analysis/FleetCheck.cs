using System.Globalization;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>
/// Judges devices by outcomes in the order in which they started. Success reports early and silence late, so whoever counts what has reported promotes dead
/// firmware; here a device counts once all that started before it are resolved, and silence is a failure.
/// </summary>
internal static class FleetCheck
{
    /// <summary>Failures that condemn without waiting for the order: so many that the whole exposure so far is over the limit whatever the rest does.</summary>
    private const int CertainFailuresMin = 3;

    public static CheckResult Of(CheckPlan check, FleetObservation fleet, double alpha)
    {
        double limit = check.FailuresMax ?? 0.02;
        long started = fleet.Starts.Sum(bucket => bucket.Started);
        long failed = fleet.Starts.Sum(bucket => bucket.Failed + bucket.Silent) + fleet.Dark;
        if (fleet.Refused > 0)
        {
            return Result(Verdict.Unhealthy, $"{fleet.Refused} devices refused the update's signature or contents: a security incident", 0, started, 1);
        }
        if (started == 0)
        {
            return fleet.Offered == 0 ? Result(Verdict.NoData, "nothing was offered", 0, 0, 0) : Result(Verdict.NoData, $"none of {fleet.Offered} devices has started", 0, 0, 0);
        }
        var (resolved, bad) = Resolved(fleet);
        double e = EProcess.Of(bad, resolved, limit);
        double rate = (double)failed / started;
        string text = $"{failed} of {started} devices bad, {(rate * 100).ToString("0.##", CultureInfo.InvariantCulture)} %{Causes(fleet)}";
        if (e >= 1 / alpha)
        {
            return Result(Verdict.Unhealthy, $"{text}: E {e.ToString("0.#", CultureInfo.InvariantCulture)} >= {1 / alpha:0}", e, resolved, rate);
        }
        if (failed >= CertainFailuresMin && failed > limit * Math.Max(fleet.Offered, started) && EProcess.Of(failed, started, limit) >= 1 / alpha)
        {
            return Result(Verdict.Unhealthy, $"{text}: more than the limit allows whatever the rest does", e, started, rate);
        }
        return Result(Verdict.Healthy, text, e, resolved, rate);

        CheckResult Result(Verdict verdict, string text, double e, long samples, double value) => new(check.Name, verdict, text, e, samples, value, limit);
    }

    /// <summary>What the step still lacks; empty when it lacks nothing.</summary>
    public static string Missing(StepPlan step, LanePlan lane, FleetObservation fleet)
    {
        long healthy = fleet.Starts.Sum(bucket => bucket.Healthy);
        long failed = fleet.Starts.Sum(bucket => bucket.Failed + bucket.Silent) + fleet.Dark;
        long open = fleet.Starts.Sum(bucket => Math.Max(0, bucket.Unresolved));
        double limit = lane.Checks.Select(check => check.FailuresMax).Min() ?? 0.02;
        long want = (long)Math.Ceiling((step.Reach ?? 0.9) * Math.Min(fleet.Reachable, fleet.Offered));
        if (healthy + failed < want)
        {
            return $"{healthy + failed} of {want} devices resolved, {open} under way";
        }
        if (step.ConfirmedMin is { } min && healthy < min)
        {
            return $"{healthy} of {min} devices confirmed";
        }
        return failed > limit * (healthy + failed) ? $"{failed} of {healthy + failed} devices bad, over the limit though not proven" : "";
    }

    /// <summary>Outcomes of the devices that started before the first one that is still open.</summary>
    private static (long Resolved, long Bad) Resolved(FleetObservation fleet)
    {
        long resolved = 0;
        long bad = 0;
        foreach (var bucket in fleet.Starts)
        {
            if (bucket.Unresolved > 0)
            {
                break;
            }
            resolved += bucket.Started;
            bad += bucket.Failed + bucket.Silent;
        }
        return (resolved, bad);
    }

    private static string Causes(FleetObservation fleet) =>
        fleet.Causes.Count == 0 ? "" : " (" + string.Join(", ", fleet.Causes.OrderByDescending(cause => cause.Count).Take(3).Select(cause => $"{cause.Code} {cause.Count}")) + ")";
}
