using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>The router as a process of its own.</summary>
internal sealed partial class RouterProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private RouterProcess(Process process) => (_process, _errors) = (process, process.StandardError.ReadToEndAsync());

    public TestRouter Router { get; private set; } = null!;
    public JsonNode ReadyLine { get; private set; } = null!;

    public static async Task<RouterProcess> StartAsync(Pki pki, params string[] more)
    {
        var started = Begin(pki, more);
        string? line = await started._process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(line is not null, "the router ended: " + (line is null ? await started._errors : ""));
        started.ReadyLine = JsonNode.Parse(line!)!;
        started.Router = new TestRouter(pki, (string)started.ReadyLine["url"]!, (string)started.ReadyLine["adminUrl"]!);
        return started;
    }

    /// <summary>Runs until it ends by itself. <returns>Exit code and standard error.</returns></summary>
    public static async Task<(int Code, string Errors)> RunAsync(Pki pki, params string[] more)
    {
        await using var started = Begin(pki, more);
        await started._process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return (started._process.ExitCode, await started._errors);
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Terminate() => Assert.Equal(0, Kill(_process.Id, 15));

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (Router is not null)
        {
            await Router.DisposeAsync();
        }
        if (!_process.HasExited)
        {
            await KillAsync();
        }
        _process.Dispose();
    }

    private static RouterProcess Begin(Pki pki, string[] more)
    {
        string[] arguments =
        [
            "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--tls-cert", pki.Server.CertificateFile, "--tls-key", pki.Server.KeyFile,
            "--admin-ca", pki.AuthorityFile, "--backend-ca", pki.AuthorityFile, "--state", Path.Combine(pki.Folder, "state.json"), .. more,
        ];
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "OtaOrchestrator.Router"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        return new RouterProcess(Process.Start(start)!);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
