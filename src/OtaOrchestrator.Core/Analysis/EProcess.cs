namespace OtaOrchestrator.Core.Analysis;

/// <summary>
/// A sequential test of a failure rate against a limit. Its value may be looked at any time: under a rate at or below the limit the probability that it ever
/// reaches 1/α is at most α (Ville's inequality). A mixture over worse rates spaced evenly in the logarithm, so that no effect size need be known beforehand.
/// </summary>
public static class EProcess
{
    internal const int Mixture = 24;

    /// <summary>The worst ratio of rates that the mixture reaches.</summary>
    public const double RatioMax = 20;

    /// <summary>The value after <paramref name="failures"/> of <paramref name="resolved"/> outcomes, entered in the order in which the devices started.</summary>
    /// <param name="limit">The allowed failure rate, 0 to 1, exclusive.</param>
    public static double Of(long failures, long resolved, double limit)
    {
        if (resolved <= 0 || limit is <= 0 or >= 1)
        {
            return 1;
        }
        double worst = Math.Min(0.99, limit * RatioMax);
        if (worst <= limit)
        {
            worst = (1 + limit) / 2;
        }
        double step = Math.Log(worst / limit) / Mixture;
        double sum = 0;
        for (int k = 1; k <= Mixture; k++)
        {
            double rate = limit * Math.Exp(step * k);
            double log = (failures * Math.Log(rate / limit)) + ((resolved - failures) * Math.Log((1 - rate) / (1 - limit)));
            // Far beyond any threshold, and finite, so that it can be stored as JSON.
            sum += Math.Exp(Math.Min(log, 600));
        }
        return sum / Mixture;
    }

    /// <summary>Failures of which none in that many outcomes is needed to bound the rate below the limit with 99 % confidence: 228 for 2 %.</summary>
    public static long SamplesToBound(double limit) => (long)Math.Ceiling(Math.Log(0.01) / Math.Log(1 - limit));

    /// <summary>The rate below which no failure in that many outcomes leaves it with 99 % confidence: 0.37 for 10.</summary>
    public static double BoundWithoutFailure(long samples) => 1 - Math.Pow(0.01, 1.0 / samples);
}
