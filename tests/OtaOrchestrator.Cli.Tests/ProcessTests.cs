using System.Diagnostics;
using System.Text.Json;
using OtaOrchestrator.Cli.Programs;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

/// <summary>As a process of its own; OTA_TESTS_PROGRAM names another build of it, for example the native one.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task Messages_come_out_as_one_json_document()
    {
        await using var server = await Autumn.Server();
        var (code, output, error) = await Ota(server, "rollout", "get", "--json");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        var document = JsonDocument.Parse(output).RootElement;
        Assert.Equal(Autumn.Name, document.GetProperty("name").GetString());
        Assert.Equal(5, document.GetProperty("plan").GetProperty("lanes")[1].GetProperty("steps").GetArrayLength());
    }

    [Fact]
    public async Task Plan_goes_from_yaml_to_the_wire()
    {
        await using var server = await Autumn.Server();
        server.Scene.Targets["environments/production/targets/thermostats"].ActiveRollout = "";
        var (code, output, error) = await Ota(server, "rollout", "start", "thermostats=thermostat-fw@2.4.0", "--name", "fresh", "--json");
        Assert.True(code == 0, error);
        Assert.Equal("thermostat-fw@2.4.0", JsonDocument.Parse(output).RootElement.GetProperty("lanes")[0].GetProperty("candidate").GetString());
    }

    [Fact]
    public async Task Violations_of_the_server_are_unpacked_from_the_status()
    {
        await using var server = await Autumn.Server();
        server.Scene.FailBefore.Enqueue(Scene.Invalid("the plan is invalid", ("lanes[0].release", "is not known")));
        var (code, _, error) = await Ota(server, "rollout", "pause", Autumn.Name);
        Assert.Equal(8, code);
        Assert.Equal("error: the plan is invalid\n  lanes[0].release: is not known\n", error);
    }

    [Fact]
    public async Task Interrupted_wait_says_that_it_goes_on()
    {
        await using var server = await Autumn.Server();
        using var process = Start(server, "rollback", "thermostat-autumn", "--wait");
        // Where whoever runs the tests ignores the signal, the process does too: that fails the test instead of holding it up.
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await using var end = patience.Token.Register(() => process.Kill());
        while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (line.StartsWith("ACCEPTED", StringComparison.Ordinal))
            {
                await Condition.Holds(() => server.Scene.Calls.Any(c => c.Method == "WatchRollout"));
                using var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            }
        }
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("what was accepted goes on", await process.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(RolloutState.RollingBack, server.Scene.Rollouts[Autumn.Name].State);
    }

    [Fact]
    public async Task Completion_suggests_commands()
    {
        await using var server = await Autumn.Server();
        var (_, output, _) = await Ota(server, "[suggest:12]", "ota rollout ");
        Assert.Contains("watch", output.Split('\n'));
        Assert.Contains("_ota()", (await Ota(server, "completion", "bash")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_documents_every_exit_code()
    {
        await using var server = await Autumn.Server();
        var (code, output, _) = await Ota(server, "--help");
        Assert.Equal(0, code);
        foreach (var field in typeof(ExitCode).GetFields().Where(f => f.FieldType == typeof(int)))
        {
            Assert.Matches($@"(?m)^\s+{field.GetRawConstantValue()}\s\s", output);
        }
        Assert.DoesNotContain(Commands.GuardCommand.Name, output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> Ota(TestServer server, params string[] arguments)
    {
        using var process = Start(server, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output, await error);
    }

    // Not the copy beside the tests: that one lacks what the web framework brings for them.
    private static string Program()
    {
        if (System.Environment.GetEnvironmentVariable("OTA_TESTS_PROGRAM") is { Length: > 0 } named)
        {
            return named;
        }
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var relative = Path.Combine("src", "OtaOrchestrator.Cli", "bin", output.Parent!.Name, output.Name, "ota");
        return new ProgramFiles(AppContext.BaseDirectory, _ => null).FindUpwards(relative) ?? throw new InvalidOperationException($"{relative} is not built");
    }

    private static Process Start(TestServer server, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program(), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OTA_HOME"] = server.Home;
        foreach (var (name, value) in ProgramFiles.RuntimeVariables())
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }
}
