using OtaOrchestrator.Aws.ApiGateway;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.ApiGateway;

/// <summary>A stage as a target, against a double that holds every request against AWS's model and misbehaves on request.</summary>
public sealed class StageTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private AwsDoubles _aws = null!;
    private StageFixture _stage = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsDoubles.StartAsync();
        _stage = await StageFixture.StartAsync(_aws, "shop");
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(await _aws.ViolationsAsync());
        Assert.Empty(await _aws.BugsAsync());
        await _stage.DisposeAsync();
        await _aws.DisposeAsync();
    }

    [Fact]
    public async Task There_step_by_step_and_back_to_exactly_what_was()
    {
        var before = await _stage.ServesAsync();
        await _stage.PrepareAsync();
        Assert.Equal(before, await _stage.ServesAsync());
        foreach (var (step, percent) in new[] { (0, "0"), (1, "5"), (2, "50") })
        {
            await _stage.ExposeAsync(step);
            Assert.Contains($"\"percentTraffic\":{percent}", await _stage.ServesAsync(), StringComparison.Ordinal);
        }

        await _stage.ExposeAsync(3);
        Assert.Equal(before.Replace(StageId(_stage.Fallback), StageId(_stage.Candidate), StringComparison.Ordinal), await _stage.ServesAsync());
        await _stage.Target.PromoteAsync(_stage.Order(3), _cancellation);
        await _stage.RestoreAsync(3);
        Assert.Equal(before, await _stage.ServesAsync());
    }

    [Fact]
    public async Task What_holds_is_not_written_again()
    {
        await _stage.PrepareAsync();
        var order = await _stage.ExposeAsync(1);
        await _stage.Target.ExposeAsync(order, _cancellation);
        await _stage.Target.ExposeAsync(order with { Seen = null }, _cancellation);
        Assert.Equal(1, await _stage.WritesAsync());
    }

    [Theory]
    [InlineData("/canarySettings/percentTraffic", "40", "sends 60% to")]
    [InlineData("/canarySettings/stageVariableOverrides/table", "other", "with table=other")]
    public async Task A_change_by_hand_is_named_with_its_author_and_not_overwritten(string path, string value, string said)
    {
        await _stage.PrepareAsync();
        await _stage.ExposeAsync(1);
        await _stage.Target.RenewAsync(_stage.Order(1), _cancellation);
        await _stage.PatchAsync(path, value);
        var order = _stage.Order(1);
        var found = await Assert.ThrowsAsync<DriftException>(() => _stage.Target.RenewAsync(order, _cancellation));
        Assert.Contains(said, found.Drift.What, StringComparison.Ordinal);
        if (value == "40")
        {
            Assert.Equal((0.4, "night-shift"), (Math.Round(found.Drift.Share, 6), await AuthorAsync(order, found.Drift)));
        }

        int writes = await _stage.WritesAsync();
        await Assert.ThrowsAsync<DriftException>(() => _stage.Target.ExposeAsync(_stage.Order(2), _cancellation));
        Assert.Equal(writes, await _stage.WritesAsync());
        _stage.Take(found.Drift);
        await _stage.ExposeAsync(2);
        await _stage.RestoreAsync(2);
    }

    [Theory]
    [InlineData("touch", "UpdateStage")]
    [InlineData("stale", "GetStage")]
    [InlineData("throttle", "UpdateStage")]
    [InlineData("lose", "UpdateStage")]
    [InlineData("error", "UpdateStage")]
    public async Task What_AWS_may_do_at_any_time_is_neither_a_change_nor_a_failure(string kind, string operation)
    {
        var before = await _stage.ServesAsync();
        await _stage.PrepareAsync();
        await _stage.ExposeAsync(1);
        await _aws.FaultAsync(new AwsFault(kind, "apigateway", operation));
        await _stage.ExposeAsync(2);
        await _aws.FaultAsync(new AwsFault(kind, "apigateway", operation));
        await _stage.Target.RestoreAsync(_stage.Order(2), _cancellation);
        Assert.Equal(before, await _stage.ServesAsync());
    }

    [Fact]
    public async Task What_can_t_be_done_is_refused_by_name()
    {
        Assert.Contains("not everything to the fallback", (await _stage.Target.PrepareAsync(_stage.Order(-1) with { Candidate = _stage.Fallback, Fallback = _stage.Candidate }, _cancellation)).Problem, StringComparison.Ordinal);
        Assert.Contains("the same deployment", (await _stage.Target.PrepareAsync(_stage.Order(-1) with { Candidate = _stage.Fallback }, _cancellation)).Problem, StringComparison.Ordinal);
        Assert.Contains("no groups", (await _stage.Target.PrepareAsync(_stage.Order(-1) with { Steps = [new TargetStep(0, "lab")] }, _cancellation)).Problem, StringComparison.Ordinal);
        var unknown = _stage.Candidate with { Artifacts = new Dictionary<string, string> { ["apigateway"] = "deployment:nowhere" } };
        Assert.Contains("Invalid Deployment", (await Assert.ThrowsAsync<TargetException>(() => _stage.Target.PrepareAsync(_stage.Order(-1) with { Candidate = unknown }, _cancellation))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TargetException>(() => _stage.Target.PrepareAsync(_stage.Order(-1) with { Candidate = unknown with { Artifacts = new Dictionary<string, string>() } }, _cancellation));
        await _stage.PatchAsync("/canarySettings/percentTraffic", "10");
        Assert.Contains("not everything to the fallback", (await _stage.Target.PrepareAsync(_stage.Order(-1), _cancellation)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_call_it_dies_at_it_ends_right()
    {
        int calls = await ThereAndBackAsync("counted", new Crashing());
        for (int at = 1; at <= calls; at++)
        {
            foreach (var after in (bool[])[false, true])
            {
                var crashing = new Crashing { At = at, AfterActing = after };
                await ThereAndBackAsync($"shop-{at}-{after}", crashing);
                Assert.True(crashing.Calls >= at);
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task The_sheet_takes_it_back_by_hand(int step)
    {
        var before = await _stage.ServesAsync();
        await _stage.PrepareAsync();
        await _stage.ExposeAsync(step);
        var sheet = StageUndo.Commands(_stage.Api, StageFixture.Stage, "", _stage.Fallback, AwsShell.Quoted);
        await AwsShell.RunAsync(_aws, "apigateway", string.Join('\n', sheet.Select(undo => undo.Command)));
        Assert.Equal(before, await _stage.ServesAsync());
    }

    private async Task<int> ThereAndBackAsync(string name, Crashing crashing)
    {
        await using var stage = await StageFixture.StartAsync(_aws, name, crashing);
        var before = await stage.ServesAsync();
        Task Resumed(Func<Task> act) => Crashing.ResumedAsync(() => stage.NewTarget(), act);

        await Resumed(stage.PrepareAsync);
        for (int step = 0; step < StageFixture.Steps.Count; step++)
        {
            var order = stage.Order(step);
            await Resumed(() => stage.ReachAsync(order));
        }

        var last = stage.Order(3);
        await Resumed(() => stage.Target.PromoteAsync(last, _cancellation));
        await Resumed(() => stage.RestoreAsync(3));
        Assert.Equal(before, await stage.ServesAsync());
        return crashing.Calls;
    }

    private async Task<string> AuthorAsync(TargetOrder order, Drift drift)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        string author;
        while ((author = await _stage.Target.AuthorAsync(order, drift, patience.Token)).Length == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience.Token);
        }

        return author;
    }

    private static string StageId(TargetRelease release) => release.Artifacts["apigateway"]["deployment:".Length..];
}
