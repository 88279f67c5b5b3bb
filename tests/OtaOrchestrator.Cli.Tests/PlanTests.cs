using System.Text.Json;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

public sealed class PlanTests
{
    [Theory]
    [InlineData]
    [InlineData("--full")]
    public async Task Every_plan_that_init_writes_is_valid(params string[] options)
    {
        await using var server = await Autumn.Server();
        var file = Path.Combine(server.Home, "plan.yaml");
        Assert.Equal(0, (await Run.Ota(server, ["plan", "init", .. options, "--out", file])).ExitCode);
        var run = await Run.Ota(server, "plan", "lint", file);
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(1, (await Run.Ota(server, ["plan", "init", .. options, "--out", file])).ExitCode);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_said_at_once_with_its_line()
    {
        await using var server = await Autumn.Server();
        var file = Path.Combine(server.Home, "plan.yaml");
        await File.WriteAllTextAsync(file, "lanes:\n- { target: t, relase: x@1 }\n- { target: t, release: x@1, steps: [{ share: 5 }] }\n");
        var run = await Run.Ota(server, "plan", "lint", file, "--json");
        Assert.Equal(8, run.ExitCode);
        var violations = JsonDocument.Parse(run.Out).RootElement.GetProperty("error").GetProperty("violations").EnumerateArray().ToList();
        Assert.Contains(violations, v => v.GetProperty("line").GetInt32() == 2);
        Assert.Contains(violations, v => v.GetProperty("path").GetString()!.Contains("steps[0].share", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, 0xFF })]
    [InlineData(new byte[] { (byte)'{' })]
    [InlineData(new byte[0])]
    public async Task Broken_plan_file_is_invalid(byte[] content)
    {
        await using var server = await Autumn.Server();
        var file = Path.Combine(server.Home, "plan.yaml");
        await File.WriteAllBytesAsync(file, content);
        Assert.Equal(8, (await Run.Ota(server, "plan", "lint", file)).ExitCode);
    }

    [Fact]
    public async Task Endless_plan_is_not_read_to_its_end()
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, "plan", "lint", "/dev/zero");
        Assert.Equal(8, run.ExitCode);
        Assert.Contains("larger than a plan may be", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_arrives_on_the_wire_as_it_is_in_the_file()
    {
        await using var server = await Autumn.Server();
        foreach (var target in server.Scene.Targets.Values)
        {
            target.ActiveRollout = "";
        }
        var file = Path.Combine(server.Home, "plan.yaml");
        await Run.Ota(server, "plan", "init", "--full", "--out", file);
        var run = await Run.Ota(server, "rollout", "start", file, "--json");
        Assert.Equal(0, run.ExitCode);
        var plan = ((CreateRolloutRequest)server.Scene.Calls.Single(c => c.Method == "CreateRollout").Request).Plan;
        Assert.Equal(["api", "firmware"], plan.Lanes.Select(l => l.Name));
        Assert.Equal(0.05, plan.Lanes[0].Steps[1].Share);
        Assert.Equal(1800, plan.Lanes[0].Steps[1].BakeMin.Seconds);
        Assert.Equal(["thermostat-api >= 5"], plan.Lanes[1].Needs);
        Assert.Equal("managers-2", plan.Lanes[1].Steps[1].Approval);
        Assert.Equal("rollback", plan.Judge.Unhealthy);
        // The kit is kept before anything can go wrong.
        Assert.Contains("undo-production.thermostat-autumn.txt", Directory.GetFiles(Path.Combine(server.Home, "client", "kits")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Held_release_has_its_own_exit_code_until_it_is_unheld_with_a_reason()
    {
        await using var server = await Autumn.Server();
        server.Scene.Targets["environments/production/targets/thermostats"].ActiveRollout = "";
        server.Scene.Releases["releases/thermostat-fw@2.4.0"].Holds.Add(new Hold { Environment = "environments/production", Rollout = Autumn.Name, Reason = "crash loop" });
        var refused = await Run.Ota(server, "rollout", "start", "thermostats=thermostat-fw@2.4.0");
        Assert.Equal(7, refused.ExitCode);
        Assert.Contains("ota release unhold", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await Run.Ota(server, "release", "unhold", "thermostat-fw@2.4.0", "--reason", "fixed by config")).ExitCode);
        Assert.Equal(0, (await Run.Ota(server, "rollout", "start", "thermostats=thermostat-fw@2.4.0", "--name", "again")).ExitCode);
    }
}
