using System.Security.Cryptography;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Rollouts;

public sealed class LedgerTests
{
    [Fact]
    public async Task Row_journal_and_effects_are_one()
    {
        await using var scene = Scene.New();
        await scene.Set("api");
        var rollout = await scene.Start("autumn", "api");
        Assert.Equal(1, rollout.Revision);
        var entry = Assert.Single(scene.Entries("autumn"));
        Assert.Equal(("rel-01", "Start", 1L), (entry.Actor, entry.Trigger, entry.Revision));
        Assert.Equal(SHA256.HashData(entry.Canonical), entry.Sha256);
        Assert.Equal(EffectKind.Prepare, Assert.Single(scene.Effects("autumn")).Kind);
        Assert.Equal(("autumn", 1L), (scene.TargetRow("api").ActiveRollout, scene.TargetRow("api").Epoch));
    }

    [Fact]
    public async Task A_creation_that_fails_in_the_middle_leaves_nothing()
    {
        await using var scene = Scene.New();
        await scene.Set("api", "web");
        await scene.Start("autumn", "web");
        await Assert.ThrowsAsync<InvalidOperationException>(() => scene.Start("winter", "api", "web"));
        Assert.Equal("", scene.TargetRow("api").ActiveRollout);
        Assert.Equal(0, scene.TargetRow("api").Epoch);
        Assert.Null(scene.Ledger.Find(Scene.Environment, "winter"));
        Assert.Empty(scene.Effects("winter"));
        await Assert.ThrowsAsync<RolloutExistsException>(() => scene.Start("autumn", "api"));
        Assert.Equal("", scene.TargetRow("api").ActiveRollout);
    }

    [Fact]
    public async Task Of_many_who_say_the_same_one_moves_the_rollout()
    {
        await using var scene = Scene.New();
        await scene.Set("api");
        await scene.Start("autumn", "api");
        var told = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => scene.Tell("autumn", Trigger.Cancel, $"op-{i}")));
        Assert.Single(told, answer => answer.Decision.Next is not null);
        Assert.Equal(2, scene.Rollout("autumn").Revision);
        Assert.Equal(2, scene.Entries("autumn").Count);
    }

    [Fact]
    public async Task A_revision_that_has_passed_is_a_lost_race_and_writes_nothing()
    {
        await using var scene = Scene.New();
        await scene.Set("api");
        await scene.Start("autumn", "api");
        await Assert.ThrowsAsync<LostRaceException>(() => scene.Ledger.TellAsync(Scene.Environment, "autumn", new Signal(Trigger.Cancel, Scene.Releaser), expectedRevision: 7));
        Assert.Equal(1, scene.Rollout("autumn").Revision);
    }

    [Fact]
    public async Task A_row_that_somebody_else_moved_is_a_lost_race()
    {
        await using var scene = Scene.New();
        await scene.Set("api");
        await scene.Start("autumn", "api");
        await scene.Database.WriteAsync(db => db.Run("UPDATE rollouts SET revision = 5"));
        await Assert.ThrowsAsync<LostRaceException>(() => scene.Tell("autumn", Trigger.Cancel));
        Assert.Single(scene.Entries("autumn"));
    }

    [Fact]
    public async Task The_outcome_of_an_effect_that_was_replaced_is_dropped()
    {
        await using var scene = Scene.New();
        await scene.Set("api");
        await scene.Start("autumn", "api");
        var effect = Assert.Single(scene.Effects("autumn"));
        await scene.Tell("autumn", Trigger.Cancel);
        var late = new Signal(Trigger.Prepared, Actor.Orchestrator) { Lane = "api" };
        var told = await scene.Ledger.TellAsync(Scene.Environment, "autumn", late, effect);
        Assert.Null(told!.Decision.Next);
        Assert.Equal(LaneState.Cancelled, scene.Rollout("autumn").State);
    }

    [Fact]
    public async Task A_request_is_remembered_with_what_it_did_or_not_at_all()
    {
        await using var scene = Scene.New();
        await scene.Set("api", "web");
        var key = new RequestKey("rel-01", "req-1", SHA256.HashData("body"u8));
        await scene.Start("autumn", null, ["api"], request: key);
        var stored = scene.Database.Read(db => Journal.Request(db, "rel-01", "req-1"));
        Assert.Equal("autumn 1"u8.ToArray(), stored!.Response);
        // The same id again inside another creation: nothing of it is kept.
        await Assert.ThrowsAnyAsync<Exception>(() => scene.Start("winter", null, ["web"], request: key));
        Assert.Null(scene.Ledger.Find(Scene.Environment, "winter"));
        Assert.Equal("", scene.TargetRow("web").ActiveRollout);
    }

    [Fact]
    public async Task Rollback_of_a_success_takes_the_target_again_unless_a_newer_rollout_has_it()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        await scene.Start("autumn", "api");
        await scene.Until("autumn", LaneState.Succeeded);
        Assert.Equal(("", "api@2.0"), (scene.TargetRow("api").ActiveRollout, scene.TargetRow("api").CurrentRelease));
        await scene.Start("winter", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)], Release = "api@3.0" }, ["api"]);
        var superseded = await Assert.ThrowsAsync<SupersededException>(() => scene.Tell("autumn", Trigger.Rollback));
        Assert.Equal(("api", "winter"), (superseded.Target, superseded.Rollout));
        Assert.Equal(LaneState.Succeeded, scene.Rollout("autumn").State);
        await scene.Until("winter", LaneState.AwaitingPromotion);
        await scene.Tell("winter", Trigger.Rollback);
        await scene.Until("winter", LaneState.RolledBack);
        // Nobody has it now, but the epoch has passed: the way back of the older one is closed for good.
        await Assert.ThrowsAsync<SupersededException>(() => scene.Tell("autumn", Trigger.Rollback));
        scene.Logs.HasNoErrors();
    }

    [Fact]
    public async Task Releases_of_a_rollout_that_is_taken_back_are_held()
    {
        await using var scene = await Scene.New().Started();
        await scene.Set("api");
        await scene.Start("autumn", "api");
        await scene.Until("autumn", LaneState.Succeeded);
        await scene.Tell("autumn", Trigger.Rollback, reason: "homes were cold");
        var hold = Assert.Single(scene.Database.Read(db => Journal.HoldsIn(db, Scene.Environment)));
        Assert.Equal(("api@2.0", "autumn", "homes were cold"), (hold.Release, hold.Rollout, hold.Reason));
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal(("", "api@1.0"), (scene.TargetRow("api").ActiveRollout, scene.TargetRow("api").CurrentRelease));
        Assert.Equal("api@1.0", scene.Target("api").State.Runs);
        scene.Logs.HasNoErrors();
    }
}
