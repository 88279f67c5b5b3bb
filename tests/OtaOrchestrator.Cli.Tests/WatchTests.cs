using System.Text.Json;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

public sealed class WatchTests
{
    [Theory]
    [InlineData(RolloutState.Succeeded, 0)]
    [InlineData(RolloutState.RolledBack, 9)]
    [InlineData(RolloutState.RollbackStuck, 10)]
    [InlineData(RolloutState.Refused, 3)]
    [InlineData(RolloutState.Cancelled, 3)]
    public async Task Watching_ends_with_the_code_of_the_rollout_s_end(RolloutState end, int exitCode)
    {
        await using var server = await Autumn.Server();
        var ended = Autumn.Rollout();
        ended.State = end;
        await server.Scene.Changes.Writer.WriteAsync(new WatchRolloutResponse { Rollout = ended, Entries = { new JournalEntry { Revision = 88, Trigger = "Ended", Actor = "system" } } });
        var run = await Run.Ota(server, "rollout", "watch", "thermostat-autumn", "--after", "86");
        Assert.Equal(exitCode, run.ExitCode);
        var lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.Contains("87", lines[0], StringComparison.Ordinal);
        Assert.Contains("88", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watching_as_json_is_one_document_with_every_entry()
    {
        await using var server = await Autumn.Server();
        var ended = Autumn.Rollout();
        ended.State = RolloutState.Succeeded;
        await server.Scene.Changes.Writer.WriteAsync(new WatchRolloutResponse { Rollout = ended, Entries = { new JournalEntry { Revision = 88, Trigger = "Ended" } } });
        var run = await Run.Ota(server, "rollout", "watch", "--json");
        var document = JsonDocument.Parse(run.Out).RootElement;
        Assert.Equal(4, document.GetProperty("entries").GetArrayLength());
    }

    [Fact]
    public async Task Journal_is_read_over_all_its_pages()
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, "rollout", "journal", "thermostat-autumn", "--json");
        Assert.Equal(3, JsonDocument.Parse(run.Out).RootElement.GetProperty("entries").GetArrayLength());
    }

    [Fact]
    public async Task Unknown_rollout_ends_the_watch_at_once()
    {
        await using var server = await Autumn.Server();
        Assert.Equal(1, (await Run.Ota(server, "rollout", "watch", "nothing")).ExitCode);
    }
}
