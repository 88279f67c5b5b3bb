using System.Diagnostics;
using OtaOrchestrator.Cli.Connection;

namespace OtaOrchestrator.Cli.Programs;

/// <summary>
/// A program that this one started. Its output goes straight to a log file, so that it may outlive this process;
/// whether it does is the guard's business.
/// </summary>
internal sealed class ChildProgram : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(25);

    private readonly Process _process;
    private readonly TimeProvider _time;

    private ChildProgram(string name, Process process, string log, TimeProvider time)
    {
        Name = name;
        _process = process;
        Log = log;
        _time = time;
    }

    public string Name { get; }
    public string Log { get; }
    public int Id => _process.Id;
    public bool HasExited => _process.HasExited;

    /// <param name="name">For messages.</param>
    /// <param name="log">Its standard output and error are appended to this file.</param>
    /// <param name="variables">Of its environment, beside those of this one.</param>
    public static ChildProgram Start(string name, string file, IEnumerable<string> arguments, string log, TimeProvider time, IEnumerable<KeyValuePair<string, string>>? variables = null)
    {
        // The shell only redirects and then becomes the program: same process id. Hang-ups are for the guard to judge.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, WorkingDirectory = Path.GetDirectoryName(log)! };
        foreach (var argument in (IEnumerable<string>)["-c", "trap '' HUP; log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", log, file, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }
        foreach (var (variable, value) in ProgramFiles.RuntimeVariables().Concat((variables ?? []).Select(one => (one.Key, one.Value))))
        {
            start.Environment[variable] = value;
        }
        var process = Process.Start(start) ?? throw new CliFailure(ExitCode.Failure, $"{name} could not be started");
        return new ChildProgram(name, process, log, time);
    }

    /// <summary>Waits until <paramref name="ready"/>; says what the program said last when it ends before or takes too long.</summary>
    public async Task WaitUntil(string what, Func<CancellationToken, Task<bool>> ready, TimeSpan timeMax, CancellationToken cancellation)
    {
        var start = _time.GetTimestamp();
        while (!await ready(cancellation))
        {
            if (_process.HasExited)
            {
                throw new CliFailure(ExitCode.Failure, $"{Name} ended with {_process.ExitCode} before {what}: {LastWords()}", $"its log: {Log}");
            }
            if (_time.GetElapsedTime(start) > timeMax)
            {
                throw new CliFailure(ExitCode.Failure, $"{Name}: not {what} after {timeMax.TotalSeconds:0} s: {LastWords()}", $"its log: {Log}");
            }
            await Task.Delay(PollInterval, _time, cancellation);
        }
    }

    /// <summary>Waits until it has ended by itself. <returns>Its exit code.</returns></summary>
    public async Task<int> Ended(TimeSpan timeMax, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(timeMax, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            await _process.WaitForExitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CliFailure(ExitCode.Failure, $"{Name} has not ended after {timeMax.TotalSeconds:0} s: {LastWords()}", $"its log: {Log}");
        }
        return _process.ExitCode;
    }

    /// <summary>Ends it as a crash would and waits until it is gone.</summary>
    public async Task Kill(CancellationToken cancellation)
    {
        Signal.SendKill(Id);
        await _process.WaitForExitAsync(cancellation);
    }

    /// <summary>Asks it to stop, and insists when it does not.</summary>
    public async Task Stop(TimeSpan grace)
    {
        if (_process.HasExited)
        {
            return;
        }
        Signal.SendTerminate(Id);
        using var patience = new CancellationTokenSource(grace, _time);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Signal.SendKill(Id);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stop(TimeSpan.FromSeconds(5));
        _process.Dispose();
    }

    private string LastWords()
    {
        try
        {
            var lines = File.ReadLines(Log).Where(l => l.Trim().Length > 0).TakeLast(3).Select(l => Output.Terminal.Cut(Output.Terminal.Clean(l.Trim()), 300));
            var words = string.Join(" | ", lines);
            return words.Length > 0 ? words : "it said nothing";
        }
        catch (IOException)
        {
            return "it said nothing";
        }
    }
}
