using System.Collections.Concurrent;
using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.Statistics;

/// <summary>Counters of one route since the router started, per side and release. They survive every change of the route.</summary>
internal sealed class RouteStatistics
{
    // Far more than can be in use at once; the oldest that is not in use makes room, so that years of releases don't pile up.
    private const int SidesMax = 48;
    private readonly ConcurrentDictionary<(Side, string), SideStatistics> _sides = new();
    private long _created;

    public SideStatistics For(Side side, string release) =>
        _sides.TryGetValue((side, release), out var found) ? found : _sides.GetOrAdd((side, release), _ => new SideStatistics(side, release, Interlocked.Increment(ref _created)));

    public IReadOnlyList<SideStatistics> Read() => [.. _sides.Values.OrderBy(side => side.Order)];

    public void Forget(IReadOnlySet<string> releasesInUse)
    {
        int surplus = _sides.Count - SidesMax;
        if (surplus <= 0)
        {
            return;
        }
        foreach (var side in Read().Where(side => !releasesInUse.Contains(side.Release)).Take(surplus))
        {
            _sides.TryRemove((side.Side, side.Release), out _);
        }
    }
}

internal sealed class SideStatistics(Side side, string release, long order)
{
    private long _requests;
    private long _errors;
    private long _clientAborts;
    private long _redistributed;

    public Side Side { get; } = side;
    public string Release { get; } = release;
    public long Order { get; } = order;
    public LatencyHistogram Latency { get; } = new();

    // Requests are counted before and read after errors, so a reading never shows more errors than requests.
    public long Errors => Volatile.Read(ref _errors);
    public long Requests => Volatile.Read(ref _requests);
    public long ClientAborts => Volatile.Read(ref _clientAborts);
    public long Redistributed => Volatile.Read(ref _redistributed);

    public void Completed(bool error, TimeSpan latency)
    {
        Interlocked.Increment(ref _requests);
        if (error)
        {
            Interlocked.Increment(ref _errors);
        }
        Latency.Add(latency);
    }

    public void Aborted() => Interlocked.Increment(ref _clientAborts);

    public void SentElsewhere() => Interlocked.Increment(ref _redistributed);
}
