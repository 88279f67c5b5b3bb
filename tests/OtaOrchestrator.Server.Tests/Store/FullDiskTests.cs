using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Store;

/// <summary>A disk that is really full: a file system of 4 MiB in memory, filled to the last byte.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_refuses_new_work_keeps_what_it_has_lets_a_rollback_through_and_recovers()
    {
        using var disk = SmallDisk.Mount();
        await using var scene = await HalfwayAsync(disk);

        disk.Fill();
        await Assert.ThrowsAsync<StoreFullException>(() => scene.Start("winter", "web"));
        await Assert.ThrowsAsync<StoreFullException>(() => scene.Tell("autumn", Trigger.Promote));
        Assert.Equal(LaneState.AwaitingPromotion, scene.Rollout("autumn").State);
        Assert.Null(scene.Ledger.Find(Scene.Environment, "winter"));
        Assert.Equal("", scene.TargetRow("web").ActiveRollout);

        var told = await scene.Tell("autumn", Trigger.Rollback, reason: "the disk is full and so is the night");
        Assert.NotNull(told.Decision.Next);
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal("api@1.0", scene.Target("api").State.Runs);
        Assert.Null(scene.Target("api").State.Candidate);

        disk.Free();
        await scene.Start("winter", "web");
        await scene.Until("winter", LaneState.Succeeded);
        Assert.Equal(1024 * 1024, new FileInfo(scene.DatabaseFile + ".reserve").Length);
    }

    [Fact]
    public async Task A_server_that_starts_again_on_a_full_disk_knows_what_it_knew_and_takes_it_back()
    {
        using var disk = SmallDisk.Mount();
        await using var scene = await HalfwayAsync(disk);
        disk.Fill();
        await Assert.ThrowsAsync<StoreFullException>(() => scene.Start("winter", "web"));
        var story = scene.Story("autumn");

        await scene.Restart();
        Assert.StartsWith(story, scene.Story("autumn"), StringComparison.Ordinal);
        Assert.Equal(LaneState.AwaitingPromotion, scene.Rollout("autumn").State);
        // What the first one gave up of its reserve is the second one's to write with.
        await scene.Tell("autumn", Trigger.Rollback, reason: "the disk is full and so is the night");
        await scene.Until("autumn", LaneState.RolledBack);
        Assert.Equal("api@1.0", scene.Target("api").State.Runs);

        disk.Free();
        await scene.Start("winter", "web");
        await scene.Until("winter", LaneState.Succeeded);
    }

    /// <summary>A rollout that has exposed something and waits for a person.</summary>
    private static async Task<Scene> HalfwayAsync(SmallDisk disk)
    {
        var scene = await Scene.At(disk.Path, reserveBytes: 1024 * 1024).Started();
        await scene.Set("api", "web");
        await scene.Start("autumn", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)] }, ["api"]);
        await scene.Until("autumn", LaneState.AwaitingPromotion);
        return scene;
    }
}
