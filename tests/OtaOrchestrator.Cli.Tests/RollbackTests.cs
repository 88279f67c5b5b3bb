using System.Text.Json;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

public sealed class RollbackTests
{
    private static Rollout Other(string id, RolloutState state, TimeSpan age, double exposed = 0) => new()
    {
        Name = "environments/production/rollouts/" + id, State = state, CreateTime = Scene.At(age), UpdateTime = Scene.At(age), Revision = 5,
        Lanes = { new Lane { Name = "api", Candidate = "api@2.0.0", Fallback = "api@1.0.0", State = state, Exposed = exposed } },
    };

    private static WatchRolloutResponse Change(Action<Rollout> change, params JournalEntry[] entries)
    {
        var rollout = Autumn.Rollout();
        change(rollout);
        return new WatchRolloutResponse { Rollout = rollout, Entries = { entries } };
    }

    private static void Back(Rollout rollout)
    {
        rollout.State = RolloutState.RolledBack;
        foreach (var lane in rollout.Lanes)
        {
            lane.State = RolloutState.RolledBack;
        }
    }

    private static JournalEntry Entry(long revision, string lane, string text) =>
        new() { Revision = revision, Time = Scene.At(TimeSpan.Zero), Actor = "system", Trigger = "Restored", Lane = lane, Text = text };

