using System.Text;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Core.Tests.Rollouts;

public sealed class LifecycleTests
{
    private static World Begun(Rollout? rollout = null)
    {
        var world = new World(rollout ?? Example.Rollout());
        world.Tell(Example.Command(Trigger.Start));
        return world;
    }

    private static World FirmwareBaking() => Begun().Run(rollout => rollout.Lane("firmware").State == LaneState.Baking);

    [Fact]
    public void Good_rollout_takes_the_back_end_first_and_then_the_devices_in_waves()
    {
        var world = Begun().Run(rollout => rollout.Ended);
        Assert.Equal(LaneState.Succeeded, world.Rollout.State);
        Approved.Text(world.Transcript, "good.txt");
    }

    [Fact]
    public void Unhealthy_devices_take_both_lanes_back()
    {
        var world = FirmwareBaking();
        world.Tell(Example.Looked("firmware", Verdict.Unhealthy));
        world.Run(rollout => rollout.State == LaneState.RolledBack);
        Approved.Text(world.Transcript, "bad-firmware.txt");
    }

    [Fact]
    public void Back_end_that_the_new_firmware_needs_goes_back_after_the_devices()
    {
        var world = Begun(Example.Rollout(firmwareNeedsNewApi: true)).Run(rollout => rollout.Lane("firmware").State == LaneState.Baking);
        world.Tell(Example.Command(Trigger.Rollback, "oncall-01"));
        Assert.Equal(LaneState.AwaitingUndo, world.Rollout.Lane("api").State);
        Assert.DoesNotContain(world.Effects, effect => effect.Lane == "api");
        world.Run(rollout => rollout.Lane("firmware").State == LaneState.RolledBack);
        Assert.Equal(LaneState.RollingBack, world.Rollout.Lane("api").State);
        world.Run(rollout => rollout.State == LaneState.RolledBack);
    }

    [Fact]
    public void Second_rollback_is_an_explicit_no_op()
    {
        var world = FirmwareBaking();
        world.Tell(Example.Command(Trigger.Rollback));
        long revision = world.Rollout.Revision;
        var again = world.Tell(Example.Command(Trigger.Rollback, "oncall-01"));
        Assert.Null(again.Refusal);
        Assert.Null(again.Next);
        Assert.Equal(revision, world.Rollout.Revision);
    }

    [Fact]
    public void Rollback_is_possible_in_every_state_that_exposed_anything()
    {
        foreach (var state in Enum.GetValues<LaneState>().Where(state => state is not (LaneState.Pending or LaneState.Preparing or LaneState.Ready or LaneState.Refused or LaneState.Cancelled or LaneState.Superseded)))
        {
            var exposed = Example.Rollout();
            exposed = exposed with { Lanes = [exposed.Lanes[0] with { State = state, Step = 1 }, exposed.Lanes[1] with { State = LaneState.Ready }] };
            var decision = Lifecycle.Decide(exposed, Example.Command(Trigger.Rollback), Example.Start);
            Assert.Null(decision.Refusal);
            if (decision.Next is { } next)
            {
                Assert.Equal(LaneState.RollingBack, next.Lanes[0].State);
            }
            else
            {
                Assert.Contains(state, new[] { LaneState.RollingBack, LaneState.RolledBack, LaneState.AwaitingUndo });
            }
        }
    }

    [Fact]
    public void Rollback_of_nothing_is_refused_and_cancel_of_something_too()
    {
        var world = Begun();
        Assert.Equal(RefusalReason.NothingToUndo, world.Tell(Example.Command(Trigger.Rollback)).Refusal?.Reason);
        world.Run(rollout => rollout.Lane("api").Exposed);
        Assert.Equal(RefusalReason.WrongState, world.Tell(Example.Command(Trigger.Cancel)).Refusal?.Reason);
    }

    [Fact]
    public void Rollback_after_success_is_bound_to_its_window()
    {
        var world = Begun().Run(rollout => rollout.Ended);
        world.Now += TimeSpan.FromHours(71);
        Assert.NotNull(Lifecycle.Decide(world.Rollout, Example.Command(Trigger.Rollback), world.Now).Next);
        world.Now += TimeSpan.FromHours(2);
        Assert.Equal(RefusalReason.WindowClosed, world.Tell(Example.Command(Trigger.Rollback)).Refusal?.Reason);
    }

