namespace OtaOrchestrator.Router.Statistics;

/// <summary>
/// Counts of latencies in fixed buckets: bound k is 0.5 ms · 2^(k/4), k = 0 … 68, so 0.5 ms to 65.5 s, each 19 % above the one before; the last bucket,
/// bounded by an hour, takes the rest. Fixed, so that two readings can be subtracted from each other.
/// </summary>
internal sealed class LatencyHistogram
{
    public static readonly IReadOnlyList<double> BoundsMs = [.. Enumerable.Range(0, 69).Select(k => 0.5 * Math.Pow(2, k / 4.0)), 3_600_000];

    private readonly long[] _counts = new long[BoundsMs.Count];

    public void Add(TimeSpan latency) => Interlocked.Increment(ref _counts[Bucket(latency.TotalMilliseconds)]);

    /// <summary>For each bound the number of latencies at or below it.</summary>
    public IReadOnlyList<LatencyCount> Read()
    {
        var cumulative = new LatencyCount[_counts.Length];
        long sum = 0;
        for (int k = 0; k < _counts.Length; k++)
        {
            sum += Volatile.Read(ref _counts[k]);
            cumulative[k] = new(Math.Round(BoundsMs[k], 3), sum);
        }
        return cumulative;
    }

    internal static int Bucket(double ms)
    {
        int k = ms <= 0.5 ? 0 : (int)Math.Ceiling(Math.Log2(ms / 0.5) * 4 - 1e-9);
        return Math.Min(k, BoundsMs.Count - 1);
    }
}

/// <param name="UpToMs">Upper bound, milliseconds.</param>
/// <param name="Requests">Requests that took as long or less.</param>
internal readonly record struct LatencyCount(double UpToMs, long Requests);
