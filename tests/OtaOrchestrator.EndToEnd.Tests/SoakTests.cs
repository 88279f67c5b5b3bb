using System.Diagnostics;
using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>Rollouts there and back, one after the other, for minutes: nothing is lost, nothing is left, nothing grows.</summary>
[Collection(Site.OneAtATime)]
public sealed class SoakTests
{
    private const double GrowthMax = 1.3;
    private static readonly TimeSpan Span = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    [Trait("Gate", "Full")]
    public async Task Rollouts_without_end_lose_no_request_and_take_no_more_memory()
    {
        await using var site = await Site.StartAsync(8);
        List<long> memory = [];
        for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Span;)
        {
            var rollout = await site.CallAsync(c => c.Rollouts.CreateRolloutAsync(new() { Parent = Site.Environment, RolloutId = $"round-{memory.Count}", Plan = Site.Plan("round", TimeSpan.FromSeconds(0.4)) }));
            await EndsAsync(site, rollout.Name, RolloutState.Succeeded, Site.FirmwareNew);
            await site.CallAsync(c => c.Rollouts.RollbackRolloutAsync(new() { Name = rollout.Name, Reason = "the round is over" }));
            await EndsAsync(site, rollout.Name, RolloutState.RolledBack, Site.FirmwareOld);
            await site.UnholdAsync();
            memory.Add(Memory.Now(site.Server.Id));
        }
        await site.AgreesAsync(() => site.Server.Output);
        var (requests, failed, text) = site.Load();
        Assert.True(requests > 0 && failed == 0, text);
        // In the first third code is compiled and pools are filled.
        var (middle, last) = (Median(memory.Skip(memory.Count / 3).Take(memory.Count / 3)), Median(memory.TakeLast(memory.Count / 3)));
        Console.WriteLine($"  covered {memory.Count} rounds, {requests} requests, {failed} failed; the server's memory {middle >> 20} MiB in the second third, {last >> 20} MiB in the last");
        Assert.True(memory.Count >= 9, "too few rounds for the time");
        Assert.True(last < middle * GrowthMax, $"the server's memory grew: {string.Join(' ', memory.Select(bytes => bytes >> 20))} MiB");
    }

    private static long Median(IEnumerable<long> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static async Task EndsAsync(Site site, string name, RolloutState state, string firmware)
    {
        await site.UntilAsync(name, state, Limit);
        await site.AllRunAsync(firmware, Limit, () => site.Server.Output);
    }
}
