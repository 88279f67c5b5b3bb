using System.Text.Json;
using Amazon.IoT;
using Amazon.IoT.Model;

namespace OtaOrchestrator.DevicePlane.Tests;

/// <summary>Whatever is refused, memory and file must stay the same thing.</summary>
public sealed class UndoTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Random_operations_on_a_disk_that_fills_up_now_and_then_leave_memory_and_file_equal(int seed)
    {
        await using var bench = await PlaneBench.StartAsync();
        var random = new Random(seed);
        var (done, refused) = (0, 0);
        for (var i = 0; i < 8; i++)
        {
            await bench.IoT.CreateThingAsync(new CreateThingRequest { ThingName = $"t{i}" });
        }

        for (var step = 0; step < 250; step++)
        {
            if (step % 50 == 30)
            {
                await bench.Plane.LimitStoreAsync(spare: random.Next(3));
            }
            else if (step % 50 == 0)
            {
                await bench.Plane.LimitStoreAsync(spare: -1);
            }

            try
            {
                await StepAsync(bench.IoT, random);
                done++;
            }
            catch (ServiceUnavailableException)
            {
                refused++;
            }
            catch (AmazonIoTException)
            {
                // Illegal here and now, as random operations are; nothing may have changed.
            }
        }

        await bench.Plane.LimitStoreAsync(spare: -1);
        Assert.True(done > 50 && refused > 0, $"{done} done, {refused} refused");
        var before = await DescribeAsync(bench);
        await bench.ReopenAsync();
        Assert.Equal(before, await DescribeAsync(bench));
    }

    private static Task StepAsync(IAmazonIoT iot, Random random)
    {
        var (thing, group, job) = ($"t{random.Next(12)}", $"thermostats-c{random.Next(3):00}", $"j{random.Next(12)}");
        var filling = new string('x', random.Next(20_000));
        return random.Next(11) switch
        {
            0 => iot.CreateThingAsync(new CreateThingRequest { ThingName = thing, AttributePayload = new AttributePayload { Attributes = new() { ["a"] = filling[..Math.Min(700, filling.Length)] } } }),
            1 => iot.DeleteThingAsync(new DeleteThingRequest { ThingName = thing }),
            2 or 3 => iot.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingName = thing, ThingGroupName = group }),
            4 => iot.RemoveThingFromThingGroupAsync(new RemoveThingFromThingGroupRequest { ThingName = thing, ThingGroupName = group }),
            5 or 6 => iot.CreateJobAsync(new CreateJobRequest
            {
                JobId = job, Targets = [random.Next(2) == 0 ? PlaneBench.FleetArn : PlaneBench.ThingArn(thing)], Document = JsonSerializer.Serialize(new { filling }),
                TargetSelection = random.Next(2) == 0 ? TargetSelection.CONTINUOUS : TargetSelection.SNAPSHOT,
                JobExecutionsRolloutConfig = new JobExecutionsRolloutConfig { MaximumPerMinute = 1 + random.Next(3) },
            }),
            7 => iot.CancelJobAsync(new CancelJobRequest { JobId = job, Force = random.Next(2) == 0, Comment = filling[..Math.Min(2000, filling.Length)] }),
            8 => iot.DeleteJobAsync(new DeleteJobRequest { JobId = job, Force = true }),
            9 => iot.CancelJobExecutionAsync(new CancelJobExecutionRequest { JobId = job, ThingName = thing }),
            _ => iot.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = $"g{random.Next(20)}", ThingGroupProperties = new ThingGroupProperties { ThingGroupDescription = filling[..Math.Min(2000, filling.Length)] } }),
        };
    }

    /// <summary>All that can be asked, in an order that doesn't depend on history.</summary>
    private static async Task<string> DescribeAsync(PlaneBench bench)
    {
        var snapshot = await bench.Plane.SnapshotAsync();
        var lines = snapshot.Things.Select(t => $"thing {t.Name} in {string.Join(',', t.Groups)}").Concat(snapshot.Groups.Select(g => $"group {g}")).ToList();
        foreach (var job in snapshot.Jobs)
        {
            var described = (await bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = job.Id })).Job;
            var counts = described.JobProcessDetails;
            lines.Add($"job {job.Id} {described.Status} {described.Comment} {job.Document.Length} q{counts.NumberOfQueuedThings} c{counts.NumberOfCanceledThings} r{counts.NumberOfRemovedThings}");
            lines.AddRange(job.Executions.Select(e => $"execution {job.Id} {e.Key} {e.Value}"));
        }

        foreach (var thing in snapshot.Things)
        {
            var executions = (await bench.IoT.ListJobExecutionsForThingAsync(new ListJobExecutionsForThingRequest { ThingName = thing.Name })).ExecutionSummaries ?? [];
            lines.AddRange(executions.Where(e => e.JobExecutionSummary.Status == JobExecutionStatus.QUEUED).Select(e => $"pending {thing.Name} {e.JobId} {e.JobExecutionSummary.ExecutionNumber}"));
            lines.Add($"indexed {thing.Name} {(await bench.IoT.GetStatisticsAsync(new GetStatisticsRequest { QueryString = $"thingName:{thing.Name} AND thingGroupNames:*" })).Statistics.Count}");
        }

        lines.Sort(StringComparer.Ordinal);
        return string.Join('\n', lines);
    }
}