    [Fact]
    public async Task Waiting_follows_until_everything_reachable_is_restored_and_tells_the_tail()
    {
        await using var server = await Autumn.Server();
        await server.Scene.Changes.Writer.WriteAsync(Change(r => r.State = RolloutState.RollingBack, Entry(89, "firmware", "offers stopped: 2,204 withdrawn")));
        await server.Scene.Changes.Writer.WriteAsync(Change(r =>
        {
            Back(r);
            r.Lanes[1].Fleet.Tail = 156;
        }, Entry(90, "firmware", "4,391/4,547 report 2.3.1")));
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "--wait");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            """
            PRODUCTION thermostat-autumn   as admin
              api       5.1.0 -> 5.0.3  all traffic         after firmware
              firmware  2.4.0 -> 2.3.1  3,881 + 4,115 busy  now
              stays     DB migration 0051
              held      thermostat-api@5.1.0, thermostat-fw@2.4.0
            ACCEPTED 03:14:07  journal 88.  Ctrl-C is safe.
            03:14:07    89  firmware   Restored  offers stopped: 2,204 withdrawn  by system
            03:14:07    90  firmware   Restored  4,391/4,547 report 2.3.1  by system
            ROLLED BACK for reachable users; tail 156: ota device list --tail thermostat-autumn

            """, run.Out);
    }

    [Fact]
    public async Task Waiting_goes_on_over_a_crash_of_the_server_and_shows_nothing_twice()
    {
        await using var server = await Autumn.Server();
        await server.Scene.Changes.Writer.WriteAsync(Change(r => r.State = RolloutState.RollingBack, Entry(89, "api", "first")));
        using var output = new StringWriter();
        var running = Run.Ota(server.Home, Run.Clock.Instance, output, "rollback", "thermostat-autumn", "--wait");
        await Condition.Holds(() => output.ToString().Contains("first", StringComparison.Ordinal));
        await server.Scene.Changes.Writer.WriteAsync(null);
        await Condition.Holds(() => server.Scene.Calls.Count(c => c.Method == "WatchRollout") == 2);
        Assert.Equal(89, ((WatchRolloutRequest)server.Scene.Calls.Last(c => c.Method == "WatchRollout").Request).AfterRevision);
        await server.Scene.Changes.Writer.WriteAsync(Change(Back, Entry(89, "api", "first"), Entry(90, "api", "second")));
        var run = await running;
        Assert.Equal(0, run.ExitCode);
        Assert.Single(run.Out.Split('\n'), l => l.Contains("first", StringComparison.Ordinal));
        Assert.Single(run.Out.Split('\n'), l => l.Contains("second", StringComparison.Ordinal));
        Assert.Contains("trying again", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stuck_rollback_ends_waiting_with_its_own_code()
    {
        await using var server = await Autumn.Server();
        await server.Scene.Changes.Writer.WriteAsync(Change(r =>
        {
            r.State = RolloutState.RollbackStuck;
            r.Cause = "12% fail to return";
        }));
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "--wait");
        Assert.Equal(10, run.ExitCode);
        Assert.Contains("ROLLBACK STUCK: 12% fail to return", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_name_the_newest_is_taken_over_all_pages_and_what_never_ran_is_passed_over()
    {
        await using var server = await Autumn.Server();
        for (var i = 0; i < 5; i++)
        {
            var old = Other($"old-{i}", RolloutState.Succeeded, TimeSpan.FromDays(30 + i), exposed: 1);
            server.Scene.Add(old);
        }
        server.Scene.Add(Other("refused", RolloutState.Refused, TimeSpan.FromMinutes(1)));
        var run = await Run.Ota(server, "rollback", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(Autumn.Name, ((RollbackRolloutRequest)server.Scene.Calls.Last(c => c.Method == "RollbackRollout").Request).Name);
    }

    [Fact]
    public async Task Without_a_name_an_older_rollout_is_never_taken_because_the_newest_is_back_already()
    {
        await using var server = await Autumn.Server();
        server.Scene.Add(Other("newest", RolloutState.RolledBack, TimeSpan.FromMinutes(1)));
        var run = await Run.Ota(server, "rollback");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("PRODUCTION newest is ROLLED BACK already since 03:13:07; nothing to do.\n", run.Out);
        Assert.Equal(RolloutState.Baking, server.Scene.Rollouts[Autumn.Name].State);
    }

    [Fact]
    public async Task Without_a_name_a_newest_that_exposed_nothing_is_nothing_to_undo()
    {
        await using var server = await Autumn.Server();
        server.Scene.Add(Other("newest", RolloutState.AwaitingApproval, TimeSpan.FromMinutes(1)));
        var run = await Run.Ota(server, "rollback");
        Assert.Equal(4, run.ExitCode);
        Assert.DoesNotContain(server.Scene.Calls, c => c.Method == "RollbackRollout");
        Assert.Contains("ota rollout cancel newest", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_environment_has_nothing_to_undo()
    {
        await using var server = await Autumn.Server();
        server.Scene.AddEnvironment("staging");
        Assert.Equal(4, (await Run.Ota(server, "rollback", "-e", "staging")).ExitCode);
    }

    [Fact]
    public async Task Closed_window_is_nothing_to_undo()
    {
        await using var server = await Autumn.Server();
        server.Scene.Add(Other("done", RolloutState.Succeeded, TimeSpan.FromMinutes(1), exposed: 1));
        var run = await Run.Ota(server, "rollback", "done");
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("window has closed", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_lane_alone_goes_back_with_a_warning()
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "--lane", "firmware");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning: the other lanes stay on their candidate", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("  api ", run.Out, StringComparison.Ordinal);
        Assert.Equal("firmware", ((RollbackRolloutRequest)server.Scene.Calls.Single(c => c.Method == "RollbackRollout").Request).Lane);
    }

    [Fact]
    public async Task Lane_that_stays_is_named_when_another_went_back_alone()
    {
        await using var server = await Autumn.Server();
        await server.Scene.Changes.Writer.WriteAsync(Change(r =>
        {
            r.State = RolloutState.RolledBack;
            r.Lanes[1].State = RolloutState.RolledBack;
            r.Lanes[1].Fleet.Tail = 0;
        }, Entry(89, "firmware", "back")));
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "--lane", "firmware", "--wait");
        Assert.Equal(0, run.ExitCode);
        Assert.EndsWith("ROLLED BACK: firmware; api stays on 5.1.0.\n", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--probe", "/healthz")]
    [InlineData("--release", "thermostat-api@5.1.0")]
    public async Task What_belongs_to_a_rehearsal_never_starts_a_rollback(string option, string value)
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.DoesNotContain(server.Scene.Calls, call => call.Method == "RollbackRollout");
    }

    [Fact]
    public async Task What_is_stuck_says_why_and_not_only_who_asked()
    {
        await using var server = await Autumn.Server();
        await server.Scene.Changes.Writer.WriteAsync(Change(r =>
        {
            r.State = RolloutState.RollbackStuck;
            r.Cause = "by admin";
            r.Lanes[1].State = RolloutState.RollbackStuck;
            r.Lanes[1].Cause = "9 of 20 devices failed to return";
            r.Lanes[1].Detail = "FLASH_WRITE 9";
        }, Entry(89, "firmware", "stuck")));
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "--wait");
        Assert.NotEqual(0, run.ExitCode);
        Assert.EndsWith("ROLLBACK STUCK: firmware: 9 of 20 devices failed to return; FLASH_WRITE 9\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_servers_authority_it_can_not_be_reached_and_the_kit_is_told()
    {
        await using var server = await Autumn.Server();
        File.Delete(Path.Combine(server.Home, "client", "server-ca.crt"));
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "-e", "production");
        Assert.Equal(6, run.ExitCode);
        Assert.Contains("UNDO WITHOUT THE SERVER", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_is_one_document_and_progress_is_on_stderr()
    {
        await using var server = await Autumn.Server();
        await server.Scene.Changes.Writer.WriteAsync(Change(Back, Entry(89, "api", "back")));
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "--wait", "--json");
        var document = JsonDocument.Parse(run.Out).RootElement;
        Assert.Equal("ROLLOUT_STATE_ROLLED_BACK", document.GetProperty("rollout").GetProperty("state").GetString());
        Assert.Equal("88", document.GetProperty("journalRevision").GetString());
        Assert.Contains("ACCEPTED", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kit_is_written_to_a_file_and_nothing_is_rolled_back()
    {
        await using var server = await Autumn.Server();
        var file = Path.Combine(server.Home, "kit.txt");
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "--kit", file);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("put the router's route back", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Equal(RolloutState.Baking, server.Scene.Rollouts[Autumn.Name].State);
    }

    [Fact]
    public async Task Unreachable_server_tells_how_to_use_the_kit_that_was_kept()
    {
        await using var server = await Autumn.Server();
        var kits = Directory.CreateDirectory(Path.Combine(server.Home, "client", "kits"));
        await File.WriteAllTextAsync(Path.Combine(kits.FullName, "undo-production.thermostat-autumn.txt"), "UNDO");
        await server.Crash();
        var run = await Run.Ota(server, "rollback", "thermostat-autumn", "-e", "production");
        Assert.Equal(6, run.ExitCode);
        Assert.Contains("<home>/client/kits/undo-production.thermostat-autumn.txt", run.Error, StringComparison.Ordinal);
        Assert.Contains("error: the server can't be reached", run.Error, StringComparison.Ordinal);
    }
}
