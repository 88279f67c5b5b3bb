using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>Requests of one side, and how many of them count against it: failed, or slower than the stable 99th percentile.</summary>
public readonly record struct Tally(long Requests, long Bad)
{
    public double Rate() => Requests == 0 ? 0 : (double)Bad / Requests;

    /// <summary>What a side's counters say, whatever nonsense they contain: never negative, never more bad than there are.</summary>
    /// <param name="slowerThanMs">Counts slow requests instead of failed ones.</param>
    public static Tally Of(SideCounters side, double? slowerThanMs)
    {
        long requests = Math.Max(0, side.Requests);
        if (slowerThanMs is not { } bound)
        {
            return new Tally(requests, Math.Clamp(side.Errors, 0, requests));
        }
        long within = 0;
        foreach (var count in side.Latency)
        {
            // Counts are read after requests, so either may be ahead.
            requests = Math.Max(requests, count.Requests);
            within = count.UpToMs <= bound ? Math.Max(within, count.Requests) : within;
        }
        return new Tally(requests, requests - within);
    }

    /// <summary>
    /// What came since an earlier reading of the same counters, and what has been counted with it. A counter that went back comes to nothing until it has caught up,
    /// and bad requests that are ahead of their requests wait for the next reading: nothing is ever counted twice.
    /// </summary>
    public (Tally Came, Tally Seen) Since(Tally before)
    {
        long requests = Math.Max(0, Requests - before.Requests);
        long bad = Math.Clamp(Bad - before.Bad, 0, requests);
        return (new Tally(requests, bad), new Tally(before.Requests + requests, before.Bad + bad));
    }

    public static Tally operator +(Tally one, Tally other) => new(Sum(one.Requests, other.Requests), Sum(one.Bad, other.Bad));

    public static Tally Add(Tally left, Tally right) => left + right;

    // Both are at least 0; at the end of the range the sum stays there.
    private static long Sum(long one, long other) => one > long.MaxValue - other ? long.MaxValue : one + other;
}
