using System.Security.Cryptography;
using OtaOrchestrator.Agent.Jobs;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Tests;

public sealed class PowerLossTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Power_lost_before_any_effect_of_an_update_leaves_a_device_that_boots_and_ends_up_updated()
    {
        await using var bench = await FleetBench.StartAsync();
        // Without a loss first: how many points there are.
        var counting = new FailingDisk(int.MaxValue);
        int enrolled = await UpdateAsync(bench, "count", counting);
        int total = counting.Effects;
        Assert.True(total > 30, string.Join(", ", counting.Log));
        int covered = 0;
        await Parallel.ForEachAsync(Enumerable.Range(1, total), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (point, _) =>
        {
            var disk = new FailingDisk(point);
            await UpdateAsync(bench, $"p{point}", disk);
            Interlocked.Add(ref covered, disk.IsOff ? 1 : 0);
        });
        output.WriteLine($"covered {covered} of {total} points, {enrolled} of them before the first report");
        // Reports may fall together differently from run to run, so that the very last points are not reached each time.
        Assert.True(covered >= total * 9 / 10, $"covered {covered} of {total}");
    }

    /// <summary>A device with the failing disk; after the loss it comes back with a good one and has to end up right.</summary>
    private static async Task<int> UpdateAsync(FleetBench bench, string serial, FailingDisk disk)
    {
        var device = await bench.DeviceAsync(serial, o => o with { CheckIn = TimeSpan.FromSeconds(30) }, disk);
        int effects = 0;
        if (await RunAsync(device, disk))
        {
            effects = disk.Effects;
        }
        await RestartIfLostAsync(device, disk);
        await Wait.UntilAsync(
            async () =>
            {
                await RestartIfLostAsync(device, disk);
                return await bench.ShadowAsync(device.Thing) is not null;
            },
            () => $"point {disk.Effects} ({disk.Log.LastOrDefault()}): {string.Join("; ", device.Events.Select(e => e.Event + " " + e.Text))}");
        var job = await bench.OfferAsync(FleetBench.Sample("2.4.0"), device.Thing);
        await Wait.UntilAsync(
            async () =>
            {
                await RestartIfLostAsync(device, disk);
                return (await bench.ShadowAsync(device.Thing))?.TryGetProperty("job", out var told) == true && told.GetProperty("outcome").GetString() == "confirmed"
                    && (await bench.Plane.SnapshotAsync()).Jobs.Single(j => j.Id == job).Executions[device.Thing] == "SUCCEEDED"
                    && device.Agent.Store.Current.Job is { Reported: true };
            },
            () => $"point {disk.Effects} ({disk.Log.LastOrDefault()}): {device.Agent.Store.Current}; {string.Join("; ", device.Events.Select(e => e.Event + " " + e.Text))}");
        Assert.Equal("2.4.0", device.Agent.Store.Current[device.Agent.Store.Current.Active]!.Version);
        Assert.Equal(JobOutcome.Confirmed, device.Agent.Store.Current.Job!.Outcome);
        await device.StopAsync();
        return effects;
    }

    private static Task<bool> RunAsync(TestDevice device, FailingDisk disk)
    {
        try
        {
            device.Start();
        }
        catch (PowerLostException)
        {
            // In the factory.
        }
        return Task.FromResult(!disk.IsOff);
    }

    private static async Task RestartIfLostAsync(TestDevice device, FailingDisk disk)
    {
        if (!disk.IsOff || device.IsOnGoodDisk)
        {
            return;
        }
        await device.StopAsync();
        AssertBootable(device.Options.StateDirectory);
        device.StartOnGoodDisk();
    }

    /// <summary>What the record on disk says boots, is there to the last byte.</summary>
    private static void AssertBootable(string directory)
    {
        var record = new DeviceStore(new Disk(), directory).Current;
        if (record is { SlotA: null, SlotB: null })
        {
            // Still in the factory.
            return;
        }
        foreach (var slot in new[] { record.Active, record.Trial ?? record.Active })
        {
            var file = Path.Combine(directory, slot == SlotName.A ? "slot-a.img" : "slot-b.img");
            Assert.Equal(record[slot]!.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
        }
    }
}
