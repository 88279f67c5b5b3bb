using System.Collections.Concurrent;
using System.Diagnostics;

namespace OtaOrchestrator.Benchmarks.Routers;

/// <summary>Requests to a proxy: as many as it takes, or at a constant rate.</summary>
internal static class ProxyLoad
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    /// <returns>Answers per second with so many clients that never pause.</returns>
    public static async Task<double> MaximumAsync(HttpClient client, Uri url, int clients, TimeSpan span)
    {
        long answered = 0;
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(began) < span)
            {
                await AskAsync(client, url);
                Interlocked.Increment(ref answered);
            }
        })));
        return answered / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <returns>The 99th percentile in ms, from when a request was due, so that a stall is seen by all that were due in it.</returns>
    public static async Task<double> P99Async(HttpClient client, Uri url, int ratePerSecond, TimeSpan span)
    {
        var latencies = new ConcurrentBag<double>();
        List<Task> requests = [];
        long began = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        for (long sent = 0; Stopwatch.GetElapsedTime(began) < span;)
        {
            await timer.WaitForNextTickAsync();
            for (long due = (long)(Stopwatch.GetElapsedTime(began).TotalSeconds * ratePerSecond); sent < due; sent++)
            {
                var at = TimeSpan.FromSeconds((double)sent / ratePerSecond);
                requests.Add(Task.Run(async () =>
                {
                    await AskAsync(client, url);
                    latencies.Add((Stopwatch.GetElapsedTime(began) - at).TotalMilliseconds);
                }));
            }
        }
        // One that failed fails the measurement: a figure without it would be another's.
        await Task.WhenAll(requests);
        double[] sorted = [.. latencies.Order()];
        return sorted[(int)(sorted.Length * 0.99)];
    }

    private static async Task AskAsync(HttpClient client, Uri url)
    {
        using var response = await client.GetAsync(url);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
    }
}
