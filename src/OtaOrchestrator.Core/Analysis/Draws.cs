namespace OtaOrchestrator.Core.Analysis;

/// <summary>Random numbers that are the same for the same seed, on every machine and in every version (SplitMix64).</summary>
public sealed class Draws(ulong seed)
{
    private const ulong Golden = 0x9E3779B97F4A7C15;
    private ulong _state = seed;

    /// <summary>More than 0, less than 1.</summary>
    public double Next()
    {
        ulong z = _state += Golden;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return ((z >> 11) + 0.5) / (1UL << 53);
    }

    /// <summary>Successes among that many trials. Exact, going from success to success, up to a variance of 1000; beyond it a rounded normal draw is as good.</summary>
    public long Successes(long trials, double chance)
    {
        if (trials <= 0 || chance is not > 0)
        {
            return 0;
        }
        if (chance >= 1)
        {
            return trials;
        }
        if (chance > 0.5)
        {
            return trials - Successes(trials, 1 - chance);
        }
        double mean = trials * chance;
        if (mean * (1 - chance) > 1000)
        {
            double normal = Math.Sqrt(-2 * Math.Log(Next())) * Math.Cos(2 * Math.PI * Next());
            return Math.Clamp((long)Math.Round(mean + (normal * Math.Sqrt(mean * (1 - chance)))), 0, trials);
        }
        // Of a very small chance 1 - chance keeps too few digits, and at last none.
        double perSkip = chance > 1e-8 ? Math.Log(1 - chance) : -chance;
        long successes = 0;
        for (double at = Skip(); at <= trials; at += Skip())
        {
            successes++;
        }
        return successes;

        double Skip() => Math.Floor(Math.Log(Next()) / perSkip) + 1;
    }
}
