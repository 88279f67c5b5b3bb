using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using OtaOrchestrator.Cli.Programs;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>The other side of <see cref="Guard"/>; not for people.</summary>
internal static class GuardCommand
{
    public const string Name = "guard-programs";

    private const int ProgramsMax = 100;

    public static Command Create(CliHost host) => new Command(Name, "Ends programs when the one that started them is gone.") { Hidden = true }.Does(host, async session =>
    {
        // Ctrl-C reaches the whole terminal group; the guard stays until its input closes.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
        var watched = new Dictionary<int, DateTime>();
        while (await host.In.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (line == "let-be")
            {
                return ExitCode.Ok;
            }
            var words = line.Split(' ');
            if (words.Length == 2 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                if (words[0] == "watch" && watched.Count < ProgramsMax && StartTime(pid) is { } start)
                {
                    watched[pid] = start;
                }
                else if (words[0] == "forget")
                {
                    watched.Remove(pid);
                }
            }
        }
        foreach (var pid in StillThere(watched))
        {
            Signal.SendTerminate(pid);
        }
        var asked = host.Time.GetTimestamp();
        while (StillThere(watched).Any() && host.Time.GetElapsedTime(asked) < TimeSpan.FromSeconds(3))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), host.Time, CancellationToken.None);
        }
        foreach (var pid in StillThere(watched))
        {
            Signal.SendKill(pid);
        }
        return ExitCode.Ok;
    });

    // An id that was given to another process meanwhile has another start time.
    private static IEnumerable<int> StillThere(Dictionary<int, DateTime> watched) => [.. watched.Where(w => StartTime(w.Key) == w.Value).Select(w => w.Key)];

    private static DateTime? StartTime(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.StartTime;
        }
        catch (Exception failure) when (failure is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