    [Fact]
    public void Lane_named_alone_goes_back_at_once_though_another_needs_it()
    {
        var world = new World(Example.Rollout(firmwareNeedsNewApi: true));
        world.Tell(Example.Command(Trigger.Start));
        world.Run(rollout => rollout.Lane("firmware").State == LaneState.Baking);
        world.Tell(Example.Command(Trigger.Rollback) with { Lane = "api" });
        Assert.Equal(LaneState.RollingBack, world.Rollout.Lane("api").State);
        Assert.Equal(LaneState.Paused, world.Rollout.Lane("firmware").State);
        // What waits for a person names the rollout, not what is over.
        world.Run(rollout => rollout.Lane("api").State == LaneState.RolledBack);
        Assert.Equal((LaneState.Paused, false), (world.Rollout.State, world.Rollout.Ended));
    }

    [Fact]
    public void Lane_that_waits_for_another_to_be_undone_goes_back_when_a_person_names_it()
    {
        var world = new World(Example.Rollout(firmwareNeedsNewApi: true));
        world.Tell(Example.Command(Trigger.Start));
        world.Run(rollout => rollout.Lane("firmware").State == LaneState.Baking);
        world.Tell(Example.Command(Trigger.Rollback));
        Assert.Equal(LaneState.AwaitingUndo, world.Rollout.Lane("api").State);
        world.Tell(Example.Command(Trigger.Rollback) with { Lane = "api" });
        Assert.Equal(LaneState.RollingBack, world.Rollout.Lane("api").State);
        Assert.Equal(LaneState.RollingBack, world.Rollout.Lane("firmware").State);
    }

    [Fact]
    public void Rollout_ends_when_a_lane_was_taken_back_alone_and_can_still_be_taken_back_whole()
    {
        var world = Begun().Run(rollout => rollout.Lane("firmware").State == LaneState.Baking);
        world.Tell(Example.Command(Trigger.Rollback) with { Lane = "firmware" });
        world.Run(rollout => rollout.Ended);
        Assert.Equal([LaneState.Succeeded, LaneState.RolledBack], world.Rollout.Lanes.Select(lane => lane.State));
        world.Tell(Example.Command(Trigger.Rollback));
        world.Run(rollout => rollout.Ended);
        Assert.All(world.Rollout.Lanes, lane => Assert.Equal(LaneState.RolledBack, lane.State));
    }

    [Fact]
    public void Lanes_that_exposed_nothing_are_cancelled_when_the_one_before_them_goes_back_alone()
    {
        var world = Begun().Run(rollout => rollout.Lane("api").State == LaneState.Baking);
        world.Tell(Example.Command(Trigger.Rollback) with { Lane = "api" });
        world.Run(rollout => rollout.Ended);
        Assert.Equal([LaneState.RolledBack, LaneState.Cancelled], world.Rollout.Lanes.Select(lane => lane.State));
    }

    [Fact]
    public void Lane_that_succeeded_early_is_taken_back_with_the_later_one_however_long_that_took()
    {
        var world = Begun().Run(rollout => rollout.Lane("firmware").State == LaneState.Baking);
        Assert.Equal(LaneState.Succeeded, world.Rollout.Lane("api").State);
        world.Now += TimeSpan.FromDays(30);
        world.Tell(Example.Looked("firmware", Verdict.Unhealthy));
        world.Run(rollout => rollout.Ended);
        Assert.All(world.Rollout.Lanes, lane => Assert.Equal(LaneState.RolledBack, lane.State));
    }

    [Theory]
    [InlineData(LaneState.Paused)]
    [InlineData(LaneState.AwaitingApproval)]
    [InlineData(LaneState.AwaitingPromotion)]
    [InlineData(LaneState.Promoting)]
    [InlineData(LaneState.Held)]
    [InlineData(LaneState.Succeeded)]
    public void Judge_stays_armed(LaneState state)
    {
        var rollout = Example.Rollout(guard: TimeSpan.FromHours(24));
        var lane = rollout.Lanes[0] with { State = state, Step = 1 };
        rollout = rollout with { Lanes = [lane, rollout.Lanes[1] with { State = LaneState.Ready }] };
        Assert.Contains(Effect.Of(lane), effect => effect.Kind == EffectKind.Look);
        var decision = Lifecycle.Decide(rollout, Example.Looked("api", Verdict.Unhealthy), Example.Start);
        Assert.Equal(LaneState.RollingBack, decision.Next?.Lane("api").State);
    }

