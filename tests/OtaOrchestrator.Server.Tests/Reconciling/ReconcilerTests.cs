using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Reconciling;

public sealed class ReconcilerTests
{
    [Fact]
    public async Task A_good_rollout_exposes_step_by_step_and_succeeds()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api", "web");
        await scene.Start("autumn", "api", "web");
        await scene.Until("autumn", LaneState.Succeeded);
        foreach (var target in (string[])["api", "web"])
        {
            Assert.Equal([$"ExposeAsync {target}@1.0 {target}@2.0 0.25", $"ExposeAsync {target}@1.0 {target}@2.0 1", $"PromoteAsync {target}@2.0  0"], scene.Target(target).State.Changes);
            Assert.Equal($"{target}@2.0", scene.TargetRow(target).CurrentRelease);
        }
        Assert.Empty(scene.Effects("autumn"));
        scene.Logs.HasNoErrors();
    }

    [Fact]
    public async Task A_bake_begins_when_the_read_back_agrees_not_when_the_call_returned()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        scene.Target("api").Sluggish = true;
        await scene.Start("autumn", "api");
        await scene.Until("autumn", LaneState.Exposing);
        int calls = scene.Target("api").Calls;
        await Condition.Holds(() => scene.Target("api").Calls > calls + 6);
        Assert.Equal(LaneState.Exposing, scene.Rollout("autumn").State);
        scene.Target("api").Sluggish = false;
        await scene.Until("autumn", LaneState.Succeeded);
    }

    [Fact]
    public async Task Unhealthy_canary_is_taken_back_before_the_next_step()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        scene.Target("api").ErrorRate = 0.2;
        await scene.Start("autumn", "api");
        var ended = await scene.Until("autumn", LaneState.RolledBack);
        Assert.Contains("requests failed", ended.Cause, StringComparison.Ordinal);
        Assert.Equal(["ExposeAsync api@1.0 api@2.0 0.25", "RestoreAsync api@1.0  0"], scene.Target("api").State.Changes);
        var verdict = scene.Entries("autumn").Single(entry => entry.Text.Contains("requests failed", StringComparison.Ordinal) && entry.Trigger == "Looked");
        Assert.Equal("system:judge", verdict.Actor);
        Assert.Equal(1L, scene.Database.Read(db => db.Query("SELECT COUNT(*) FROM evidence WHERE revision = $1", row => row.GetInt64(0), verdict.Revision))[0]);
    }

    [Fact]
    public async Task The_judge_goes_on_through_a_pause_and_a_restart_with_what_it_knows()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        var ratio = new CheckPlan { Name = "errors", Source = CheckSources.Router, Against = "baseline", RatioMax = 1.25, SamplesMin = 200, Interval = TimeSpan.FromMilliseconds(60) };
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { BakeMin = TimeSpan.FromHours(1), BakeMax = TimeSpan.FromHours(2) }, Scene.Step(1)], Checks = [ratio] }, ["api"]);
        await scene.Until("autumn", LaneState.Baking);
        await scene.Tell("autumn", Trigger.Pause);
        var committed = scene.Rollout("autumn").Lanes[0].Evidence?.Looks ?? 0;
        Evidence? Known(ProgressBoard board) => board.Of(Scene.Environment, "autumn", "api").Judgement?.Evidence;
        // Looks of a lane that waits are stored now and then.
        await Condition.Holds(() => Known(new ProgressBoard(scene.Database, scene.Changes, TimeProvider.System))?.Looks > committed + 5);
        await scene.Stop();
        scene.Reopen();
        long stored = Known(scene.Progress)!.Looks;
        await scene.Started();
        await Condition.Holds(() => Known(scene.Progress)?.Looks > stored);
        scene.Target("api").ErrorRate = 0.05;
        var back = await scene.Until("autumn", LaneState.RolledBack);
        Assert.Contains("requests failed, baseline 0 % of", back.Cause, StringComparison.Ordinal);
        var lane = back.Lanes[0];
        var check = Assert.Single(lane.Evidence!.Checks);
        // All that came since the step was reached, the looks that were lost included, and none of it twice.
        Assert.InRange(check.Candidate.Requests, check.CandidateSeen.Requests - ((TrafficObservation)lane.Since!).Candidate.Requests, check.CandidateSeen.Requests);
    }

    [Fact]
    public async Task A_provider_that_fails_is_no_data_and_never_healthy()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        scene.Target("api").Before = (method, _, _) => method == nameof(ITarget.ObserveAsync) && scene.Rollout("autumn").State == LaneState.Baking
            ? throw new IOException("the metrics are away") : Task.CompletedTask;
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { BakeMax = TimeSpan.FromMilliseconds(400) }, Scene.Step(1)] }, ["api"]);
        var held = await scene.Until("autumn", LaneState.Held);
        Assert.Equal(Verdict.NoData, held.Lanes[0].Judgement!.Verdict);
        Assert.Contains("the metrics are away", held.Lanes[0].Cause, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.Zero, held.Lanes[0].Baked);
    }

    [Fact]
    public async Task Each_look_renews_the_lease_and_an_exposure_that_was_lost_is_held_and_never_judged_as_healthy()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        int renewed = 0;
        scene.Target("api").Before = (method, order, _) => method != nameof(ITarget.RenewAsync) || (order.Share == 0.25 && Interlocked.Increment(ref renewed) <= 3)
            ? Task.CompletedTask : throw new TargetException("the lease ran out");
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { BakeMin = TimeSpan.FromMinutes(5), BakeMax = TimeSpan.FromMilliseconds(400) }, Scene.Step(1)] }, ["api"]);
        var held = await scene.Until("autumn", LaneState.Held);
        Assert.True(renewed > 3, $"{renewed} renewals");
        Assert.Equal(Verdict.NoData, held.Lanes[0].Judgement!.Verdict);
        Assert.Contains("the lease ran out", held.Lanes[0].Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hold_that_failed_is_tried_until_it_holds_and_then_no_more()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        int holds = 0;
        scene.Target("api").Before = (method, _, _) => method == nameof(ITarget.HoldAsync) && Interlocked.Increment(ref holds) <= 3 ? throw new IOException("throttled") : Task.CompletedTask;
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { BakeMin = TimeSpan.FromHours(1), BakeMax = TimeSpan.FromHours(2) }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", LaneState.Baking);
        await scene.Tell("autumn", Trigger.Pause);
        await Condition.Holds(() => holds == 4 && scene.Effects("autumn").All(effect => effect.Kind != EffectKind.Hold));
        int calls = scene.Target("api").Calls;
        await Condition.Holds(() => scene.Target("api").Calls > calls + 5);
        Assert.Equal(4, holds);
    }

    [Fact]
    public async Task A_rollback_cancels_the_forward_write_in_flight_and_comes_after_it()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        var inside = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var order = new List<string>();
        scene.Target("api").Before = async (method, _, cancellation) =>
        {
            if (method == nameof(ITarget.ExposeAsync))
            {
                inside.TrySetResult();
                try
                {
                    await Task.Delay(TimeSpan.FromMinutes(5), TimeProvider.System, cancellation);
                }
                finally
                {
                    lock (order)
                    {
                        order.Add("expose ended");
                    }
                }
            }
            else if (method == nameof(ITarget.RestoreAsync))
            {
                lock (order)
                {
                    order.Add("restore");
                }
            }
        };
        await scene.Start("autumn", "api");
        await inside.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await scene.Tell("autumn", Trigger.Rollback);
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal(["expose ended", "restore"], order.Take(2));
        Assert.Null(scene.Target("api").State.Candidate);
    }

    [Theory]
    [InlineData(nameof(ITarget.ExposeAsync), false)]
    [InlineData(nameof(ITarget.ExposeAsync), true)]
    [InlineData(nameof(ITarget.ReadAsync), false)]
    [InlineData(nameof(ITarget.ObserveAsync), true)]
    public async Task A_forward_call_that_never_returns_does_not_hold_up_the_rollback_and_changes_nothing_when_it_comes_late(string stuck, bool blocks)
    {
        var scene = Scene.New();
        // One worker, so that a call which kept its place would be noticed; a deadline longer than anybody's patience.
        (scene.Options.WorkersMax, scene.Options.CallTimeout, scene.Options.AbandonAfter) = (1, TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(100));
        await using var started = await scene.Started();
        await scene.Set("api", "web");
        var (inside, never) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        scene.Target("api").Before = (method, order, _) =>
        {
            if (method != stuck || (stuck == nameof(ITarget.ExposeAsync) && order.Share < 1))
            {
                return Task.CompletedTask;
            }
            inside.TrySetResult();
            if (blocks)
            {
                never.Task.Wait(CancellationToken.None);
            }
            return never.Task;
        };
        await scene.Start("autumn", "api");
        await inside.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await scene.Tell("autumn", Trigger.Rollback);
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal(["ExposeAsync api@1.0 api@2.0 0.25", "RestoreAsync api@1.0  0"], scene.Target("api").State.Changes);
        await scene.Start("winter", "web");
        await scene.Until("winter", LaneState.Succeeded);

        never.SetResult();
        await Condition.Holds(() => scene.Logs.Of(Microsoft.Extensions.Logging.LogLevel.Warning).Any(line => line.Contains("left behind ended", StringComparison.Ordinal)));
        Assert.Equal(2, scene.Target("api").State.Changes.Count);
        Assert.Equal(LaneState.RolledBack, scene.Rollout("autumn").State);
        scene.Logs.HasNoErrors();
    }

    [Fact]
    public async Task A_return_that_never_answers_is_left_behind_and_tried_again()
    {
        var scene = Scene.New();
        (scene.Options.CallTimeout, scene.Options.AbandonAfter) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(100));
        await using var started = await scene.Started();
        await scene.Set("api");
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", LaneState.AwaitingPromotion);
        int tries = 0;
        scene.Target("api").Before = (method, _, _) => method == nameof(ITarget.RestoreAsync) && Interlocked.Increment(ref tries) <= 2 ? new TaskCompletionSource().Task : Task.CompletedTask;
        await scene.Tell("autumn", Trigger.Rollback);
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal("api@1.0", scene.Target("api").State.Runs);
        Assert.Equal(3, tries);
    }

    [Fact]
    public async Task A_rollback_does_not_wait_for_busy_forward_workers()
    {
        var scene = Scene.New();
        scene.Options.WorkersMax = 1;
        await using var started = await scene.Started();
        await scene.Set("api", "web");
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", LaneState.AwaitingPromotion);
        var inside = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Options.CallTimeout = TimeSpan.FromMinutes(5);
        scene.Target("web").Before = async (method, _, cancellation) =>
        {
            if (method == nameof(ITarget.PrepareAsync))
            {
                inside.TrySetResult();
                await Task.Delay(TimeSpan.FromMinutes(5), TimeProvider.System, cancellation);
            }
        };
        await scene.Start("winter", "web");
        await inside.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await scene.Tell("autumn", Trigger.Rollback);
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal(LaneState.Preparing, scene.Rollout("winter").State);
    }

    [Fact]
    public async Task What_the_target_refuses_for_good_is_taken_back_with_the_cause()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        scene.Target("api").Before = (method, order, _) => method == nameof(ITarget.ExposeAsync) && order.Share == 1 ? throw new TargetException("no capacity for 100 %") : Task.CompletedTask;
        await scene.Start("autumn", "api");
        var ended = await scene.Until("autumn", LaneState.RolledBack);
        Assert.Contains("no capacity for 100 %", ended.Cause, StringComparison.Ordinal);
        Assert.Equal("api@1.0", scene.Target("api").State.Runs);
    }

    [Fact]
    public async Task A_preparation_that_fails_refuses_the_rollout_and_frees_its_targets()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api", "web");
        scene.Target("web").Tamper(now => now with { Runs = "web@0.9" });
        await scene.Start("autumn", "api", "web");
        var ended = await scene.Until("autumn", LaneState.Refused);
        Assert.Contains("runs web@0.9", ended.Cause, StringComparison.Ordinal);
        Assert.Equal(("", ""), (scene.TargetRow("api").ActiveRollout, scene.TargetRow("web").ActiveRollout));
        Assert.Empty(scene.Target("api").State.Changes);
    }

    [Fact]
    public async Task A_return_that_keeps_failing_calls_a_person_and_goes_on_trying()
    {
        var scene = Scene.New();
        scene.Options.RestoreAttemptsMax = 3;
        scene.Options.PollMax = TimeSpan.FromMilliseconds(50);
        await using var started = await scene.Started();
        await scene.Set("api");
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", LaneState.AwaitingPromotion);
        bool broken = true;
        scene.Target("api").Before = (method, _, _) => method == nameof(ITarget.RestoreAsync) && broken ? throw new IOException("unreachable") : Task.CompletedTask;
        await scene.Tell("autumn", Trigger.Rollback);
        var stuck = await scene.Until("autumn", LaneState.RollbackStuck);
        Assert.Contains("unreachable", stuck.Lanes[0].Cause, StringComparison.Ordinal);
        broken = false;
        await scene.Tell("autumn", Trigger.Resume);
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal("api@1.0", scene.Target("api").State.Runs);
    }

    [Fact]
    public async Task Forward_calls_that_keep_failing_are_given_up_after_their_time()
    {
        var scene = Scene.New();
        scene.Options.GiveUpAfter = TimeSpan.FromMilliseconds(300);
        await using var started = await scene.Started();
        await scene.Set("api");
        scene.Target("api").Before = (method, _, _) => method == nameof(ITarget.PrepareAsync) ? throw new HttpRequestException("connection refused") : Task.CompletedTask;
        await scene.Start("autumn", "api");
        var ended = await scene.Until("autumn", LaneState.Refused);
        Assert.Contains("connection refused", ended.Cause, StringComparison.Ordinal);
        Assert.True(scene.Target("api").Calls > 1, "it was tried again");
    }

    [Fact]
    public async Task A_call_that_never_answers_is_given_up_at_its_deadline()
    {
        var scene = Scene.New();
        scene.Options.CallTimeout = TimeSpan.FromMilliseconds(200);
        await using var started = await scene.Started();
        await scene.Set("api");
        int tries = 0;
        scene.Target("api").Before = (method, _, cancellation) => method == nameof(ITarget.PrepareAsync) && tries++ == 0 ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation) : Task.CompletedTask;
        await scene.Start("autumn", "api");
        await scene.Until("autumn", LaneState.Succeeded);
        Assert.Contains(scene.Logs.Of(Microsoft.Extensions.Logging.LogLevel.Warning), line => line.Contains("no answer within", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_restart_in_the_middle_carries_on()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { BakeMin = TimeSpan.FromSeconds(1) }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", LaneState.Baking);
        await scene.Restart();
        await scene.Until("autumn", LaneState.Succeeded);
        Assert.Equal(3, scene.Target("api").State.Changes.Count);
        var entries = scene.Entries("autumn");
        Assert.Equal(Enumerable.Range(1, entries.Count).Select(revision => (long)revision), entries.Select(entry => entry.Revision));
        scene.Logs.HasNoErrors();
    }

    [Fact]
    public async Task Many_rollouts_at_once_come_to_their_end()
    {
        await using var scene = await Scene.New().Started();
        var targets = Enumerable.Range(0, 32).Select(i => $"t{i:00}").ToArray();
        await scene.Set(targets);
        foreach (var target in targets)
        {
            await scene.Start($"r-{target}", target);
        }
        foreach (var target in targets)
        {
            await scene.Until($"r-{target}", LaneState.Succeeded);
            Assert.Equal(3, scene.Target(target).State.Changes.Count);
        }
        scene.Logs.HasNoErrors();
    }

    [Fact]
    public async Task The_judge_stays_armed_until_the_guard_is_over()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        await scene.Start("autumn", null, ["api"], guard: TimeSpan.FromMinutes(10));
        await scene.Until("autumn", LaneState.Succeeded);
        Assert.Equal("autumn", scene.TargetRow("api").ActiveRollout);
        scene.Target("api").ErrorRate = 0.5;
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal("api@1.0", scene.Target("api").State.Runs);
    }

    [Fact]
    public async Task An_effect_is_not_lost_when_the_store_fails_once()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        int failures = 0;
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", LaneState.AwaitingPromotion);
        scene.Database.Probe = point =>
        {
            if (point.StartsWith("commit.before/", StringComparison.Ordinal) && Interlocked.Increment(ref failures) is > 1 and < 4)
            {
                throw new InvalidOperationException("the store has the hiccups");
            }
        };
        await scene.Tell("autumn", Trigger.Promote);
        await scene.Until("autumn", LaneState.Succeeded);
        Assert.True(failures > 4);
    }
}
