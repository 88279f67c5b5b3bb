using System.Globalization;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>
/// Judges devices in the order in which they started. Success reports early and silence late, so whoever counts what has reported promotes dead firmware.
/// <list type="bullet">
/// <item>To condemn, a device that is still open counts as good: its outcome can only raise the value. So the test is exact although it does not wait, and a first
/// wave that fails as a whole is caught by its third device.</item>
/// <item>To promote, a device that is still open counts as bad: everything that started, but for as many as the limit allows, must have come to a good end.</item>
/// <item>Between the two, over the limit but not proven, the verdict is inconclusive: nothing is undone and nothing promoted.</item>
/// </list>
/// </summary>
internal static class FleetCheck
{
    public static CheckResult Of(CheckPlan check, FleetObservation fleet, double alpha)
    {
        double limit = check.FailuresMax ?? 0.02;
        var count = Count.Of(fleet);
        double rate = count.Resolved == 0 ? 0 : (double)count.Bad / count.Resolved;
        if (fleet.Refused > 0)
        {
            return Result(Verdict.Unhealthy, $"{Devices(fleet.Refused)} refused the update's signature or contents: a security incident, not a statistic", 0);
        }
        if (count.Started == 0)
        {
            return Result(Verdict.NoData, fleet.Offered == 0 ? "nothing is offered" : $"none of {Devices(fleet.Offered)} has started", 0);
        }
        double e = Evidence(fleet, limit);
        string text = $"{count.Bad} of {Devices(count.Resolved)} bad, {Percent(rate)} (max {Percent(limit)}){Causes(fleet)}";
        if (e >= 1 / alpha)
        {
            return Result(Verdict.Unhealthy, $"{text}: E {e.ToString("0", CultureInfo.InvariantCulture)} >= {(1 / alpha).ToString("0", CultureInfo.InvariantCulture)}", e);
        }
        if (count.Resolved < Math.Max(1, check.SamplesMin ?? 1))
        {
            return Result(Verdict.Inconclusive, $"{count.Resolved} of {Devices(Math.Max(1, check.SamplesMin ?? 1))} resolved", e);
        }
        // Rounded down: a wave too small to afford a single failure within the limit tolerates none.
        return count.Bad > Allowed(limit, count.Resolved) ? Result(Verdict.Inconclusive, $"{text}: over the limit, not proven", e) : Result(Verdict.Healthy, text, e);

        CheckResult Result(Verdict verdict, string said, double value) => new(check.Name, verdict, said, value, count.Resolved, rate, limit);
    }

    /// <summary>What the step still lacks; empty when it lacks nothing.</summary>
    public static string Missing(StepPlan step, LanePlan lane, FleetObservation fleet)
    {
        var count = Count.Of(fleet);
        double limit = lane.Checks.Select(check => check.FailuresMax).Min() ?? 0.02;
        long want = (long)Math.Ceiling(((step.Reach ?? 0.9) * Math.Min(fleet.Reachable, fleet.Offered)) - 1e-9);
        if (count.Resolved < want)
        {
            return $"{count.Resolved} of {Devices(want)} resolved, {count.Open} under way";
        }
        if (step.ConfirmedMin is { } min && count.Healthy < min)
        {
            return $"{count.Healthy} of {Devices(min)} confirmed";
        }
        if (!lane.Steps.IsDefaultOrEmpty && step == lane.Steps[^1] && lane.Complete is { ConfirmedMin: { } share } complete)
        {
            long all = (long)Math.Ceiling((share * (complete.Of == "all" ? fleet.Offered : Math.Min(fleet.Reachable, fleet.Offered))) - 1e-9);
            if (count.Healthy < all)
            {
                return $"{count.Healthy} of {Devices(all)} confirmed to complete the lane";
            }
        }
        return count.Bad + count.Open > Allowed(limit, count.Started) ? $"{Devices(count.Open)} under way, any of which may be silent" : "";
    }

    /// <summary>
    /// The largest value that the test has reached over the devices in the order in which they started. It rises only with a failure, so it is computed after each
    /// second in which one started. Devices that went dark long after they were good are entered last: when they started is no longer known.
    /// </summary>
    private static double Evidence(FleetObservation fleet, double limit)
    {
        double most = 1;
        long started = 0;
        long bad = 0;
        foreach (var bucket in fleet.Starts)
        {
            started += bucket.Started;
            bad += bucket.Bad;
            if (bucket.Bad > 0)
            {
                most = Math.Max(most, EProcess.Of(bad, started, limit));
            }
        }
        return fleet.Dark == 0 ? most : Math.Max(most, EProcess.Of(Math.Min(started, bad + fleet.Dark), started, limit));
    }

    private static long Allowed(double limit, long devices) => (long)Math.Floor((limit * devices) + 1e-9);

    private static string Devices(long count) => count == 1 ? "1 device" : $"{count} devices";

    private static string Percent(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";

    private static string Causes(FleetObservation fleet) =>
        fleet.Causes.Count == 0 ? "" : " (" + string.Join(", ", fleet.Causes.OrderByDescending(cause => cause.Count).Take(3).Select(cause => $"{cause.Code} {cause.Count}")) + ")";

    /// <param name="Healthy">Still so: what went dark after it had been healthy is bad.</param>
    /// <param name="Bad">Failed, silent or dark.</param>
    private readonly record struct Count(long Started, long Healthy, long Bad)
    {
        public long Resolved => Healthy + Bad;
        public long Open => Math.Max(0, Started - Resolved);

        public static Count Of(FleetObservation fleet)
        {
            long started = 0;
            long healthy = 0;
            long bad = 0;
            foreach (var bucket in fleet.Starts)
            {
                started += bucket.Started;
                healthy += bucket.Healthy;
                bad += bucket.Bad;
            }
            // A dark device stands among the healthy of its second.
            long dark = Math.Min(fleet.Dark, healthy);
            return new Count(started, healthy - dark, bad + dark);
        }
    }
}
