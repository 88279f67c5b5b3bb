using System.Collections.Concurrent;
using System.Text.Json.Serialization;

namespace OtaOrchestrator.Simulator.Load;

/// <summary>How the requests ended.</summary>
internal sealed class LoadTally(double rate, RequestLog? log = null)
{
    // Tenths of a millisecond up to a second, then milliseconds: exact enough for a percentile, small enough to keep.
    private readonly long[] _latency = new long[10_000 + 60_000];
    private readonly ConcurrentDictionary<string, long> _versions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _failures = new(StringComparer.Ordinal);
    private long _requests;
    private long _failed;
    private long _onPurpose;
    private long _inFlight;
    private long _maxTenths;

    public long InFlight => Volatile.Read(ref _inFlight);

    public void Sent() => Interlocked.Increment(ref _inFlight);

    public void Answered(string version, TimeSpan latency)
    {
        log?.Answered(version, latency);
        _versions.AddOrUpdate(version, 1, (_, count) => count + 1);
        Ended(latency);
    }

    /// <param name="cause">One of few: <c>status 503</c>, <c>timeout</c>, <c>transport ConnectionError</c>.</param>
    public void Failed(string cause, TimeSpan latency)
    {
        log?.Failed(cause, latency);
        CountFailure(cause);
        Ended(latency);
    }

    /// <summary>A failure that the back end was told to show: it says so itself.</summary>
    public void FailedOnPurpose(string cause, string version, TimeSpan latency)
    {
        log?.OnPurpose(version, latency);
        CountFailure(cause);
        Interlocked.Increment(ref _onPurpose);
        Ended(latency);
    }

    public LoadReport Read(TimeSpan elapsed, bool complete)
    {
        // What is a part of something else first, so that a report never has more of it than of that.
        long onPurpose = Volatile.Read(ref _onPurpose);
        long failed = Volatile.Read(ref _failed);
        return new(
            complete, Math.Round(elapsed.TotalSeconds, 3), rate, Volatile.Read(ref _requests), failed, onPurpose, InFlight,
            new SortedDictionary<string, long>(_versions, StringComparer.Ordinal), new SortedDictionary<string, long>(_failures, StringComparer.Ordinal), Latency());
    }

    private LatencySummary Latency()
    {
        long[] counts = [.. _latency];
        long total = counts.Sum();
        return new(At(0.5), At(0.99), Volatile.Read(ref _maxTenths) / 10.0);

        double At(double share)
        {
            long wanted = (long)Math.Ceiling(total * share);
            long seen = 0;
            for (int i = 0; i < counts.Length && total > 0; i++)
            {
                seen += counts[i];
                if (seen >= wanted)
                {
                    return i < 10_000 ? (i + 1) / 10.0 : i - 10_000 + 1_001;
                }
            }
            return 0;
        }
    }

    private void CountFailure(string cause)
    {
        _failures.AddOrUpdate(cause, 1, (_, count) => count + 1);
        Interlocked.Increment(ref _failed);
    }

    private void Ended(TimeSpan latency)
    {
        long tenths = (long)(latency.TotalMilliseconds * 10);
        long index = tenths < 10_000 ? tenths : Math.Min(10_000 + tenths / 10 - 1_000, _latency.Length - 1);
        Interlocked.Increment(ref _latency[Math.Max(0, index)]);
        long max = Volatile.Read(ref _maxTenths);
        while (tenths > max)
        {
            max = Interlocked.CompareExchange(ref _maxTenths, tenths, max) is var seen && seen == max ? tenths : seen;
        }
        Interlocked.Increment(ref _requests);
        Interlocked.Decrement(ref _inFlight);
    }
}

/// <summary>What <c>ota-sim load</c> reports. Requests that are still under way are in neither count.</summary>
/// <param name="Complete">The last report: nothing is under way any more.</param>
/// <param name="Failed">Of the requests: any answer but 2xx, a timeout, a broken connection.</param>
/// <param name="OnPurpose">Of the failed: those whose answer says that it was meant to fail.</param>
/// <param name="Versions">Answers by the version that gave them.</param>
internal sealed record LoadReport(
    [property: JsonPropertyName("complete")] bool Complete,
    [property: JsonPropertyName("elapsedSeconds")] double ElapsedSeconds,
    [property: JsonPropertyName("rate")] double Rate,
    [property: JsonPropertyName("requests")] long Requests,
    [property: JsonPropertyName("failed")] long Failed,
    [property: JsonPropertyName("onPurpose")] long OnPurpose,
    [property: JsonPropertyName("inFlight")] long InFlight,
    [property: JsonPropertyName("versions")] IReadOnlyDictionary<string, long> Versions,
    [property: JsonPropertyName("failures")] IReadOnlyDictionary<string, long> Failures,
    [property: JsonPropertyName("latencyMs")] LatencySummary LatencyMs);

internal readonly record struct LatencySummary(
    [property: JsonPropertyName("p50")] double P50,
    [property: JsonPropertyName("p99")] double P99,
    [property: JsonPropertyName("max")] double Max);
