using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OtaOrchestrator.Router.Tests.Simulator;

/// <summary><c>ota-sim</c> as a process.</summary>
internal sealed partial class SimulatorProcess : IAsyncDisposable
{
    private readonly Process _process;

    private SimulatorProcess(Process process)
    {
        _process = process;
        Errors = process.StandardError.ReadToEndAsync();
    }

    public Task<string> Errors { get; }

    public static SimulatorProcess Start(params string[] arguments) =>
        new(Process.Start(new ProcessStartInfo(Program(), arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!);

    public async Task<string> LineAsync()
    {
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(line is not null, "ota-sim ended: " + (line is null ? await Errors : ""));
        return line!;
    }

    public void Terminate() => Assert.Equal(0, Kill(_process.Id, 15));

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private static string Program([CallerFilePath] string source = "")
    {
        // Tests and programs are built with the same configuration: …/bin/<configuration>/<framework>/.
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", ".."));
        return Path.Combine(root, "src", "OtaOrchestrator.Simulator", "bin", output.Parent!.Name, output.Name, "ota-sim");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
