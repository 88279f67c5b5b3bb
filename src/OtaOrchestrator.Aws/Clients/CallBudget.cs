namespace OtaOrchestrator.Aws.Clients;

/// <summary>Lets calls go at a rate, in the order in which they came; a second's worth may go at once.</summary>
internal sealed class CallBudget(double perSecond, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly double _most = Math.Max(1, perSecond);
    private double _left = Math.Max(1, perSecond);
    private long _counted = time.GetTimestamp();

    public async Task TakeAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            while (true)
            {
                long now = time.GetTimestamp();
                _left = Math.Min(_most, _left + (time.GetElapsedTime(_counted, now).TotalSeconds * perSecond));
                _counted = now;
                if (_left >= 1)
                {
                    _left--;
                    return;
                }

                await Task.Delay(TimeSpan.FromSeconds((1 - _left) / perSecond), time, cancellation);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
