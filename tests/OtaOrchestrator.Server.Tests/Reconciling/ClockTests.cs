using System.Diagnostics;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Reconciling;

public sealed class ClockTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_that_is_set_by_an_hour_ends_no_bake_early_and_stops_none(int hours)
    {
        var clock = new SettableClock();
        await using var scene = await Scene.New(clock).Started();
        await scene.Set("api");
        var bake = TimeSpan.FromSeconds(2);
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(1) with { BakeMin = bake }] }, ["api"]);
        await scene.Until("autumn", LaneState.Baking);
        var watch = Stopwatch.StartNew();
        await scene.Until("autumn", rollout => rollout.Lanes[0].HealthyEvaluations >= 2, "two looks");
        clock.Offset = TimeSpan.FromHours(hours);
        await scene.Until("autumn", LaneState.Succeeded);
        // A look counts for two intervals at most, so that the jump itself can have added no more than that.
        Assert.True(watch.Elapsed > bake - TimeSpan.FromMilliseconds(200), $"baked for {watch.Elapsed}");
        scene.Logs.HasNoErrors();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_that_is_set_while_the_server_is_down_delays_nothing_and_skips_nothing(int hours)
    {
        var clock = new SettableClock();
        await using var scene = await Scene.New(clock).Started();
        await scene.Set("api");
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(1) with { BakeMin = TimeSpan.FromSeconds(1) }] }, ["api"]);
        await scene.Until("autumn", LaneState.Baking);
        await scene.Stop();
        clock.Offset = TimeSpan.FromHours(hours);
        scene.Reopen();
        await scene.Started();
        var watch = Stopwatch.StartNew();
        await scene.Until("autumn", LaneState.Succeeded);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"took {watch.Elapsed}");
        Assert.Equal(2, scene.Target("api").State.Changes.Count);
    }

    /// <summary>The wall clock can be set; timers and timestamps go on as they do.</summary>
    private sealed class SettableClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;
    }
}
