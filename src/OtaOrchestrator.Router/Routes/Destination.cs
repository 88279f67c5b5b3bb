namespace OtaOrchestrator.Router.Routes;

internal enum HealthState { Unknown, Healthy, Unhealthy }

internal enum DestinationState { Active, Draining, Removed }

/// <summary>
/// One address of one release. A request enters before it is sent and leaves after its last byte; once closed nobody enters,
/// and it is removed when the last one has left. So there is no moment in which a request is on its way to a destination that counts as drained.
/// </summary>
internal sealed class Destination(string release, string address, HttpMessageInvoker client)
{
    // The sign bit says closed, the rest counts the requests inside.
    private const long Closed = long.MinValue;
    private long _gate;
    private volatile HealthReading _health = new(HealthState.Unknown, null);

    public string Release { get; } = release;
    public string Address { get; } = address;
    public HttpMessageInvoker Client { get; } = client;
    public HealthReading Health => _health;

    /// <summary>When the route stopped using it; a timestamp.</summary>
    public long? ClosedAt { get; set; }

    public bool OverdueTold { get; set; }
    public long ConcurrentRequests => Volatile.Read(ref _gate) & long.MaxValue;

    public DestinationState State => Volatile.Read(ref _gate) switch
    {
        >= 0 => DestinationState.Active,
        Closed => DestinationState.Removed,
        _ => DestinationState.Draining,
    };

    public bool TryEnter()
    {
        long seen = Volatile.Read(ref _gate);
        while (seen >= 0)
        {
            long now = Interlocked.CompareExchange(ref _gate, seen + 1, seen);
            if (now == seen)
            {
                return true;
            }
            seen = now;
        }
        return false;
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _gate) == Closed)
        {
            Client.Dispose();
        }
    }

    public void Close()
    {
        if (Interlocked.Or(ref _gate, Closed) == 0)
        {
            Client.Dispose();
        }
    }

    public void Report(HealthState state, string? problem) => _health = new(state, problem);
}

/// <param name="Problem">Why it is unhealthy, in words without internals.</param>
internal sealed record HealthReading(HealthState State, string? Problem);
