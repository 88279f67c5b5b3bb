using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Many rollouts of one kind, each judged until it is aborted or its bake is over.</summary>
internal sealed record Trial
{
    public required double BaselineErrors { get; init; }
    public required double CandidateErrors { get; init; }
    public required double Share { get; init; }
    public required int RequestsPerSecond { get; init; }
    public required double RatioMax { get; init; }
    public required double FalseAbortMax { get; init; }
    public required TimeSpan Interval { get; init; }
    public required int Looks { get; init; }
    public required int Runs { get; init; }
    public required int SamplesMin { get; init; }
    public required int Seed { get; init; }

    /// <summary>As good as the limit demands: whoever aborts it is wrong.</summary>
    public bool WithinLimit => CandidateErrors <= BaselineErrors * RatioMax;

    public TrialResult Run(CancellationToken cancellation)
    {
        var conditions = new Conditions(Share, (long)Math.Max(1, Math.Round(RequestsPerSecond * Interval.TotalSeconds)), BaselineErrors, CandidateErrors);
        var rollout = new SimulatedRollout
        {
            Check = new CheckPlan { Name = "errors", Source = CheckSources.Router, Against = "baseline", RatioMax = RatioMax, SamplesMin = SamplesMin },
            FalseAbortMax = FalseAbortMax,
            At = _ => conditions,
        };
        var abortedAt = new int[Looks + 1];
        List<long> errors = [];
        int promoted = 0;
        // Far apart, so that neighbouring seeds share no runs.
        ulong first = (ulong)Seed << 32;
        for (int run = 0; run < Runs; run++)
        {
            cancellation.ThrowIfCancellationRequested();
            var last = Last(rollout.Run(first + (ulong)run));
            if (last.Judgement.Verdict == Verdict.Unhealthy)
            {
                abortedAt[last.Number]++;
                errors.Add(last.Seen.Candidate.Errors);
            }
            promoted += last.Judgement.Verdict == Verdict.Healthy ? 1 : 0;
        }
        errors.Sort();
        int aborted = 0;
        double[] curve = [.. abortedAt.Select(count => (double)(aborted += count) / Runs)];
        return new TrialResult(
            Runs, Looks, Seed, WithinLimit, (double)aborted / Runs, (double)promoted / Runs, (double)(Runs - aborted - promoted) / Runs,
            SecondsTo(0.5, abortedAt, aborted), SecondsTo(0.9, abortedAt, aborted), At(0.5, errors), At(0.9, errors), curve);
    }

    private SimulatedLook Last(IEnumerable<SimulatedLook> looks)
    {
        SimulatedLook last = default;
        foreach (var look in looks)
        {
            last = look;
            if (look.Number == Looks || look.Judgement.Verdict == Verdict.Unhealthy)
            {
                break;
            }
        }
        return last;
    }

    /// <summary>Of the runs that were aborted, when that part of them had been.</summary>
    private double? SecondsTo(double part, int[] abortedAt, int aborted)
    {
        int so = 0;
        for (int look = 0; aborted > 0 && look < abortedAt.Length; look++)
        {
            so += abortedAt[look];
            if (so >= part * aborted)
            {
                return look * Interval.TotalSeconds;
            }
        }
        return null;
    }

    private static long? At(double part, List<long> sorted) => sorted.Count == 0 ? null : sorted[Math.Min(sorted.Count - 1, (int)(part * sorted.Count))];
}

/// <param name="Aborted">Share of the runs, 0 to 1.</param>
/// <param name="Promoted">Healthy when the bake was over.</param>
/// <param name="Held">Neither: over the limit and not proven, or too little to tell.</param>
/// <param name="MedianSeconds">Until the abort, of the runs that were aborted; null when none was.</param>
/// <param name="MedianErrors">Candidate errors until then: what users saw.</param>
/// <param name="AbortedByLook">Cumulative, from the start: share of all runs.</param>
internal sealed record TrialResult(
    int Runs, int Looks, int Seed, bool WithinLimit, double Aborted, double Promoted, double Held,
    double? MedianSeconds, double? P90Seconds, long? MedianErrors, long? P90Errors, IReadOnlyList<double> AbortedByLook);
