using System.Text;
using Amazon.IoT;
using Amazon.IoT.Model;

namespace OtaOrchestrator.DevicePlane.Tests;

/// <summary>The control plane through the AWS client, inside the process.</summary>
public sealed class ControlPlaneTests
{
    [Fact]
    public async Task A_job_reaches_the_members_of_child_groups_and_counts_them()
    {
        await using var bench = await PlaneBench.StartAsync();
        await ThingsAsync(bench, 7);
        await bench.IoT.CreateJobAsync(Job("job-1", PlaneBench.CohortsArn));
        var job = (await bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = "job-1" })).Job;
        Assert.Equal(JobStatus.IN_PROGRESS, job.Status);
        Assert.Equal(7, job.JobProcessDetails.NumberOfQueuedThings);
        Assert.Equal([PlaneBench.CohortsArn], job.Targets);

        var pages = new List<string>();
        string? token = null;
        do
        {
            var page = await bench.IoT.ListJobExecutionsForJobAsync(new ListJobExecutionsForJobRequest { JobId = "job-1", MaxResults = 3, NextToken = token, Status = JobExecutionStatus.QUEUED });
            pages.AddRange(page.ExecutionSummaries.Select(e => e.ThingArn));
            token = page.NextToken;
        }
        while (token is not null);
        Assert.Equal(7, pages.Distinct().Count());
    }

    [Fact]
    public async Task A_job_goes_out_at_its_rate_and_the_rest_after_a_restart()
    {
        var time = new JobsConformanceTests.SettableTime();
        await using var bench = await PlaneBench.StartAsync(time);
        await ThingsAsync(bench, 10);
        await bench.IoT.CreateJobAsync(Job("job-1", PlaneBench.CohortsArn, j => j.JobExecutionsRolloutConfig = new JobExecutionsRolloutConfig { MaximumPerMinute = 4 }));
        Assert.Equal(4, await QueuedAsync());
        await AdvanceAsync(TimeSpan.FromSeconds(55));
        Assert.Equal(4, await QueuedAsync());
        await AdvanceAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(8, await QueuedAsync());

        await bench.ReopenAsync();
        Assert.Equal(8, await QueuedAsync());
        await AdvanceAsync(TimeSpan.FromSeconds(65));
        Assert.Equal(10, await QueuedAsync());

        async Task<int?> QueuedAsync() => (await bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = "job-1" })).Job.JobProcessDetails.NumberOfQueuedThings;

        // A second at a time, each with a call that passes the writer behind the tick.
        async Task AdvanceAsync(TimeSpan by)
        {
            for (var i = 0; i < (int)by.TotalSeconds; i++)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = "job-1" });
            }
        }
    }

    [Fact]
    public async Task Failures_over_the_threshold_cancel_what_is_queued_and_leave_what_is_in_progress()
    {
        await using var bench = await PlaneBench.StartAsync();
        var devices = new List<Device>();
        for (var i = 0; i < 4; i++)
        {
            devices.Add(await bench.DeviceAsync($"{i}"));
        }

        await bench.IoT.CreateJobAsync(Job("job-1", PlaneBench.CohortsArn, j => j.AbortConfig = new AbortConfig
        {
            CriteriaList = [new AbortCriteria { FailureType = JobExecutionFailureType.FAILED, Action = AbortAction.CANCEL, ThresholdPercentage = 50, MinNumberOfExecutedThings = 2 }],
        }));
        await devices[0].AcceptedAsync(devices[0].Jobs + "start-next", new { });
        await devices[1].AcceptedAsync(devices[1].Jobs + "job-1/update", new { status = "FAILED" });
        Assert.Equal(JobStatus.IN_PROGRESS, (await bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = "job-1" })).Job.Status);
        await devices[2].AcceptedAsync(devices[2].Jobs + "job-1/update", new { status = "SUCCEEDED" });
        // The second end makes it one of two, which is the half that the criterion asks for.
        var job = (await bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = "job-1" })).Job;
        Assert.Equal(JobStatus.CANCELED, job.Status);
        Assert.Equal("ABORT_CRITERIA_MET", job.ReasonCode);
        Assert.Equal(1, job.JobProcessDetails.NumberOfInProgressThings);
        Assert.Equal(1, job.JobProcessDetails.NumberOfCanceledThings);
        await devices[0].AcceptedAsync(devices[0].Jobs + "job-1/update", new { status = "SUCCEEDED" });
        foreach (var device in devices)
        {
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_same_job_id_again_is_refused_and_the_first_job_stays()
    {
        await using var bench = await PlaneBench.StartAsync();
        await ThingsAsync(bench, 1);
        await bench.IoT.CreateJobAsync(Job("job-1", PlaneBench.CohortsArn));
        await Assert.ThrowsAsync<ResourceAlreadyExistsException>(() => bench.IoT.CreateJobAsync(Job("job-1", PlaneBench.CohortsArn, j => j.Document = """{"other":1}""")));
        Assert.Equal("""{"do":"it"}""", (await bench.IoT.GetJobDocumentAsync(new GetJobDocumentRequest { JobId = "job-1" })).Document);
    }

    [Fact]
    public async Task A_job_without_anybody_is_completed_and_a_deleted_one_is_gone()
    {
        await using var bench = await PlaneBench.StartAsync();
        await bench.IoT.CreateJobAsync(Job("job-1", PlaneBench.CohortsArn));
        Assert.Equal(JobStatus.COMPLETED, (await bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = "job-1" })).Job.Status);
        await ThingsAsync(bench, 1);
        await bench.IoT.CreateJobAsync(Job("job-2", PlaneBench.CohortsArn));
        await Assert.ThrowsAsync<InvalidStateTransitionException>(() => bench.IoT.DeleteJobAsync(new DeleteJobRequest { JobId = "job-2" }));
        await bench.IoT.DeleteJobAsync(new DeleteJobRequest { JobId = "job-2", Force = true });
        await Assert.ThrowsAsync<ResourceNotFoundException>(() => bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = "job-2" }));
        await bench.ReopenAsync();
        Assert.Equal(["job-1"], (await bench.IoT.ListJobsAsync(new ListJobsRequest())).Jobs.Select(j => j.JobId));
        Assert.Empty((await bench.IoT.ListJobExecutionsForThingAsync(new ListJobExecutionsForThingRequest { ThingName = "thing-0" })).ExecutionSummaries ?? []);
    }

    [Fact]
    public async Task What_a_job_can_not_have_is_refused_and_creates_nothing()
    {
        await using var bench = await PlaneBench.StartAsync();
        await ThingsAsync(bench, 1);
        Action<CreateJobRequest>[] wrong =
        [
            j => j.Document = "not json",
            j => j.Document = "[]",
            j => j.Document = "{\"a\":\"" + new string('x', 33_000) + "\"}",
            j => j.Document = """{"u":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/../../etc}"}""",
            j => j.Document = """{"u":"${aws:iot:s3-presigned-url:http://elsewhere/b/c}"}""",
            j => j.JobId = "notify-next",
            j => j.JobId = "a.b",
            j => j.JobId = new string('a', 65),
            j => j.Targets = ["arn:aws:iot:local-1:111111111111:thing/thing-0"],
            j => j.Targets = ["thing-0"],
            j => j.Description = new string('x', 2029),
            j => j.PresignedUrlConfig = new PresignedUrlConfig { ExpiresInSec = 59 },
            j => j.TimeoutConfig = new TimeoutConfig { InProgressTimeoutInMinutes = 10_081 },
            j => j.JobExecutionsRolloutConfig = new JobExecutionsRolloutConfig { MaximumPerMinute = 1001 },
            j => j.AbortConfig = new AbortConfig { CriteriaList = [new AbortCriteria { FailureType = "FAILED", Action = "CANCEL", ThresholdPercentage = 101, MinNumberOfExecutedThings = 1 }] },
            j => j.JobExecutionsRetryConfig = new JobExecutionsRetryConfig { CriteriaList = [new RetryCriteria { FailureType = "FAILED", NumberOfRetries = 1 }] },
            j => j.TargetSelection = "SOMETIMES",
        ];
        foreach (var change in wrong)
        {
            await Assert.ThrowsAsync<InvalidRequestException>(() => bench.IoT.CreateJobAsync(Job("job-1", PlaneBench.CohortsArn, change)));
        }

        await Assert.ThrowsAsync<ResourceNotFoundException>(() => bench.IoT.CreateJobAsync(Job("job-1", PlaneBench.ThingArn("nobody"))));
        Assert.Empty((await bench.IoT.ListJobsAsync(new ListJobsRequest())).Jobs ?? []);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("../things")]
    [InlineData("%2e%2e")]
    [InlineData("🙂")]
    [InlineData("a b")]
    public async Task A_name_that_is_none_is_refused(string name)
    {
        await using var bench = await PlaneBench.StartAsync();
        await Assert.ThrowsAnyAsync<AmazonIoTException>(() => bench.IoT.CreateThingAsync(new CreateThingRequest { ThingName = name }));
        await Assert.ThrowsAnyAsync<AmazonIoTException>(() => bench.IoT.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = name }));
        Assert.Empty((await bench.IoT.ListThingsAsync(new ListThingsRequest())).Things ?? []);
    }

    [Fact]
    public async Task Things_and_groups_are_made_changed_listed_and_deleted()
    {
        await using var bench = await PlaneBench.StartAsync();
        var iot = bench.IoT;
        var made = await iot.CreateThingAsync(new CreateThingRequest { ThingName = "t1", AttributePayload = new AttributePayload { Attributes = new() { ["a"] = "1", ["b"] = "2" } } });
        Assert.Equal(made.ThingId, (await iot.CreateThingAsync(new CreateThingRequest { ThingName = "t1", AttributePayload = new AttributePayload { Attributes = new() { ["a"] = "1", ["b"] = "2" } } })).ThingId);
        await Assert.ThrowsAsync<ResourceAlreadyExistsException>(() => iot.CreateThingAsync(new CreateThingRequest { ThingName = "t1" }));
        await iot.UpdateThingAsync(new UpdateThingRequest { ThingName = "t1", ExpectedVersion = 1, AttributePayload = new AttributePayload { Merge = true, Attributes = new() { ["a"] = "", ["c"] = "3" } } });
        await Assert.ThrowsAsync<VersionConflictException>(() => iot.UpdateThingAsync(new UpdateThingRequest { ThingName = "t1", ExpectedVersion = 1, AttributePayload = new AttributePayload() }));
        Assert.Equal(["b", "c"], (await iot.DescribeThingAsync(new DescribeThingRequest { ThingName = "t1" })).Attributes.Keys.Order());

        await iot.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = "g" });
        await iot.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = "g1", ParentGroupName = "g" });
        await iot.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingName = "t1", ThingGroupName = "g1" });
        await iot.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingName = "t1", ThingGroupName = "g1" });
        Assert.Empty((await iot.ListThingsInThingGroupAsync(new ListThingsInThingGroupRequest { ThingGroupName = "g" })).Things ?? []);
        Assert.Equal(["t1"], (await iot.ListThingsInThingGroupAsync(new ListThingsInThingGroupRequest { ThingGroupName = "g", Recursive = true })).Things);
        Assert.Equal(["g1"], (await iot.ListThingGroupsForThingAsync(new ListThingGroupsForThingRequest { ThingName = "t1" })).ThingGroups.Select(g => g.GroupName));
        await Assert.ThrowsAsync<InvalidRequestException>(() => iot.DeleteThingGroupAsync(new DeleteThingGroupRequest { ThingGroupName = "g" }));
        Assert.Equal("g", (await iot.DescribeThingGroupAsync(new DescribeThingGroupRequest { ThingGroupName = "g1" })).ThingGroupMetadata.ParentGroupName);

        await iot.CreateJobAsync(Job("job-1", PlaneBench.ThingArn("t1")));
        await iot.DeleteThingAsync(new DeleteThingRequest { ThingName = "t1" });
        await iot.DeleteThingAsync(new DeleteThingRequest { ThingName = "t1" });
        await Assert.ThrowsAsync<ResourceNotFoundException>(() => iot.DescribeThingAsync(new DescribeThingRequest { ThingName = "t1" }));
        var job = (await iot.DescribeJobAsync(new DescribeJobRequest { JobId = "job-1" })).Job;
        Assert.Equal((1, "COMPLETED"), (job.JobProcessDetails.NumberOfRemovedThings, job.Status.Value));
        Assert.Equal(0, (await iot.GetStatisticsAsync(new GetStatisticsRequest { QueryString = "thingName:t1" })).Statistics.Count);
        await bench.ReopenAsync();
        Assert.Empty((await bench.IoT.ListThingsInThingGroupAsync(new ListThingsInThingGroupRequest { ThingGroupName = "g1" })).Things ?? []);
    }

    [Fact]
    public async Task A_thing_is_in_one_group_of_a_hierarchy_only_and_a_group_has_a_hundred_children_at_most()
    {
        await using var bench = await PlaneBench.StartAsync();
        await bench.Plane.EnsureFleetAsync(PlaneBench.Fleet);
        await bench.EnrollAsync("42");
        var thing = PlaneBench.Fleet + "-42";
        Task Add(string group) => bench.IoT.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingName = thing, ThingGroupName = group });

        var (mine, other) = ((await GroupsAsync()).Single(group => group != PlaneBench.Fleet), PlaneBench.Fleet + "-c00");
        Assert.NotEqual(mine, other);
        var refused = await Assert.ThrowsAsync<InvalidRequestException>(() => Add(other));
        Assert.Contains(mine, refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidRequestException>(() => Add(PlaneBench.Fleet + "-cohorts"));
        await bench.IoT.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = "lab" });
        await Add("lab");
        Assert.Equal(3, (await GroupsAsync()).Count);
        await Assert.ThrowsAsync<InvalidRequestException>(() => bench.IoT.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = "one-more", ParentGroupName = PlaneBench.Fleet + "-cohorts" }));

        async Task<List<string>> GroupsAsync() => [.. (await bench.IoT.ListThingGroupsForThingAsync(new ListThingGroupsForThingRequest { ThingName = thing })).ThingGroups.Select(group => group.GroupName)];
    }

    [Fact]
    public async Task All_hundred_cohorts_are_there_and_each_device_is_in_the_one_its_name_says()
    {
        await using var bench = await PlaneBench.StartAsync();
        await bench.Plane.EnsureFleetAsync(PlaneBench.Fleet);
        Assert.Equal(100, (await bench.IoT.ListThingGroupsAsync(new ListThingGroupsRequest { ParentGroup = PlaneBench.Fleet + "-cohorts" })).ThingGroups.Count);
        await bench.EnrollAsync("42");

        // SHA-256("thermostats-42") begins with the eight bytes that `printf thermostats-42 | sha256sum` shows.
        var hash = System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes("thermostats-42"));
        var cohort = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(hash) % 100;
        var groups = (await bench.IoT.ListThingGroupsForThingAsync(new ListThingGroupsForThingRequest { ThingName = "thermostats-42" })).ThingGroups.Select(g => g.GroupName);
        Assert.Equal(["thermostats", $"thermostats-c{cohort:00}"], groups);
    }

    [Fact]
    public async Task An_invalid_query_has_its_own_exception()
    {
        await using var bench = await PlaneBench.StartAsync();
        await Assert.ThrowsAsync<InvalidQueryException>(() => bench.IoT.SearchIndexAsync(new SearchIndexRequest { QueryString = "thingName:" }));
        await Assert.ThrowsAsync<InvalidAggregationException>(() => bench.IoT.GetStatisticsAsync(new GetStatisticsRequest { QueryString = "*", AggregationField = "nothing" }));
        await Assert.ThrowsAsync<ResourceNotFoundException>(() => bench.IoT.GetStatisticsAsync(new GetStatisticsRequest { QueryString = "*", IndexName = "AWS_ThingGroups" }));
        await Assert.ThrowsAsync<InvalidRequestException>(() => bench.IoT.SearchIndexAsync(new SearchIndexRequest { QueryString = "*", MaxResults = 501 }));
    }

    private static CreateJobRequest Job(string id, string target, Action<CreateJobRequest>? configure = null)
    {
        var request = new CreateJobRequest { JobId = id, Targets = [target], Document = """{"do":"it"}""" };
        configure?.Invoke(request);
        return request;
    }

    private static async Task ThingsAsync(PlaneBench bench, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await bench.IoT.CreateThingAsync(new CreateThingRequest { ThingName = $"thing-{i}" });
            await bench.IoT.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingName = $"thing-{i}", ThingGroupName = $"thermostats-c{i:00}" });
        }
    }
}
