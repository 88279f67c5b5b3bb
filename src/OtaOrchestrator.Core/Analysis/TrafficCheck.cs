using System.Globalization;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>Limits on what the router sees of the candidate, with a minimum of evidence. Counters are compared with those at the start of the step.</summary>
internal static class TrafficCheck
{
    /// <param name="threshold">Of the test against the baseline.</param>
    public static CheckResult Of(CheckPlan check, CheckEvidence? evidence, TrafficObservation? since, TrafficObservation now, double threshold)
    {
        if (evidence is not null && RatioCheck.Condemned(check, evidence, threshold) is { } condemned)
        {
            return condemned;
        }
        double e = evidence?.Test.Value() ?? 0;
        var candidate = Since(since, now, side => side.Candidate);
        long samplesMin = Math.Max(1, check.SamplesMin ?? 1);
        double errors = candidate.Rate();
        double errorsMax = check.ErrorsMax ?? 1;
        if (candidate.Requests == 0)
        {
            return Result(Verdict.NoData, "no request reached the candidate", 0, errorsMax);
        }
        // Bad evidence is not waited out: once there are more errors than the smallest sample may hold, good requests can't bring it below the limit.
        if (check.ErrorsMax is not null && candidate.Bad > errorsMax * Math.Max(candidate.Requests, samplesMin))
        {
            return Result(Verdict.Unhealthy, $"{candidate.Bad} of {candidate.Requests} requests failed, {Percent(errors)} (max {Percent(errorsMax)})", errors, errorsMax);
        }
        if (candidate.Requests < samplesMin)
        {
            return Result(Verdict.Inconclusive, $"{candidate.Requests} of {samplesMin} requests", errors, errorsMax);
        }
        if (check.P99MsMax is { } p99Max && Slow(p99Max) is { } slow)
        {
            return slow;
        }
        return evidence is not null ? RatioCheck.Of(check, evidence, since, now)
            : Result(Verdict.Healthy, $"{Percent(errors)} of {candidate.Requests} requests failed", errors, errorsMax);

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

        CheckResult Result(Verdict verdict, string text, double value, double limit) => new(check.Name, verdict, text, e, candidate.Requests, value, limit);
    }

    /// <summary>What the step still lacks; empty when it lacks nothing.</summary>
    public static string Missing(StepPlan step, TrafficObservation? since, TrafficObservation now)
    {
        long requests = Since(since, now, side => side.Candidate).Requests;
        return step.RequestsMin is { } min && requests < min ? $"{requests} of {min} requests" : "";
    }

    /// <summary>What a side has shown since an earlier reading. Counters of another instance started at zero.</summary>
    public static Tally Since(TrafficObservation? since, TrafficObservation now, Func<TrafficObservation, SideCounters> side, double? slowerThanMs = null) =>
        Tally.Of(side(now), slowerThanMs).Since(since is null || since.Instance != now.Instance ? default : Tally.Of(side(since), slowerThanMs)).Came;

    public static string Ms(double ms) => ms.ToString("0.#", CultureInfo.InvariantCulture) + " ms";

    public static string Percent(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
