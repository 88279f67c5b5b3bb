using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>Percentiles of what a router counted between two readings.</summary>
internal static class LatencyCounts
{
    /// <summary>
    /// The candidate's percentile, interpolated within its bucket; <c>Open</c> when it lies above the largest bound, which is then given. Null without counts.
    /// </summary>
    public static (double UpToMs, bool Open)? Percentile(TrafficObservation? since, TrafficObservation now, long requests, double part)
    {
        var before = since is not null && since.Instance == now.Instance ? since.Candidate.Latency.ToDictionary(count => count.UpToMs, count => count.Requests) : [];
        var counts = now.Candidate.Latency
            .Select(count => (count.UpToMs, Requests: Math.Max(0, count.Requests - before.GetValueOrDefault(count.UpToMs))))
            .OrderBy(count => count.UpToMs).ToList();
        if (counts.Count == 0 || Math.Max(requests, counts[^1].Requests) == 0)
        {
            return null;
        }
        // Counts are read after requests, so either may be ahead.
        double target = part * Math.Max(requests, counts[^1].Requests);
        var below = (UpToMs: 0.0, Requests: 0L);
        foreach (var count in counts)
        {
            if (count.Requests >= target)
            {
                double within = count.Requests == below.Requests ? 1 : (target - below.Requests) / (count.Requests - below.Requests);
                return (below.UpToMs + (within * (count.UpToMs - below.UpToMs)), false);
            }
            below = count;
        }
        return (below.UpToMs, true);
    }
}
