namespace OtaOrchestrator.Agent.Mqtt;

/// <summary>Pauses that double, each drawn anew, so that devices which were cut off together do not come back together.</summary>
public sealed class Backoff(TimeSpan first, TimeSpan longest, TimeProvider time, Func<double>? draw = null)
{
    private readonly Func<double> _draw = draw ?? Random.Shared.NextDouble;
    private int _failures;

    public void Reset() => _failures = 0;

    /// <summary>The next pause: between half and the whole of the doubled one.</summary>
    public TimeSpan Next()
    {
        double whole = Math.Min(longest.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Min(_failures++, 30)));
        return TimeSpan.FromMilliseconds(whole * (0.5 + (_draw() / 2)));
    }

    public Task WaitAsync(CancellationToken cancellation) => Task.Delay(Next(), time, cancellation);
}
