using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Core.Tests.Rollouts;

/// <summary>Somebody else changed a target: nothing is overwritten until a person has seen it, and the judge goes on.</summary>
public sealed class DriftTests
{
    private static readonly Drift ByHand = new("live sends 50 % to 42; it was 5 %", 0.5, "seen by hand");

    private static Rollout In(LaneState state, int step)
    {
        var rollout = Example.Rollout(guard: TimeSpan.FromHours(1));
        return rollout with { Lanes = [rollout.Lanes[0] with { State = state, Step = step, Share = 0.05, Seen = "as written" }, rollout.Lanes[1] with { State = LaneState.Ready }] };
    }

    private static Decision Tell(Rollout rollout, Signal signal) => Lifecycle.Decide(rollout, signal, Example.Start);

    private static Rollout Drifted(LaneState from, int step) => Tell(In(from, step), Example.Outcome(Trigger.Drifted, "api") with { Drift = ByHand }).Next!;

    [Theory]
    [InlineData(LaneState.Exposing, 0)]
    [InlineData(LaneState.Baking, 0)]
    [InlineData(LaneState.AwaitingPromotion, 0)]
    [InlineData(LaneState.Paused, 0)]
    [InlineData(LaneState.Held, 0)]
    [InlineData(LaneState.Promoting, 2)]
    [InlineData(LaneState.Succeeded, 2)]
    public void A_change_by_somebody_else_stops_the_lane_and_is_named(LaneState state, int step)
    {
        var decision = Tell(In(state, step), Example.Outcome(Trigger.Drifted, "api") with { Drift = ByHand });
        var lane = decision.Next!.Lane("api");
        Assert.Equal((LaneState.Drifted, ByHand.What, 0.5, "seen by hand"), (decision.Next.State, lane.Cause, lane.Share, lane.Seen));
        Assert.Equal([EffectKind.Look], decision.Effects.Select(effect => effect.Kind));
        Assert.Contains(ByHand.What, decision.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_successor_that_has_not_begun_has_nothing_of_its_own_to_miss()
    {
        var rollout = In(LaneState.AwaitingApproval, -1);
        rollout = rollout with { Lanes = [rollout.Lanes[0] with { Predecessors = [new Predecessor("spring", "api", "api@1", "sha256:0", 1, [])] }, rollout.Lanes[1]] };
        Assert.Null(Tell(rollout, Example.Outcome(Trigger.Drifted, "api") with { Drift = ByHand }).Next);
    }

    [Theory]
    [InlineData(LaneState.Preparing)]
    [InlineData(LaneState.Ready)]
    [InlineData(LaneState.RollingBack)]
    [InlineData(LaneState.RolledBack)]
    public void What_exposed_nothing_or_goes_back_is_not_stopped(LaneState state) =>
        Assert.Null(Tell(In(state, state is LaneState.Preparing or LaneState.Ready ? -1 : 0), Example.Outcome(Trigger.Drifted, "api") with { Drift = ByHand }).Next);

    [Fact]
    public void The_author_is_added_when_he_is_known_and_the_same_news_is_no_news()
    {
        var drifted = Drifted(LaneState.Baking, 0);
        Assert.Null(Tell(drifted, Example.Outcome(Trigger.Drifted, "api") with { Drift = ByHand }).Next);
        var named = Tell(drifted, Example.Outcome(Trigger.Drifted, "api") with { Drift = ByHand with { Author = "night-shift" } }).Next!;
        Assert.Equal($"{ByHand.What}, by night-shift", named.Lane("api").Cause);
        Assert.Equal(LaneState.Baking, named.Lane("api").ResumeTo);
    }

    [Theory]
    [InlineData(LaneState.Baking, 0, LaneState.Exposing, EffectKind.Expose)]
    [InlineData(LaneState.Paused, 0, LaneState.Exposing, EffectKind.Expose)]
    [InlineData(LaneState.Promoting, 2, LaneState.Promoting, EffectKind.Promote)]
    [InlineData(LaneState.Succeeded, 2, LaneState.Promoting, EffectKind.Promote)]
    public void Who_takes_overwrites_what_he_has_seen_and_nothing_newer(LaneState from, int step, LaneState to, EffectKind effect)
    {
        var decision = Tell(Drifted(from, step), Example.Command(Trigger.Take));
        var lane = decision.Next!.Lane("api");
        Assert.Equal((to, step, null, ""), (lane.State, lane.Step, lane.Drift, lane.Cause));
        Assert.Equal("seen by hand", lane.Order(decision.Next, decision.Next.Revision).Seen);
        Assert.Contains(decision.Effects, one => one.Kind == effect);
    }

    [Theory]
    [InlineData(LaneState.Baking, 0, LaneState.Baking)]
    [InlineData(LaneState.AwaitingPromotion, 0, LaneState.AwaitingPromotion)]
    [InlineData(LaneState.Held, 0, LaneState.Baking)]
    [InlineData(LaneState.Succeeded, 2, LaneState.Succeeded)]
    public void Who_accepts_goes_on_from_what_is_there(LaneState from, int step, LaneState to)
    {
        var lane = Tell(Drifted(from, step), Example.Command(Trigger.Accept)).Next!.Lane("api");
        Assert.Equal((to, null, 0.5, "seen by hand"), (lane.State, lane.Drift, lane.Share, lane.Seen));
    }

    [Fact]
    public void Resuming_says_neither_and_is_refused() => Assert.Equal(RefusalReason.WrongState, Tell(Drifted(LaneState.Baking, 0), Example.Command(Trigger.Resume)).Refusal?.Reason);

    [Fact]
    public void The_judge_and_people_take_back_from_there()
    {
        var drifted = Drifted(LaneState.Baking, 0);
        Assert.Equal(LaneState.RollingBack, Tell(drifted, Example.Looked("api", Verdict.Unhealthy)).Next!.State);
        var back = Tell(drifted, Example.Command(Trigger.Rollback)).Next!;
        Assert.Equal((LaneState.RollingBack, null), (back.State, back.Lane("api").Drift));
    }

    [Fact]
    public void Neither_take_nor_accept_means_anything_where_nothing_was_changed()
    {
        Assert.NotNull(Tell(In(LaneState.Baking, 0), Example.Command(Trigger.Take)).Refusal);
        Assert.NotNull(Tell(In(LaneState.Baking, 0), Example.Command(Trigger.Accept)).Refusal);
    }
}
