using CsCheck;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Core.Tests.Rollouts;

public sealed class LifecycleProperties
{
    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static readonly Gen<Signal> AnySignal =
        from trigger in OneOf(Enum.GetValues<Trigger>())
        from lane in OneOf("api", "firmware")
        from verdict in OneOf(Enum.GetValues<Verdict>())
        from actor in OneOf("rel-01", "appr-01", "oncall-01")
        from full in Gen.Bool
        from agrees in Gen.Bool
        from failed in Gen.Long[0, 20]
        from seconds in Gen.Int[0, 3600]
        select trigger switch
        {
            Trigger.Looked => Example.Looked(lane, verdict) with { Elapsed = TimeSpan.FromSeconds(seconds) },
            < Trigger.Prepared => Example.Command(trigger, actor) with { Full = full, JumpMax = 1 },
            Trigger.RestorationRead => Example.Outcome(trigger, lane, TimeSpan.FromSeconds(seconds)) with { Restoration = new(agrees, "", 3, 20, failed, failed) },
            Trigger.Drifted => Example.Outcome(trigger, lane, TimeSpan.FromSeconds(seconds)) with { Drift = new($"{failed} of 20 by hand", failed / 20.0, $"{failed}", full ? "somebody" : "") },
            _ => Example.Outcome(trigger, lane, TimeSpan.FromSeconds(seconds)),
        };

    private static readonly Gen<(Signal Signal, int Seconds)[]> Trace = Gen.Select(AnySignal, Gen.Int[-7200, 7200], (signal, seconds) => (signal, seconds)).Array[0, 60];

    private static readonly Gen<Rollout> AnyRollout =
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, (needs, approval, pause) => Example.Rollout(needs, approval ? "managers-2" : null, pause));

    private static World Played(Rollout rollout, (Signal Signal, int Seconds)[] trace)
    {
        var world = new World(rollout);
        world.Tell(Example.Command(Trigger.Start));
        foreach (var (signal, seconds) in trace)
        {
            world.Now += TimeSpan.FromSeconds(seconds);
            world.Tell(signal);
        }
        return world;
    }

    [Fact]
    public void Random_traces_never_throw_and_exposure_stays_in_the_plan() => Gen.Select(AnyRollout, Trace).Sample((rollout, trace) =>
    {
        var world = Played(rollout, trace);
        foreach (var lane in world.Rollout.Lanes)
        {
            Assert.InRange(lane.Step, -1, lane.Plan.Steps.Length - 1);
            Assert.InRange(lane.Share, 0, 1);
        }
    }, iter: 2000);

    [Fact]
    public void Firmware_is_never_offered_before_the_back_end_has_succeeded() => Gen.Select(AnyRollout, Trace).Sample((rollout, trace) =>
    {
        var world = new World(rollout);
        world.Tell(Example.Command(Trigger.Start));
        bool succeeded = false;
        foreach (var (signal, _) in trace)
        {
            world.Tell(signal);
            succeeded |= world.Rollout.Lane("api").State == LaneState.Succeeded;
            Assert.True(succeeded || !world.Rollout.Lane("firmware").Exposed);
        }
    }, iter: 2000);

    [Fact]
    public void Replaying_the_journal_gives_the_row() => Gen.Select(AnyRollout, Trace).Sample((rollout, trace) =>
    {
        var world = Played(rollout, trace);
        var replayed = world.Created;
        foreach (var (signal, at) in world.Journal)
        {
            replayed = Lifecycle.Decide(replayed, signal, at).Next!;
        }
        Assert.Equal(System.Text.Json.JsonSerializer.Serialize(world.Rollout), System.Text.Json.JsonSerializer.Serialize(replayed));
    }, iter: 500);

    [Fact]
    public void Rollback_from_anywhere_ends_restored_or_had_nothing_to_restore() => Gen.Select(AnyRollout, Trace).Sample((rollout, trace) =>
    {
        var world = Played(rollout, trace);
        var refused = world.Tell(Example.Command(Trigger.Rollback, "oncall-01")).Refusal;
        if (refused is not null)
        {
            Assert.True(refused.Reason == RefusalReason.WindowClosed || world.Rollout.Lanes.All(lane => !lane.Exposed), refused.Text);
            return;
        }
        world.Run(now => now.Lanes.All(lane => lane.State is LaneState.RolledBack or LaneState.Cancelled or LaneState.Refused));
    }, iter: 1000);

    [Fact]
    public void Every_live_lane_has_what_it_lives_by_and_nothing_else() => Gen.Select(AnyRollout, Trace).Sample((rollout, trace) =>
    {
        var world = Played(rollout, trace);
        foreach (var lane in world.Rollout.Lanes)
        {
            Assert.Equal(
                Effect.Of(lane).Select(effect => effect.Kind).Order(),
                world.Effects.Where(effect => effect.Lane == lane.Name).Select(effect => effect.Kind).Order());
        }
    }, iter: 1000);
}
