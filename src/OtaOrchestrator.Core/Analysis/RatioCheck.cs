using System.Globalization;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>
/// The candidate against the baseline that runs beside it, or against what was known of it when nothing runs beside any more. Condemns by the evidence of all looks;
/// acquits by what the step has shown.
/// </summary>
internal static class RatioCheck
{
    /// <summary>Bad requests below which a ratio says nothing, whatever the baseline.</summary>
    private const int BadMin = 5;

    /// <summary>Standard errors by which the candidate must look worse than the baseline before its ratio keeps it from being acquitted: one good candidate in ten does at a look.</summary>
    private const double WorseBy = 1.28;

    /// <summary>Null when the test has not crossed its threshold.</summary>
    public static CheckResult? Condemned(CheckPlan check, CheckEvidence evidence, double threshold)
    {
        double value = evidence.Test.Value();
        if (value < threshold || !evidence.Knows(check))
        {
            return null;
        }
        var (candidate, baseline) = (evidence.Candidate, evidence.Baseline);
        string text = $"{Sides(check, evidence, candidate, baseline)}: E {Whole(value)} >= {Whole(threshold)}";
        return new CheckResult(check.Name, Verdict.Unhealthy, text, value, candidate.Requests, Ratio(candidate, baseline), check.RatioMax ?? 0);
    }

    /// <summary>What the step has shown; asked once there are requests enough.</summary>
    public static CheckResult Of(CheckPlan check, CheckEvidence evidence, TrafficObservation? since, TrafficObservation now)
    {
        var candidate = TrafficCheck.Since(since, now, side => side.Candidate, evidence.SlowMs);
        long samplesMin = Math.Max(1, check.SamplesMin ?? 1);
        double limit = check.RatioMax ?? 0;
        double value = evidence.Test.Value();
        if (!evidence.Knows(check))
        {
            string lacks = evidence.Baseline.Requests < samplesMin ? $"the baseline has {evidence.Baseline.Requests} of {samplesMin} requests to compare with"
                : "the baseline's 99th percentile lies above the largest bound that is counted";
            return new CheckResult(check.Name, Verdict.Inconclusive, lacks, value, candidate.Requests, 0, limit);
        }
        var beside = TrafficCheck.Since(since, now, side => side.Baseline, evidence.SlowMs);
        var baseline = beside.Requests >= samplesMin ? beside : evidence.Baseline;
        double ratio = Ratio(candidate, baseline);
        string text = Sides(check, evidence, candidate, baseline);
        bool over = candidate.Bad >= BadMin && ratio > limit && Worse(candidate, baseline);
        return over
            ? new CheckResult(check.Name, Verdict.Inconclusive, $"{text}: {ratio.ToString("0.##", CultureInfo.InvariantCulture)} times (max {limit.ToString(CultureInfo.InvariantCulture)}), not proven", value, candidate.Requests, ratio, limit)
            : new CheckResult(check.Name, Verdict.Healthy, text, value, candidate.Requests, ratio, limit);
    }

    // One error stands in for none, so that a spotless baseline neither passes everything nor makes the first failure infinitely bad.
    private static double Ratio(Tally candidate, Tally baseline) => candidate.Rate() * baseline.Requests / Math.Max(1, baseline.Bad);

    private static bool Worse(Tally candidate, Tally baseline) =>
        Math.Log(Ratio(candidate, baseline)) > WorseBy * Math.Sqrt((1.0 / candidate.Bad) + (1.0 / Math.Max(1, baseline.Bad)));

    private static string Sides(CheckPlan check, CheckEvidence evidence, Tally candidate, Tally baseline)
    {
        string what = check.Metric == "latency" ? $"took longer than {TrafficCheck.Ms(evidence.SlowMs ?? 0)}" : "failed";
        return $"{TrafficCheck.Percent(candidate.Rate())} of {candidate.Requests} requests {what}, baseline {TrafficCheck.Percent(baseline.Rate())} of {baseline.Requests}";
    }

    private static string Whole(double value) => value.ToString(value < 1e6 ? "0" : "0e0", CultureInfo.InvariantCulture);
}
