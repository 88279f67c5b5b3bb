using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class DrainTests : World
{
    [Fact]
    public async Task A_replaced_destination_drains_until_its_last_request_has_its_answer()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old));
        var slow = Router.Public.GetStringAsync("/wait");
        await Old.WaitingAsync();

        var put = await Router.SetAsync(TestRouter.Body(2, 1, New));
        Assert.False((bool)put["drained"]!);
        var draining = await Router.DestinationAsync(Old);
        Assert.Equal("draining", (string?)draining["state"]);
        Assert.Equal(1, (long)draining["concurrentRequests"]!);
        Assert.Equal(New.Version, await Router.VersionAsync());
        Assert.False(slow.IsCompleted);

        Old.LetGo();
        Assert.Equal(Old.Version, await slow);
        await TestRouter.UntilAsync(async () => (bool)(await Router.RouteAsync())["drained"]!, "drained");
        var removed = await Router.DestinationAsync(Old);
        Assert.Equal("removed", (string?)removed["state"]);
        Assert.Equal(0, (long)removed["concurrentRequests"]!);
    }

    [Fact]
    public async Task Weight_0_keeps_the_destination_and_what_it_is_answering()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old, New, 1));
        var slow = Router.Public.GetStringAsync("/wait");
        await New.WaitingAsync();
        await Router.SetAsync(TestRouter.Body(1, 2, Old, New));
        var kept = await Router.DestinationAsync(New);
        Assert.Equal("active", (string?)kept["state"]);
        Assert.Equal(1, (long)kept["concurrentRequests"]!);
        Assert.Equal(Old.Version, await Router.VersionAsync());
        New.LetGo();
        Assert.Equal(New.Version, await slow);
    }

    [Fact]
    public async Task A_drained_back_end_can_stop_under_load_without_a_lost_request()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old, New, 0.5));
        using var stop = new CancellationTokenSource();
        int answered = 0;
        var clients = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await Router.VersionAsync();
                Interlocked.Increment(ref answered);
            }
        })).ToList();
        await TestRouter.UntilAsync(() => Task.FromResult(Volatile.Read(ref answered) > 200), "load");
        await Router.SetAsync(TestRouter.Body(1, 2, Old));
        await TestRouter.UntilAsync(async () => (bool)(await Router.RouteAsync())["drained"]!, "drained");
        await New.DisposeAsync();
        int stopped = Volatile.Read(ref answered);
        await TestRouter.UntilAsync(() => Task.FromResult(Volatile.Read(ref answered) > stopped + 200 || clients.Exists(client => client.IsFaulted)), "load after the stop");
        await stop.CancelAsync();
        await Task.WhenAll(clients);
    }
}
