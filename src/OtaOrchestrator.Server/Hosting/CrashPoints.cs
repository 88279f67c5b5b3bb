using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace OtaOrchestrator.Server.Hosting;

/// <summary>Ends the process at a chosen point as a power cut would, without a chance to tidy up. Only when it is asked for on the command line.</summary>
internal sealed class CrashPoints(string? crashAt, string? file)
{
    private readonly ConcurrentDictionary<string, int> _passed = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public static Action<string>? Of(ServerOptions options) => options.CrashAt is null && options.Points is null ? null : new CrashPoints(options.CrashAt, options.Points).Pass;

    private void Pass(string point)
    {
        int count = _passed.AddOrUpdate(point, 1, (_, before) => before + 1);
        var passed = string.Create(CultureInfo.InvariantCulture, $"{point}:{count}");
        if (file is not null)
        {
            lock (_gate)
            {
                File.AppendAllText(file, passed + "\n");
            }
        }
        if (passed == crashAt)
        {
            using var self = Process.GetCurrentProcess();
            self.Kill();
            self.WaitForExit();
        }
    }
}
