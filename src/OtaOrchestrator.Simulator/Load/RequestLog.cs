using System.Globalization;

namespace OtaOrchestrator.Simulator.Load;

/// <summary>One line for each request that has ended: when it was sent (Unix, ms), how long it took (ms), how it ended. For whoever wants to know what happened when.</summary>
internal sealed class RequestLog(string file, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _lines = new(file, append: false);

    public void Answered(string version, TimeSpan took) => Write(took, "answered " + version);

    public void OnPurpose(string version, TimeSpan took) => Write(took, "on-purpose " + version);

    public void Failed(string cause, TimeSpan took) => Write(took, "failed " + cause);

    public void Dispose()
    {
        lock (_lock)
        {
            _lines.Dispose();
        }
    }

    private void Write(TimeSpan took, string ending)
    {
        long sent = (time.GetUtcNow() - took).ToUnixTimeMilliseconds();
        lock (_lock)
        {
            _lines.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sent} {took.TotalMilliseconds:0.0} {ending}"));
        }
    }
}
