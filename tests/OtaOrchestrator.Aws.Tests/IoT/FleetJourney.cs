using Amazon.IoT;
using Amazon.IoT.Model;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>A fleet's rollout in two steps, promoted and then taken back, whatever happens between; at its end nothing was offered twice and nothing stays offered but the return.</summary>
internal static class FleetJourney
{
    /// <param name="freertos">By OTA updates and a twin instead of documents.</param>
    /// <param name="acting">Does one part of it on the adapter, as often as that takes.</param>
    public static async Task ThereAndBackAsync(FleetFixture fleet, bool freertos, Func<Func<IotFleet, Task>, Task> acting)
    {
        fleet.Settings.PresignRoleArn = "arn:aws:iam::111122223333:role/ota";
        foreach (var image in (char[])['a', 'c'])
        {
            await File.WriteAllBytesAsync(Path.Combine(fleet.Firmware, new string(image, 64)), [1]);
        }

        var thing = await fleet.EnrolAsync(inFirstWave: true);
        await acting(async target => Assert.Null((await target.PrepareAsync(Order(freertos, -1), default)).Problem));
        foreach (int step in (int[])[0, 1])
        {
            await acting(async target =>
            {
                await target.ExposeAsync(Order(freertos, step), default);
                Assert.True((await target.ReadAsync(Order(freertos, step), default)).Agrees);
            });
        }

        Assert.Equal(2, (await JobsAsync(fleet, JobStatus.IN_PROGRESS)).Count);
        await acting(target => target.PromoteAsync(Order(freertos, 1), default));
        await acting(async target =>
        {
            await target.RestoreAsync(Order(freertos, 1, revision: 2), default);
            Assert.True((await target.ReadRestorationAsync(Order(freertos, 1, revision: 2), default)).Agrees);
        });
        // Two steps that were taken back, and one return, in the parts that its hundred groups need.
        var all = await JobsAsync(fleet, null);
        var updates = all.Where(job => job.Contains("-u-", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, updates.Count);
        Assert.Equal(all.Except(updates).Order(), (await JobsAsync(fleet, JobStatus.IN_PROGRESS)).Order());
        Assert.Contains("-r-", (string)(await thing.StartNextAsync())!["jobId"]!, StringComparison.Ordinal);
    }

    public static TargetOrder Order(bool freertos, int step, long revision = 1)
    {
        var order = FleetFixture.Order(step, revision: revision);
        return !freertos ? order : order with
        {
            Candidate = order.Candidate with { Document = null, Image = new OtaImage("2.4.0", new string('a', 64), "MEUCIQ==") },
            Fallback = order.Fallback with { Document = null, Image = new OtaImage("2.4.1", new string('c', 64), "MEQCIA==") },
        };
    }

    public static async Task<List<string>> JobsAsync(FleetFixture fleet, JobStatus? status) =>
        [.. (await fleet.Iot.ListJobsAsync(new ListJobsRequest { Status = status })).Jobs.Select(job => job.JobId)];
}
