using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Rollouts;

/// <summary>What users of other controllers report, as far as a way back can do it to them.</summary>
public sealed class PainTests
{
    private const string BackOnOld = "RestoreAsync api@1.0  0";

    /// <summary>An abort that leaves the weight where it was, deadlocks, or is ignored after the promotion.</summary>
    [Theory]
    [InlineData(LaneState.Exposing)]
    [InlineData(LaneState.Baking)]
    [InlineData(LaneState.AwaitingPromotion)]
    [InlineData(LaneState.Paused)]
    [InlineData(LaneState.Promoting)]
    [InlineData(LaneState.Succeeded)]
    public async Task An_abort_returns_the_weight_to_nothing_from_wherever_it_is(LaneState state)
    {
        await using var scene = await Scene.New().Started();
        scene.CallTimeout = TimeSpan.FromMilliseconds(500);
        await scene.Set("api");
        scene.Target("api").Sluggish = state == LaneState.Exposing;
        var stands = new TaskCompletionSource();
        scene.Target("api").Before = (method, _, cancellation) => method == nameof(ITarget.PromoteAsync) && state == LaneState.Promoting ? stands.Task.WaitAsync(cancellation) : Task.CompletedTask;
        bool waits = state is LaneState.AwaitingPromotion or LaneState.Paused;
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = waits, BakeMin = TimeSpan.FromMilliseconds(state == LaneState.Baking ? 60_000 : 100) }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", state == LaneState.Paused ? LaneState.AwaitingPromotion : state);
        if (state == LaneState.Paused)
        {
            await scene.Tell("autumn", Trigger.Pause);
        }
        scene.Target("api").Sluggish = false;
        await scene.Tell("autumn", Trigger.Rollback);
        stands.TrySetResult();
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal(("api@1.0", null, 0d), (scene.Target("api").State.Runs, scene.Target("api").State.Candidate, scene.Target("api").State.Share));
        Assert.True((await scene.Tell("autumn", Trigger.Rollback)).Decision is { Refusal: null, Next: null });
    }

    /// <summary>An abort that the next good measurement takes back, and the one after it again.</summary>
    [Fact]
    public async Task An_abort_does_not_flap()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        scene.Target("api").ErrorRate = 0.5;
        await scene.Start("autumn", plan => plan with { GuardAfter = TimeSpan.FromHours(1) }, ["api"]);
        await scene.Until("autumn", LaneState.RolledBack);
        scene.Target("api").ErrorRate = 0;
        await scene.Restart();
        foreach (var trigger in (Trigger[])[Trigger.Resume, Trigger.Promote, Trigger.Start])
        {
            Assert.NotNull((await scene.Tell("autumn", trigger)).Decision.Refusal);
        }
        Assert.Empty(scene.Effects("autumn"));
        Assert.Equal(["ExposeAsync api@1.0 api@2.0 0.25", BackOnOld], scene.Target("api").State.Changes);
    }

    /// <summary>A rollback in the middle of a promotion that sends everybody to the broken copy, and ends the good one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rollback_during_promotion_ends_on_the_old_side_whether_the_promotion_had_reached_the_target_or_not(bool reached)
    {
        await using var scene = await Scene.New().Started();
        scene.CallTimeout = TimeSpan.FromMilliseconds(500);
        await scene.Set("api");
        var lost = new TaskCompletionSource();
        scene.Target("api").Before = (method, order, cancellation) => (method, scene.Rollout("autumn").Lanes[0].State) switch
        {
            (nameof(ITarget.PromoteAsync), _) when !reached => lost.Task.WaitAsync(cancellation),
            // The promotion holds, and nobody has been told so yet.
            (nameof(ITarget.ReadAsync), LaneState.Promoting) => lost.Task.WaitAsync(cancellation),
            _ => Task.CompletedTask,
        };
        await scene.Start("autumn", "api");
        await scene.Until("autumn", LaneState.Promoting);
        await Condition.Holds(() => !reached || scene.Target("api").State.Runs == "api@2.0");
        await scene.Tell("autumn", Trigger.Rollback);
        await scene.Until("autumn", LaneState.RolledBack);
        var now = scene.Target("api").State;
        Assert.Equal(("api@1.0", null, BackOnOld), (now.Runs, now.Candidate, now.Changes[^1]));
        Assert.Equal("api@1.0", scene.TargetRow("api").CurrentRelease);
    }

    /// <summary>A leader that was deposed and goes on writing.</summary>
    [Fact]
    public async Task Whoever_was_in_charge_before_changes_nothing_any_more()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        TargetOrder? late = null;
        scene.Target("api").Before = (method, order, _) =>
        {
            late = method == nameof(ITarget.ExposeAsync) ? order : late;
            return Task.CompletedTask;
        };
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", LaneState.AwaitingPromotion);
        await scene.Tell("autumn", Trigger.Rollback);
        await scene.Until("autumn", LaneState.RolledBack);
        var after = scene.Target("api").State;
        await Assert.ThrowsAsync<TargetException>(() => scene.Target("api").ExposeAsync(late!, CancellationToken.None));
        await Assert.ThrowsAsync<TargetException>(() => scene.Target("api").PromoteAsync(late!, CancellationToken.None));
        Assert.Equal(after.Changes, scene.Target("api").State.Changes);
    }

    /// <summary>No way back across several services at once.</summary>
    [Fact]
    public async Task A_rollback_takes_back_all_that_went_forward_together()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api", "web", "worker");
        await scene.Start("autumn", "api", "web", "worker");
        await scene.Until("autumn", rollout => rollout.Lane("worker").State == LaneState.Baking, "the third lane");
        scene.Target("worker").ErrorRate = 0.5;
        await scene.Until("autumn", LaneState.RolledBack);
        foreach (var target in (string[])["api", "web", "worker"])
        {
            Assert.Equal((target + "@1.0", null), (scene.Target(target).State.Runs, scene.Target(target).State.Candidate));
        }
    }

    /// <summary>A migration that a machine must not take back.</summary>
    [Fact]
    public async Task A_plan_may_freeze_instead_and_then_nothing_is_taken_back()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api", "web");
        await scene.Start("autumn", null, ["api", "web"], judge: judge => judge with { Unhealthy = OnVerdict.Freeze });
        await scene.Until("autumn", rollout => rollout.Lane("web").State == LaneState.Baking, "the second lane");
        scene.Target("web").ErrorRate = 0.5;
        var frozen = await scene.Until("autumn", LaneState.Paused);
        Assert.StartsWith("frozen: web: errors", frozen.Cause, StringComparison.Ordinal);
        Assert.Equal(("api@2.0", "web@2.0"), (scene.Target("api").State.Runs, scene.Target("web").State.Candidate));
        Assert.DoesNotContain(scene.Target("api").State.Changes.Concat(scene.Target("web").State.Changes), change => change.StartsWith(nameof(ITarget.RestoreAsync), StringComparison.Ordinal));
        await scene.Tell("autumn", Trigger.Rollback);
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal(("api@1.0", "web@1.0"), (scene.Target("api").State.Runs, scene.Target("web").State.Runs));
    }
}