    [Fact]
    public void Evidence_of_a_committed_look_outlives_its_step()
    {
        var world = Begun().Run(rollout => rollout.Lane("api") is { State: LaneState.Baking, Step: 1 });
        var evidence = new Evidence { Instance = "a", Looks = 3 };
        world.Tell(Example.Looked("api") with { Judgement = Example.Judgement(Verdict.Healthy) with { Evidence = evidence } });
        Assert.Equal(evidence, world.Rollout.Lane("api").Evidence);
        Assert.Null(world.Rollout.Lane("api").Judgement?.Evidence);
        world.Run(rollout => rollout.Lane("api") is { State: LaneState.Baking, Step: 2 });
        Assert.Equal(evidence, world.Rollout.Lane("api").Evidence);
        world.Tell(Example.Looked("api", Verdict.Unhealthy) with { Judgement = Example.Judgement(Verdict.Unhealthy) with { Evidence = evidence with { Looks = 9 } } });
        Assert.Equal(9, world.Rollout.Lane("api").Evidence?.Looks);
    }

    [Theory]
    [InlineData(LaneState.AwaitingApproval)]
    [InlineData(LaneState.Exposing)]
    [InlineData(LaneState.Baking)]
    [InlineData(LaneState.AwaitingPromotion)]
    [InlineData(LaneState.Held)]
    [InlineData(LaneState.Promoting)]
    public void Judge_that_may_only_freeze_stops_every_lane_where_it_is(LaneState state)
    {
        var rollout = Frozen(state);
        var decision = Lifecycle.Decide(rollout, Example.Looked("firmware", Verdict.Unhealthy), Example.Start);
        Assert.Equal([LaneState.Paused, LaneState.Paused], decision.Next!.Lanes.Select(lane => lane.State));
        Assert.Equal("frozen: firmware: is Unhealthy", decision.Next.Cause);
        Assert.DoesNotContain(decision.Effects, effect => effect.Kind is EffectKind.Restore or EffectKind.Expose or EffectKind.Promote);
        Assert.Contains(decision.Effects, effect => effect is { Lane: "firmware", Kind: EffectKind.Look });
        // Seen again and again it is still one thing to decide, and only a person's.
        Assert.Null(Lifecycle.Decide(decision.Next, Example.Looked("firmware", Verdict.Unhealthy), Example.Start).Next);
        Assert.Equal(LaneState.RollingBack, Lifecycle.Decide(decision.Next, Example.Command(Trigger.Rollback), Example.Start).Next?.State);
        Assert.NotNull(Lifecycle.Decide(decision.Next, Example.Command(Trigger.Resume), Example.Start).Next);
    }

    [Theory]
    [InlineData(LaneState.AwaitingApproval, LaneState.AwaitingApproval)]
    [InlineData(LaneState.AwaitingPromotion, LaneState.AwaitingPromotion)]
    [InlineData(LaneState.Baking, LaneState.Exposing)]
    public void Who_resumes_a_frozen_lane_overrules_what_froze_it(LaneState state, LaneState resumed)
    {
        var fleet = new FleetObservation(10, 10, 0, [new StartBucket(1, 10, 4, 5, 1)], 0, 0, []);
        var evidence = new Evidence { Instance = "a", Looks = 3 };
        var rollout = Frozen(state);
        rollout = rollout with { Lanes = rollout.Lanes.SetItem(1, rollout.Lanes[1] with { Evidence = evidence }) };
        var looked = Example.Looked("firmware", Verdict.Unhealthy) with { Observation = fleet };
        var frozen = Lifecycle.Decide(rollout, looked with { Judgement = looked.Judgement! with { Evidence = evidence with { Looks = 4 } } }, Example.Start).Next!;
        var next = Lifecycle.Decide(frozen, Example.Command(Trigger.Resume), Example.Start).Next!;
        var lane = next.Lane("firmware");
        Assert.Equal((resumed, "", "", 2), (lane.State, lane.Cause, next.Cause, lane.Attempt));
        Assert.Equal((null, null, fleet), (lane.Evidence, lane.Judgement, lane.Overruled));
        // The other lane had done nothing: what was seen of it still counts.
        Assert.Equal((2, null), (next.Lane("api").Attempt, next.Lane("api").Overruled));
    }

    [Fact]
    public void Pause_of_a_persons_own_forgives_nothing()
    {
        var evidence = new Evidence { Instance = "a", Looks = 3 };
        var world = Begun().Run(rollout => rollout.Lane("api") is { State: LaneState.Baking, Step: 1 });
        world.Tell(Example.Looked("api") with { Judgement = Example.Judgement(Verdict.Healthy) with { Evidence = evidence } });
        world.Tell(Example.Command(Trigger.Pause));
        world.Tell(Example.Command(Trigger.Resume));
        Assert.Equal(evidence, world.Rollout.Lane("api").Evidence);
    }

