using System.Diagnostics;
using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>The clock of the server's machine is set by an hour in the middle of a rollout; router, back ends and devices keep theirs.</summary>
[Collection(Site.OneAtATime)]
public sealed class ServerClockTests
{
    private const int Devices = 6;
    private static readonly TimeSpan BakeMin = TimeSpan.FromSeconds(2);

    // A look may count for two intervals, however little time has gone by.
    private static readonly TimeSpan Jump = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task A_clock_set_forward_and_back_by_an_hour_ends_no_bake_early_and_links_still_work()
    {
        var clock = new SettableClock();
        await using var site = await Site.StartAsync(Devices, clock);
        var rollout = await site.CallAsync(c => c.Rollouts.CreateRolloutAsync(new() { Parent = Site.Environment, RolloutId = "autumn", Plan = Site.Plan("autumn", BakeMin) }));

        await Bakes("api", 0, TimeSpan.FromHours(1));
        await Bakes("api", 1, TimeSpan.FromHours(-1));
        // The devices are told now, with links of this hour; those of the second wave get theirs an hour ago.
        await Reaches("firmware", RolloutState.Exposing, 0);
        clock.Offset = TimeSpan.FromHours(1);
        await Bakes("firmware", 0, TimeSpan.FromHours(-1));
        await Bakes("firmware", 1, TimeSpan.FromHours(1));
        await Ends(RolloutState.Succeeded, Site.FirmwareNew);

        await site.CallAsync(c => c.Rollouts.RollbackRolloutAsync(new() { Name = rollout.Name, Reason = "it is time, whatever the time" }));
        clock.Offset = TimeSpan.FromHours(-1);
        await Ends(RolloutState.RolledBack, Site.FirmwareOld);
        var (requests, failed, text) = site.Load();
        Assert.True(requests > 0 && failed == 0, text);

        // Sets the clock while the step bakes. Everything takes at least its time, counted by a clock that nobody sets.
        async Task Bakes(string lane, int step, TimeSpan offset)
        {
            await Reaches(lane, RolloutState.Baking, step);
            long began = Stopwatch.GetTimestamp();
            clock.Offset = offset;
            await Wait.UntilAsync(async () => await Lane(lane) is var now && (now.Step > step || now.State is not RolloutState.Baking), Limit, () => $"{lane} bakes step {step} for ever");
            Assert.True(Stopwatch.GetElapsedTime(began) > BakeMin - Jump, $"{lane} baked step {step} for {Stopwatch.GetElapsedTime(began)}");
        }

        Task Reaches(string lane, RolloutState state, int step) =>
            Wait.UntilAsync(async () => await Lane(lane) is var now && (now.Step, now.State) == (step, state), Limit, () => $"{lane} did not come to {state} of step {step}");

        async Task<Lane> Lane(string name) => (await site.CallAsync(c => c.Rollouts.GetRolloutAsync(new() { Name = rollout.Name }))).Lanes.Single(lane => lane.Name == name);

        async Task Ends(RolloutState state, string firmware)
        {
            var last = await site.UntilAsync(rollout.Name, state, Limit);
            await site.AllRunAsync(firmware, Limit, () => $"{last}");
            await site.AgreesAsync(() => $"{last}");
        }
    }

    /// <summary>The time of day can be set; timers and timestamps go on as they do.</summary>
    private sealed class SettableClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;
    }
}
