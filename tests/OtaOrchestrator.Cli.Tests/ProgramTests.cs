using System.Diagnostics;
using OtaOrchestrator.Cli.Programs;
using OtaOrchestrator.Cli.Tests.TestHost;

namespace OtaOrchestrator.Cli.Tests;

public sealed class ProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ota-programs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Program_beside_this_one_is_found_first()
    {
        var installed = Touch("app", ProgramFiles.Server);
        Touch("OtaOrchestrator.Server", "bin", "Release", "net10.0", ProgramFiles.Server);
        Assert.Equal(installed, Files(Path.Combine(_folder, "app")).Find(ProgramFiles.Server));
    }

    [Theory]
    [InlineData("Release")]
    [InlineData("Debug")]
    public void Program_of_the_source_tree_is_found_in_the_same_configuration(string configuration)
    {
        var release = Touch("src", "OtaOrchestrator.Simulator", "bin", "Release", "net10.0", ProgramFiles.Simulator);
        var debug = Touch("src", "OtaOrchestrator.Simulator", "bin", "Debug", "net10.0", ProgramFiles.Simulator);
        var expected = configuration == "Release" ? release : debug;
        Assert.Equal(expected, Files(Path.Combine(_folder, "src", "OtaOrchestrator.Cli", "bin", configuration, "net10.0")).Find(ProgramFiles.Simulator));
        Assert.Equal(expected, Files(Path.Combine(_folder, "tests", "Any.Tests", "bin", configuration, "net10.0")).Find(ProgramFiles.Simulator));
    }

    [Fact]
    public void Program_that_is_nowhere_is_said_with_the_way_to_build_it()
    {
        var failure = Assert.Throws<CliFailure>(() => Files(_folder).Find(ProgramFiles.Simulator));
        Assert.Contains("src/OtaOrchestrator.Simulator", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Child_that_ends_before_it_is_ready_is_quoted()
    {
        await using var child = ChildProgram.Start("it", "/bin/sh", ["-c", "echo no disk >&2; exit 3"], Path.Combine(_folder, "it.log"), TimeProvider.System);
        var failure = await Assert.ThrowsAsync<CliFailure>(() => child.WaitUntil("ready", _ => Task.FromResult(false), TimeSpan.FromSeconds(20), CancellationToken.None));
        Assert.Equal("it ended with 3 before ready: no disk", failure.Message);
    }

    [Fact]
    public async Task Child_keeps_its_process_id_and_is_killed_by_it()
    {
        await using var child = ChildProgram.Start("it", "/bin/sh", ["-c", "echo $$; exec sleep 100"], Path.Combine(_folder, "it.log"), TimeProvider.System);
        await Condition.Holds(() => File.Exists(child.Log) && File.ReadAllText(child.Log).Length > 1);
        Assert.Equal(child.Id, int.Parse(await File.ReadAllTextAsync(child.Log), System.Globalization.CultureInfo.InvariantCulture));
        await child.Kill(CancellationToken.None);
        Assert.True(child.HasExited);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Guard_ends_what_it_watches_when_its_parent_is_gone_unless_told_to_let_it_be(bool letBe)
    {
        using var watched = Process.Start("sleep", "100");
        using var forgotten = Process.Start("sleep", "100");
        var guard = Guard(out var process);
        await guard.WriteLineAsync($"watch {watched.Id}\nwatch {forgotten.Id}\nforget {forgotten.Id}\nwatch 999999999\nnonsense\nwatch x\n");
        if (letBe)
        {
            await guard.WriteLineAsync("let-be");
        }
        // As when the parent is killed: its end of the pipe closes.
        guard.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        if (letBe)
        {
            Assert.False(watched.HasExited);
        }
        else
        {
            await watched.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        }
        Assert.False(forgotten.HasExited);
        foreach (var left in (Process[])[watched, forgotten])
        {
            if (!left.HasExited)
            {
                left.Kill();
            }
        }
        process.Dispose();
    }

    private static StreamWriter Guard(out Process process)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "ota")) { RedirectStandardInput = true };
        start.ArgumentList.Add(Commands.GuardCommand.Name);
        foreach (var (name, value) in ProgramFiles.RuntimeVariables())
        {
            start.Environment[name] = value;
        }
        process = Process.Start(start)!;
        return process.StandardInput;
    }

    private ProgramFiles Files(string baseDirectory) => new(baseDirectory, _ => null);

    private string Touch(params string[] parts)
    {
        var path = Path.Combine([_folder, .. parts]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        return path;
    }
}