    [Fact]
    public void Return_in_waves_took_as_long_as_all_its_waves()
    {
        var world = FirmwareBaking();
        world.Tell(Example.Command(Trigger.Rollback));
        world.Run(rollout => rollout.Ended);
        var lane = world.Rollout.Lane("firmware");
        Assert.Equal(2, lane.UndoShares(world.Rollout.Plan).Length);
        Assert.Equal(TimeSpan.FromSeconds(40), lane.ReturnTook);
    }

    [Fact]
    public void Success_that_turns_ill_inside_its_guard_is_recorded_and_guarded_on_where_the_judge_may_only_freeze()
    {
        var rollout = Frozen(LaneState.Succeeded, guard: TimeSpan.FromHours(1));
        var ill = Lifecycle.Decide(rollout, Example.Looked("firmware", Verdict.Unhealthy), Example.Start).Next!;
        Assert.Equal((LaneState.Succeeded, "frozen: firmware: is Unhealthy"), (ill.Lane("firmware").State, ill.Lane("firmware").Cause));
        Assert.Null(Lifecycle.Decide(ill, Example.Looked("firmware", Verdict.Unhealthy) with { Elapsed = TimeSpan.FromHours(2) }, Example.Start).Next);
        Assert.Equal(LaneState.RollingBack, Lifecycle.Decide(ill, Example.Command(Trigger.Rollback), Example.Start).Next?.State);
    }

    [Fact]
    public void Rehearsal_turns_round_at_its_last_step_and_says_how_long_the_way_back_took()
    {
        var rollout = Example.Rollout();
        var lane = rollout.Lanes[0] with { Plan = rollout.Lanes[0].Plan with { Steps = [new Core.Plans.StepPlan { Share = 0 }] } };
        var world = Begun(rollout with { Rehearsal = true, Lanes = [lane] }).Run(now => now.State == LaneState.RollingBack);
        Assert.DoesNotContain(world.Effects, effect => effect.Kind == EffectKind.Promote);
        var back = Lifecycle.Decide(world.Rollout, Example.Outcome(Trigger.RestorationRead, "api", TimeSpan.FromSeconds(1.5)), Example.Start).Next!;
        Assert.Equal((LaneState.RolledBack, TimeSpan.FromSeconds(1.5)), (back.State, back.Lanes[0].ReturnTook));
    }

    private static Rollout Frozen(LaneState state, TimeSpan guard = default)
    {
        var rollout = Example.Rollout(guard: guard);
        return rollout with
        {
            Plan = rollout.Plan with { Judge = rollout.Plan.Judge with { Unhealthy = Core.Plans.OnVerdict.Freeze } },
            Lanes = [rollout.Lanes[0] with { State = LaneState.Baking, Step = 2 }, rollout.Lanes[1] with { State = state, Step = 1 }],
        };
    }

    [Theory]
    [InlineData(LaneState.Preparing, -1)]
    [InlineData(LaneState.Exposing, 1)]
    [InlineData(LaneState.Baking, 1)]
    [InlineData(LaneState.Paused, 1)]
    [InlineData(LaneState.Held, 1)]
    [InlineData(LaneState.Promoting, 2)]
    [InlineData(LaneState.Succeeded, 2)]
    public void Superseded_rollout_is_over_and_leaves_what_it_exposed_to_its_successor(LaneState state, int step)
    {
        var rollout = Example.Rollout(guard: TimeSpan.FromHours(1));
        rollout = rollout with { Lanes = [rollout.Lanes[0] with { State = state, Step = step }, rollout.Lanes[1] with { State = LaneState.Ready }] };
        var decision = Lifecycle.Decide(rollout, Example.Command(Trigger.Supersede) with { Reason = "winter" }, Example.Start);
        Assert.Equal((LaneState.Superseded, "winter", true), (decision.Next!.State, decision.Next.SupersededBy, decision.Next.Ended));
        Assert.Empty(decision.Effects);
        Assert.Equal(["api", "firmware"], decision.Replanned);
        Assert.Equal("superseded by winter: roll that back", Lifecycle.Decide(decision.Next, Example.Command(Trigger.Rollback), Example.Start).Refusal?.Text);
    }

