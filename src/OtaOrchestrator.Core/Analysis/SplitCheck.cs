using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>
/// Is the configured share what happens? A split that does not happen makes every comparison of its sides worthless. Not a chi-square: looked at a hundred times that
/// raises its false alarms tenfold. An e-process over wrong shares keeps them below <see cref="FalseAlarmMax"/> however often it is looked at.
/// </summary>
internal static class SplitCheck
{
    public const string Name = "split";
    public const double FalseAlarmMax = 0.001;

    /// <summary>Deviations below this, relative to the share, harm nobody however certain they are.</summary>
    private const double Tolerated = 0.1;

    private static readonly double[] Parts = [0.01, 0.1, 0.25, 0.5, 0.7, 0.8, 0.85, 0.9];

    /// <summary>Null when the split is as configured, or when there is no split: at 0 and 100 %, and where clients stay on the side that they were given.</summary>
    public static CheckResult? Of(Look look, TrafficObservation now)
    {
        if (look.Step is not { Share: > 0 and < 1, Group: null } || look.Step.Share is not { } share || look.Lane.StickyFor is not null || look.Since is not TrafficObservation since)
        {
            return null;
        }
        long candidate = TrafficCheck.Since(since, now, side => side.Candidate).Requests;
        long baseline = TrafficCheck.Since(since, now, side => side.Baseline).Requests;
        double all = (double)candidate + baseline;
        if (all == 0 || Math.Abs((candidate / all) - share) <= Tolerated * share)
        {
            return null;
        }
        double value = Value(candidate, baseline, share);
        return value < 1 / FalseAlarmMax ? null : new CheckResult(
            Name, Verdict.Inconclusive, $"{TrafficCheck.Percent(candidate / all)} of {all:0} requests reached the candidate, {TrafficCheck.Percent(share)} should", value, (long)Math.Min(all, long.MaxValue / 2), candidate / all, share);
    }

    /// <summary>A mixture over shares that are too small and, mirrored, too large.</summary>
    internal static double Value(long candidate, long baseline, double share)
    {
        double sum = 0;
        foreach (double part in Parts)
        {
            double small = share * part;
            double large = Math.Min(1 - ((1 - share) * 0.01), share / part);
            foreach (double other in (ReadOnlySpan<double>)[small, large])
            {
                double log = (candidate * Math.Log(other / share)) + (baseline * Math.Log((1 - other) / (1 - share)));
                sum += Math.Exp(Math.Min(log, 600));
            }
        }
        return sum / Parts.Length / 2;
    }
}
