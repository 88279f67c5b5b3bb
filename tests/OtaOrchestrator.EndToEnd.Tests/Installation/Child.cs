using System.Collections.Concurrent;
using System.Diagnostics;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>A program under test, its output, and its end.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<string> _written = new();

    private Child(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data, _written);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;
    public bool Ended => _process.HasExited;
    public int ExitCode => _process.ExitCode;
    public IReadOnlyCollection<string> Lines => _lines;
    /// <summary>Standard output alone.</summary>
    public IReadOnlyCollection<string> Written => _written;
    public string Output => string.Join('\n', _lines);

    public static Child Start(string program, params string[] arguments) => Start(program, arguments, new Dictionary<string, string>());

    /// <param name="environment">Variables beside those of this process.</param>
    public static Child Start(string program, string[] arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        return new Child(Process.Start(start)!);
    }

    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
    }

    /// <summary>Until it has ended and all that it wrote was read.</summary>
    public Task WaitAsync(TimeSpan limit) => _process.WaitForExitAsync().WaitAsync(limit);

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Keep(string? line, ConcurrentQueue<string>? also = null)
    {
        if (line is not null)
        {
            _lines.Enqueue(line);
            also?.Enqueue(line);
        }
    }
}
