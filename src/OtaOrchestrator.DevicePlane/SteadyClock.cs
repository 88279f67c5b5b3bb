namespace OtaOrchestrator.DevicePlane;

/// <summary>
/// Two readings of time. <see cref="WallNow"/> is what people see. <see cref="SteadyMs"/> starts at the wall clock and then only
/// follows the monotonic counter, so that durations and link lives don't end when somebody sets the clock.
/// </summary>
internal sealed class SteadyClock(TimeProvider time)
{
    private readonly long _originMs = time.GetUtcNow().ToUnixTimeMilliseconds();
    private readonly long _originStamp = time.GetTimestamp();

    public TimeProvider Time { get; } = time;

    public DateTimeOffset WallNow => Time.GetUtcNow();

    public long WallMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public long WallSeconds => Time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Milliseconds since the epoch, as if the clock had never been set since this process started.</summary>
    public long SteadyMs => _originMs + (long)Time.GetElapsedTime(_originStamp).TotalMilliseconds;
}
