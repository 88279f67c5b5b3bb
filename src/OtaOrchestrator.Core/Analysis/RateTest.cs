namespace OtaOrchestrator.Core.Analysis;

/// <summary>
/// The sequential test of a candidate's rate against a baseline's: an e-process over intervals, to be looked at any time. While the candidate's rate is at most
/// <c>limit</c> times the baseline's, the probability that <see cref="Value"/> ever reaches 1/α is at most α (Ville's inequality).
/// <list type="bullet">
/// <item>A mixture over ratios of rates, spaced evenly in the logarithm between the limit and <see cref="EProcess.RatioMax"/>: no effect size need be known.</item>
/// <item>A mixture over the interval in which it begins to bet: most of the stake at once, the rest bit by bit later. What began well and falls ill at 25 % would else
/// have to make up for all its good hours first. A mixture of such processes is one itself, so this costs some evidence at the start and nothing in false alarms.</item>
/// </list>
/// </summary>
public sealed record RateTest
{
    /// <summary>Part of the budget that pays for not knowing the baseline's rate exactly when nothing runs beside the candidate.</summary>
    public const double BoundPart = 0.1;

    private const double StakeAtOnce = 0.8;

    public static readonly RateTest Begun = new();

    /// <summary>Intervals that told something.</summary>
    public long Intervals { get; init; }

    /// <summary>For each ratio the logarithm of its part of the value; empty before the first interval.</summary>
    public IReadOnlyList<double> Logs { get; init; } = [];

    /// <summary>A baseline that is only known from before was used, and <see cref="BoundPart"/> paid.</summary>
    public bool Bounded { get; init; }

    /// <summary>Finite, so that it can be stored as JSON.</summary>
    public double Value()
    {
        double sum = Intervals == 0 ? 1 : (1 - StakeAtOnce) / Intervals;
        foreach (double log in Logs)
        {
            sum += Math.Exp(Math.Min(log, 600));
        }
        return Bounded ? sum * (1 - BoundPart) : sum;
    }

    /// <summary>
    /// An interval in which both sides ran. Given a bad request, the chance that it was the candidate's depends on nothing but the split and the ratio of rates:
    /// load and trouble that both sides share cancel.
    /// </summary>
    public RateTest Beside(Tally candidate, Tally baseline, double limit)
    {
        double bad = (double)candidate.Bad + baseline.Bad;
        if (bad == 0)
        {
            return this;
        }
        return Enter(limit, (ratio, over) => (candidate.Bad * Math.Log(over)) - (bad * Math.Log(((ratio * candidate.Requests) + baseline.Requests) / ((limit * candidate.Requests) + baseline.Requests))));
    }

    /// <summary>An interval of the candidate alone, against a rate that the baseline does not exceed.</summary>
    public RateTest Alone(Tally candidate, double rate, double limit)
    {
        double allowed = rate * limit;
        if (candidate.Requests == 0 || allowed is not (> 0 and < RateMax))
        {
            return this;
        }
        return (this with { Bounded = true }).Enter(limit, (ratio, _) =>
        {
            double worse = Math.Min(RateMax, rate * ratio);
            return (candidate.Bad * Math.Log(worse / allowed)) + ((candidate.Requests - candidate.Bad) * Math.Log((1 - worse) / (1 - allowed)));
        });
    }

    private const double RateMax = 0.99;

    /// <param name="gain">Of a ratio, and of that ratio over the limit: the logarithm of what a stake on it grows by.</param>
    private RateTest Enter(double limit, Func<double, double, double> gain)
    {
        double step = Math.Log(EProcess.RatioMax / limit) / EProcess.Mixture;
        double stake = Intervals == 0 ? StakeAtOnce : (1 - StakeAtOnce) / Intervals / (Intervals + 1);
        double fresh = Math.Log(stake / EProcess.Mixture);
        var logs = new double[EProcess.Mixture];
        for (int k = 0; k < EProcess.Mixture; k++)
        {
            double over = Math.Exp(step * (k + 1));
            logs[k] = (Logs.Count == 0 ? fresh : SumOfLogs(Logs[k], fresh)) + gain(limit * over, over);
        }
        return this with { Intervals = Intervals + 1, Logs = logs };
    }

    private static double SumOfLogs(double one, double other)
    {
        double most = Math.Max(one, other);
        return most + Math.Log(1 + Math.Exp(Math.Min(one, other) - most));
    }
}
