using System.Globalization;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>Limits on what the router sees of the candidate, with a minimum of evidence. Counters are compared with those at the start of the step.</summary>
internal static class TrafficCheck
{
    public static CheckResult Of(CheckPlan check, TrafficObservation? since, TrafficObservation now)
    {
        var candidate = Since(since, now, side => side.Candidate);
        var baseline = Since(since, now, side => side.Baseline);
        long samplesMin = Math.Max(1, check.SamplesMin ?? 1);
        double errors = Ratio(candidate);
        if (candidate.Requests == 0)
        {
            return new(check.Name, Verdict.NoData, "no request reached the candidate");
        }
        // Bad evidence is not waited out: as soon as the errors alone exceed what the smallest sample may hold, more good requests within it can't help.
        double limit = check.ErrorsMax ?? 1;
        if (check.ErrorsMax is not null && candidate.Errors > limit * Math.Max(candidate.Requests, samplesMin))
        {
            return Result(Verdict.Unhealthy, $"{candidate.Errors} of {candidate.Requests} requests failed, {Percent(errors)} (max {Percent(limit)})", errors, limit);
        }
        if (candidate.Requests < samplesMin)
        {
            return Result(Verdict.Inconclusive, $"{candidate.Requests} of {samplesMin} requests", errors, limit);
        }
        if (check.RatioMax is { } ratioMax && candidate.Errors > 0)
        {
            if (baseline.Requests < samplesMin)
            {
                return Result(Verdict.Inconclusive, $"the baseline has {baseline.Requests} of {samplesMin} requests to compare with", errors, ratioMax);
            }
            // Half an error stands in for none, so that a spotless baseline neither passes everything nor condemns the first failure.
            double reference = Math.Max(baseline.Errors, 0.5) / baseline.Requests;
            double ratio = errors / reference;
            if (candidate.Errors >= 5 && ratio > ratioMax)
            {
                return Result(Verdict.Unhealthy, $"{Percent(errors)} against the baseline's {Percent(Ratio(baseline))}: {ratio.ToString("0.##", CultureInfo.InvariantCulture)} times (max {ratioMax})", ratio, ratioMax);
            }
        }
        if (check.P99MsMax is { } p99Max && Percentile(since, now) is { } p99 && p99 > p99Max)
        {
            return Result(Verdict.Unhealthy, $"p99 {p99:0} ms (max {p99Max:0} ms)", p99, p99Max);
        }
        return Result(Verdict.Healthy, $"{Percent(errors)} of {candidate.Requests} requests failed", errors, limit);

        CheckResult Result(Verdict verdict, string text, double value, double limit) => new(check.Name, verdict, text, 0, candidate.Requests, value, limit);
    }

    /// <summary>What the step still lacks; empty when it lacks nothing.</summary>
    public static string Missing(StepPlan step, TrafficObservation? since, TrafficObservation now)
    {
        long requests = Since(since, now, side => side.Candidate).Requests;
        return step.RequestsMin is { } min && requests < min ? $"{requests} of {min} requests" : "";
    }

    private static SideCounters Since(TrafficObservation? since, TrafficObservation now, Func<TrafficObservation, SideCounters> side)
    {
        // Counters of another instance started at zero.
        if (since is null || since.Instance != now.Instance)
        {
            return side(now);
        }
        return new SideCounters(Math.Max(0, side(now).Requests - side(since).Requests), Math.Max(0, side(now).Errors - side(since).Errors));
    }

    private static double? Percentile(TrafficObservation? since, TrafficObservation now)
    {
        var before = since is not null && since.Instance == now.Instance ? since.Candidate.Latency.ToDictionary(count => count.UpToMs, count => count.Requests) : [];
        var counts = now.Candidate.Latency.Select(count => (count.UpToMs, Requests: count.Requests - before.GetValueOrDefault(count.UpToMs))).OrderBy(count => count.UpToMs).ToList();
        if (counts.Count == 0 || counts[^1].Requests <= 0)
        {
            return null;
        }
        double target = counts[^1].Requests * 0.99;
        return counts.First(count => count.Requests >= target).UpToMs;
    }

    private static double Ratio(SideCounters side) => side.Requests == 0 ? 0 : (double)side.Errors / side.Requests;

    private static string Percent(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