    [Theory]
    [InlineData(LaneState.RollingBack)]
    [InlineData(LaneState.RollbackStuck)]
    [InlineData(LaneState.AwaitingUndo)]
    [InlineData(LaneState.RolledBack)]
    public void What_is_taken_back_is_not_superseded(LaneState state)
    {
        var rollout = Example.Rollout();
        rollout = rollout with { Lanes = [rollout.Lanes[0] with { State = state, Step = 1 }, rollout.Lanes[1] with { State = LaneState.Ready }] };
        Assert.Equal(RefusalReason.WrongState, Lifecycle.Decide(rollout, Example.Command(Trigger.Supersede), Example.Start).Refusal?.Reason);
    }

    [Theory]
    [InlineData(LaneState.Preparing, Trigger.PreparationFailed)]
    [InlineData(LaneState.Preparing, Trigger.Rollback)]
    [InlineData(LaneState.Ready, Trigger.Rollback)]
    public void Successor_that_comes_to_nothing_takes_back_what_it_took_over(LaneState state, Trigger trigger)
    {
        var rollout = Example.Rollout();
        rollout = rollout with { Lanes = [rollout.Lanes[0] with { State = state, Predecessors = [new Predecessor("autumn", "api", "thermostat-api@5.1.0", "sha256:0", 1, [])] }, rollout.Lanes[1] with { State = LaneState.Preparing }] };
        Assert.NotNull(Lifecycle.Decide(rollout, Example.Command(Trigger.Cancel), Example.Start).Refusal);
        var signal = trigger == Trigger.Rollback ? Example.Command(trigger) : Example.Outcome(trigger, "api");
        var decision = Lifecycle.Decide(rollout, signal, Example.Start);
        Assert.Equal([LaneState.RollingBack, LaneState.Cancelled], decision.Next!.Lanes.Select(lane => lane.State));
        Assert.Contains(decision.Effects, effect => effect is { Lane: "api", Kind: EffectKind.Restore });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void Clock_that_jumps_an_hour_ends_no_bake(int hours)
    {
        var world = FirmwareBaking();
        var baked = world.Rollout.Lane("firmware").Baked;
        world.Now += TimeSpan.FromHours(hours);
        world.Tell(Example.Looked("firmware"));
        var lane = world.Rollout.Lane("firmware");
        Assert.Equal(LaneState.Baking, lane.State);
        Assert.True(lane.Baked - baked <= TimeSpan.FromMinutes(2));
        world.Now += TimeSpan.FromMinutes(1);
        world.Tell(Example.Looked("firmware"));
        Assert.Equal(TimeSpan.FromMinutes(1), world.Rollout.Lane("firmware").Baked - lane.Baked);
    }

    [Fact]
    public void Missing_evidence_holds_and_later_evidence_goes_on()
    {
        var world = FirmwareBaking();
        for (int i = 0; i < 61 && world.Rollout.Lane("firmware").State == LaneState.Baking; i++)
        {
            world.Now += TimeSpan.FromMinutes(1);
            world.Tell(Example.Looked("firmware", Verdict.NoData));
        }
        Assert.Equal(LaneState.Held, world.Rollout.State);
        Assert.Contains("evidence missing", world.Rollout.Lane("firmware").Cause, StringComparison.Ordinal);
        world.Run(rollout => rollout.Ended);
        Assert.Equal(LaneState.Succeeded, world.Rollout.State);
    }

    [Fact]
    public void Approval_wants_distinct_persons_other_than_the_one_who_started()
    {
        var world = Begun(Example.Rollout(approval: "managers-2")).Run(rollout => rollout.State == LaneState.AwaitingApproval);
        Assert.Equal(RefusalReason.NotApprover, world.Tell(Example.Command(Trigger.Approve, "rel-01")).Refusal?.Reason);
        world.Tell(Example.Command(Trigger.Approve, "appr-01"));
        Assert.Null(world.Tell(Example.Command(Trigger.Approve, "appr-01")).Next);
        Assert.Equal(LaneState.AwaitingApproval, world.Rollout.State);
        world.Tell(Example.Command(Trigger.Approve, "appr-02"));
        Assert.Equal(LaneState.Exposing, world.Rollout.Lane("firmware").State);
    }

    [Fact]
    public void Paused_wave_resumes_as_a_new_attempt_of_the_same_step()
    {
        var world = FirmwareBaking();
        int step = world.Rollout.Lane("firmware").Step;
        world.Tell(Example.Command(Trigger.Pause));
        Assert.Contains(world.Effects, effect => effect.Kind == EffectKind.Hold);
        world.Tell(Example.Command(Trigger.Resume));
        var lane = world.Rollout.Lane("firmware");
        Assert.Equal((LaneState.Exposing, step, 2), (lane.State, lane.Step, lane.Attempt));
    }

    [Fact]
    public void Promote_full_is_bound_to_the_largest_jump()
    {
        var world = Begun().Run(rollout => rollout.Lane("api") is { State: LaneState.Baking, Step: 1 });
        Assert.Equal(RefusalReason.Gate, world.Tell(Example.Command(Trigger.Promote) with { Full = true, JumpMax = 0.5 }).Refusal?.Reason);
        world.Tell(Example.Command(Trigger.Promote) with { Full = true, JumpMax = 0.9 });
        Assert.Equal((LaneState.Exposing, 2), (world.Rollout.Lane("api").State, world.Rollout.Lane("api").Step));
    }

    [Fact]
    public void Failed_preparation_refuses_the_whole_rollout_before_any_exposure()
    {
        var world = Begun();
        world.Tell(Example.Outcome(Trigger.PreparationFailed, "firmware"));
        Assert.Equal(LaneState.Refused, world.Rollout.State);
        Assert.True(world.Rollout.Ended);
        Assert.All(world.Rollout.Lanes, lane => Assert.False(lane.Exposed));
        Assert.Empty(world.Effects);
    }

    [Fact]
    public void Rollback_that_fails_too_often_is_stuck_halts_and_goes_on()
    {
        var world = FirmwareBaking();
        world.Tell(Example.Command(Trigger.Rollback));
        world.Tell(Example.Outcome(Trigger.RestorationRead, "firmware") with { Restoration = new(false, "", Candidate: 3, Returned: 1, Failed: 6) });
        Assert.Equal(LaneState.RollbackStuck, world.Rollout.State);
        world.Tell(Example.Command(Trigger.Halt));
        Assert.DoesNotContain(world.Effects, effect => effect.Lane == "firmware");
        world.Tell(Example.Command(Trigger.Rollback));
        world.Run(rollout => rollout.State == LaneState.RolledBack);
    }

    [Fact]
    public void Return_is_done_only_after_a_late_forward_call_would_have_shown()
    {
        var world = Begun().Run(rollout => rollout.Lane("api").State == LaneState.Exposing);
        world.Tell(Example.Command(Trigger.Rollback));
        world.Tell(Example.Outcome(Trigger.RestorationRead, "api", Lifecycle.CallDeadline - TimeSpan.FromSeconds(1)));
        Assert.Equal(LaneState.RollingBack, world.Rollout.Lane("api").State);
        world.Tell(Example.Outcome(Trigger.RestorationRead, "api", Lifecycle.CallDeadline));
        Assert.Equal(LaneState.RolledBack, world.Rollout.Lane("api").State);
    }

    [Fact]
    public void Every_state_and_trigger()
    {
        var table = new StringBuilder();
        foreach (var state in Enum.GetValues<LaneState>())
        {
            foreach (var trigger in Enum.GetValues<Trigger>())
            {
                var rollout = Example.Rollout();
                bool exposed = state is not (LaneState.Pending or LaneState.Preparing or LaneState.Ready or LaneState.Refused or LaneState.Cancelled);
                var lane = rollout.Lanes[0] with { State = state, Step = exposed ? 1 : -1 };
                var (next, unmet) = Lifecycle.Fire(rollout with { Lanes = [lane, rollout.Lanes[1]] }, lane, trigger, Example.Start);
                if (next is not null || unmet.StartsWith("not so", StringComparison.Ordinal))
                {
                    table.Append($"{state,-18} {trigger,-18} {(next is { } to ? "-> " + to : unmet)}\n");
                }
            }
        }
        Approved.Text(table.ToString(), "states.txt");
    }

    [Fact]
    public void State_diagram_of_the_documentation_is_the_machines_own()
    {
        Approved.Text(Lifecycle.Diagram(Example.Rollout()), "diagram.txt");
        var documentation = File.ReadAllText(Path.Combine(Root(), "docs", "architecture.md"));
        Assert.Contains(Lifecycle.Diagram(Example.Rollout()).ReplaceLineEndings("\n").Trim(), documentation, StringComparison.Ordinal);
    }

    private static string Root([System.Runtime.CompilerServices.CallerFilePath] string source = "")
    {
        var directory = new DirectoryInfo(Path.GetDirectoryName(source)!);
        while (!File.Exists(Path.Combine(directory.FullName, "OtaOrchestrator.sln")))
        {
            directory = directory.Parent!;
        }
        return directory.FullName;
    }
}
