using System.Globalization;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>Limits on what the router sees of the candidate, with a minimum of evidence. Counters are compared with those at the start of the step.</summary>
internal static class TrafficCheck
{
    /// <summary>Errors below which a ratio says nothing, whatever the baseline.</summary>
    private const int RatioErrorsMin = 5;

    public static CheckResult Of(CheckPlan check, TrafficObservation? since, TrafficObservation now)
    {
        var candidate = Since(since, now, side => side.Candidate);
        long samplesMin = Math.Max(1, check.SamplesMin ?? 1);
        double errors = Ratio(candidate);
        double errorsMax = check.ErrorsMax ?? 1;
        if (candidate.Requests == 0)
        {
            return Result(Verdict.NoData, "no request reached the candidate", 0, errorsMax);
        }
        // Bad evidence is not waited out: once there are more errors than the smallest sample may hold, good requests can't bring it below the limit.
        if (check.ErrorsMax is not null && candidate.Errors > errorsMax * Math.Max(candidate.Requests, samplesMin))
        {
            return Result(Verdict.Unhealthy, $"{candidate.Errors} of {candidate.Requests} requests failed, {Percent(errors)} (max {Percent(errorsMax)})", errors, errorsMax);
        }
        if (candidate.Requests < samplesMin)
        {
            return Result(Verdict.Inconclusive, $"{candidate.Requests} of {samplesMin} requests", errors, errorsMax);
        }
        if (check.RatioMax is { } ratioMax && OverRatio(ratioMax) is { } worse)
        {
            return worse;
        }
        if (check.P99MsMax is { } p99Max && Slow(p99Max) is { } slow)
        {
            return slow;
        }
        return Result(Verdict.Healthy, $"{Percent(errors)} of {candidate.Requests} requests failed", errors, errorsMax);

        CheckResult? OverRatio(double ratioMax)
        {
            if (candidate.Errors < RatioErrorsMin)
            {
                return null;
            }
            // Beside the candidate if it gets enough; else what the baseline has shown since the router counts: at 100 % nothing runs beside any more.
            var beside = Since(since, now, side => side.Baseline);
            var baseline = beside.Requests >= samplesMin ? beside : now.Baseline;
            if (baseline.Requests < samplesMin)
            {
                return Result(Verdict.Inconclusive, $"{candidate.Errors} errors, and the baseline has {baseline.Requests} of {samplesMin} requests to compare with", errors, ratioMax);
            }
            // One error stands in for none, so that a spotless baseline neither passes everything nor condemns the first failure.
            double reference = Math.Max(baseline.Errors, 1.0) / baseline.Requests;
            double ratio = errors / reference;
            return ratio <= ratioMax
                ? null
                : Result(Verdict.Unhealthy, $"{Percent(errors)} against the baseline's {Percent(Ratio(baseline))}: {ratio.ToString("0.##", CultureInfo.InvariantCulture)} times (max {ratioMax.ToString(CultureInfo.InvariantCulture)})", ratio, ratioMax);
        }

        CheckResult? Slow(double p99Max)
        {
            if (LatencyCounts.Percentile(since, now, candidate.Requests, 0.99) is not { } p99)
            {
                return Result(Verdict.Inconclusive, "the target shows no latency", 0, p99Max);
            }
            if (p99.UpToMs <= p99Max)
            {
                return p99.Open ? Result(Verdict.Inconclusive, $"p99 over {Ms(p99.UpToMs)}, the largest bound that is counted", p99.UpToMs, p99Max) : null;
            }
            return Result(Verdict.Unhealthy, $"p99 {(p99.Open ? "over " : "")}{Ms(p99.UpToMs)} (max {Ms(p99Max)})", p99.UpToMs, p99Max);
        }

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

    private static double Ratio(SideCounters side) => side.Requests == 0 ? 0 : (double)side.Errors / side.Requests;

    private static string Ms(double ms) => ms.ToString("0.#", CultureInfo.InvariantCulture) + " ms";

    private static string Percent(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
