using System.Diagnostics;
using System.Globalization;

namespace OtaOrchestrator.Cli.Programs;

/// <summary>
/// A second process of this program that ends the others when this one is gone, however it went (also by kill -9): it reads their ids
/// from its standard input, and when that closes, it ends what it was given, unless it was told to let them be.
/// </summary>
internal sealed class Guard : IDisposable
{
    private readonly Process _process;

    private Guard(Process process) => _process = process;

    public static Guard Start()
    {
        var self = Environment.ProcessPath!;
        var start = new ProcessStartInfo(self) { UseShellExecute = false, RedirectStandardInput = true };
        // `dotnet ota.dll`: the runtime's host is the process, the program its first argument.
        if (Path.GetFileNameWithoutExtension(self) == "dotnet")
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ota.dll"));
        }
        start.ArgumentList.Add(Commands.GuardCommand.Name);
        return new Guard(Process.Start(start) ?? throw new CliFailure(ExitCode.Failure, "the guard could not be started"));
    }

    public void Watch(int pid) => Tell(string.Create(CultureInfo.InvariantCulture, $"watch {pid}"));

    public void Forget(int pid) => Tell(string.Create(CultureInfo.InvariantCulture, $"forget {pid}"));

    /// <summary>The programs may outlive this one.</summary>
    public void LetBe() => Tell("let-be");

    public void Dispose()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It is gone already.
        }
        _process.Dispose();
    }

    private void Tell(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }
}
