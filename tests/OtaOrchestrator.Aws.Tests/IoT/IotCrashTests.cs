using Amazon.IoT;
using Amazon.IoT.Model;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>A fleet's rollout there and back, dying at a call to AWS IoT before it was sent or before anybody heard its answer, and going on in another process.</summary>
public sealed class IotCrashTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Whatever_call_it_dies_at_nothing_is_offered_twice_and_nothing_stays_offered(bool freertos) => DyingAsync(freertos, every: 7);

    [Theory]
    [Trait("Gate", "Full")]
    [InlineData(false)]
    [InlineData(true)]
    public Task At_each_call_it_may_die_and_nothing_is_offered_twice(bool freertos) => DyingAsync(freertos, every: 1);

    private static async Task DyingAsync(bool freertos, int every)
    {
        int calls = await ThereAndBackAsync(freertos, new Crashing());
        Assert.True(calls > 20, $"{calls} calls");
        for (int at = 1; at <= calls; at += every)
        {
            foreach (var after in (bool[])[false, true])
            {
                var crashing = new Crashing { At = at, AfterActing = after };
                Assert.True(await ThereAndBackAsync(freertos, crashing) > at, $"it did not die at call {at} of {calls}");
            }
        }
    }

    private static async Task<int> ThereAndBackAsync(bool freertos, Crashing crashing)
    {
        await using var fleet = await FleetFixture.StartAsync();
        fleet.Settings.PresignRoleArn = "arn:aws:iam::111122223333:role/ota";
        foreach (var image in (char[])['a', 'c'])
        {
            await File.WriteAllBytesAsync(Path.Combine(fleet.Firmware, new string(image, 64)), [1]);
        }

        var thing = await fleet.EnrolAsync(inFirstWave: true);
        using var client = fleet.Dying(crashing);
        IotFleet target = null!;
        Restart();
        await Crashing.ResumedAsync(Restart, async () => Assert.Null((await target.PrepareAsync(Order(-1), default)).Problem));
        foreach (int step in (int[])[0, 1])
        {
            await Crashing.ResumedAsync(Restart, async () =>
            {
                await target.ExposeAsync(Order(step), default);
                Assert.True((await target.ReadAsync(Order(step), default)).Agrees);
            });
        }

        Assert.Equal(2, (await JobsAsync(JobStatus.IN_PROGRESS)).Count);
        await Crashing.ResumedAsync(Restart, () => target.PromoteAsync(Order(1), default));
        await Crashing.ResumedAsync(Restart, async () =>
        {
            await target.RestoreAsync(Order(1, revision: 2), default);
            Assert.True((await target.ReadRestorationAsync(Order(1, revision: 2), default)).Agrees);
        });
        // Two steps that were taken back, and one return, in the parts that its hundred groups need.
        var all = await JobsAsync(null);
        Assert.Equal(2, all.Count(job => job.Contains("-u-", StringComparison.Ordinal)));
        Assert.Equal(all.Except(all.Where(job => job.Contains("-u-", StringComparison.Ordinal))).Order(), (await JobsAsync(JobStatus.IN_PROGRESS)).Order());
        Assert.Contains("-r-", (string)(await thing.StartNextAsync())!["jobId"]!, StringComparison.Ordinal);
        return crashing.Calls;

        void Restart() => target = new IotFleet(client, fleet.Settings, fleet.Clock);

        TargetOrder Order(int step, long revision = 1)
        {
            var order = FleetFixture.Order(step, revision: revision);
            return !freertos ? order : order with
            {
                Candidate = order.Candidate with { Document = null, Image = new OtaImage("2.4.0", new string('a', 64), "MEUCIQ==") },
                Fallback = order.Fallback with { Document = null, Image = new OtaImage("2.4.1", new string('c', 64), "MEQCIA==") },
            };
        }

        async Task<List<string>> JobsAsync(JobStatus? status) =>
            [.. (await fleet.Iot.ListJobsAsync(new ListJobsRequest { Status = status })).Jobs.Select(job => job.JobId)];
    }
}
