using System.Text;
using System.Text.Json;
using Amazon.IoT;
using Amazon.IoT.Model;
using Microsoft.Extensions.Time.Testing;

namespace OtaOrchestrator.DevicePlane.Tests;

/// <summary>The conformance scenarios of AWS IoT Jobs, over real MQTT and TLS.</summary>
public sealed class JobsConformanceTests
{
    [Fact]
    public async Task An_idle_thing_has_empty_lists_and_no_execution()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");

        var pending = (await device.AcceptedAsync(device.Jobs + "get", new { clientToken = "a" })).Json;
        Assert.Equal(0, pending.GetProperty("inProgressJobs").GetArrayLength());
        Assert.Equal(0, pending.GetProperty("queuedJobs").GetArrayLength());
        Assert.Equal("a", pending.GetProperty("clientToken").GetString());
        Assert.InRange(pending.GetProperty("timestamp").GetInt64(), 1_600_000_000, 9_999_999_999);

        foreach (var topic in new[] { "$next/get", "start-next" })
        {
            var answer = (await device.AcceptedAsync(device.Jobs + topic, new { })).Json;
            Assert.False(answer.TryGetProperty("execution", out _));
            Assert.False(answer.TryGetProperty("clientToken", out _));
        }

        var empty = await device.RequestRawAsync(device.Jobs + "get", []);
        Assert.EndsWith("/accepted", empty.Topic, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_job_notifies_and_becomes_next_and_a_second_only_notifies()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");

        await CreateJobAsync(bench, "job-1", device);
        var notify = (await device.NextAsync(device.Jobs + "notify")).Json.GetProperty("jobs");
        Assert.Equal("job-1", notify.GetProperty("QUEUED")[0].GetProperty("jobId").GetString());
        Assert.False(notify.TryGetProperty("IN_PROGRESS", out _));
        var next = (await device.NextAsync(device.Jobs + "notify-next")).Json.GetProperty("execution");
        Assert.Equal(JsonValueKind.Object, next.GetProperty("jobDocument").ValueKind);
        Assert.Equal(1, next.GetProperty("versionNumber").GetInt32());
        Assert.Equal(1, next.GetProperty("executionNumber").GetInt32());

        await CreateJobAsync(bench, "job-2", device);
        Assert.Equal(["notify"], Topics(await device.DrainAsync()));
    }

    [Fact]
    public async Task Start_next_is_silent_raises_the_version_once_and_then_changes_nothing()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device);
        await device.DrainAsync();

        var first = (await device.AcceptedAsync(device.Jobs + "start-next", new { statusDetails = new { step = "one" } })).Json.GetProperty("execution");
        Assert.Equal("IN_PROGRESS", first.GetProperty("status").GetString());
        Assert.Equal(2, first.GetProperty("versionNumber").GetInt32());
        Assert.True(first.TryGetProperty("startedAt", out _));
        Assert.Equal("one", first.GetProperty("statusDetails").GetProperty("step").GetString());
        Assert.Empty(await device.DrainAsync());

        var again = (await device.AcceptedAsync(device.Jobs + "start-next", new { statusDetails = new { step = "two" } })).Json.GetProperty("execution");
        Assert.Equal(first.GetRawText(), again.GetRawText());
    }

    [Fact]
    public async Task An_expected_version_counts_as_a_number_and_as_text_and_a_wrong_one_shows_the_state()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device);

        var lost = (await device.RejectedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS", expectedVersion = 99, clientToken = "x" })).Json;
        Assert.Equal("VersionMismatch", lost.GetProperty("code").GetString());
        Assert.Equal("Expected version 99 but found version 1", lost.GetProperty("message").GetString());
        Assert.Equal("""{"status":"QUEUED","versionNumber":1}""", lost.GetProperty("executionState").GetRawText());
        Assert.Equal("x", lost.GetProperty("clientToken").GetString());

        await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS", expectedVersion = 1 });
        var second = (await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS", expectedVersion = "2", includeJobExecutionState = true, includeJobDocument = true })).Json;
        Assert.Equal(3, second.GetProperty("executionState").GetProperty("versionNumber").GetInt32());
        Assert.Equal(JsonValueKind.Object, second.GetProperty("jobDocument").ValueKind);
    }

    [Fact]
    public async Task Status_details_stay_when_omitted_and_are_replaced_as_a_whole_when_given()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device);
        await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS", statusDetails = new { a = "1", b = "2" } });
        await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS" });
        var kept = (await device.AcceptedAsync(device.Jobs + "job-1/get", new { })).Json.GetProperty("execution");
        Assert.Equal("""{"a":"1","b":"2"}""", kept.GetProperty("statusDetails").GetRawText());
        await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS", statusDetails = new { c = "3" } });
        var replaced = (await device.AcceptedAsync(device.Jobs + "job-1/get", new { includeJobDocument = false })).Json.GetProperty("execution");
        Assert.Equal("""{"c":"3"}""", replaced.GetProperty("statusDetails").GetRawText());
        Assert.False(replaced.TryGetProperty("jobDocument", out _));
    }

    [Fact]
    public async Task The_end_of_a_job_is_accepted_then_notified_then_nothing_is_next()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device);
        await device.AcceptedAsync(device.Jobs + "start-next", new { });
        await device.DrainAsync();

        await device.PublishAsync(device.Jobs + "job-1/update", new { status = "SUCCEEDED" });
        var came = await device.DrainAsync();
        Assert.Equal(["job-1/update/accepted", "notify", "notify-next"], Topics(came));
        Assert.Equal("{}", came[1].Json.GetProperty("jobs").GetRawText());
        Assert.Equal(["timestamp"], came[2].Json.EnumerateObject().Select(m => m.Name));

        var late = (await device.RejectedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS" })).Json;
        Assert.Equal("InvalidStateTransition", late.GetProperty("code").GetString());
        Assert.Equal("SUCCEEDED", late.GetProperty("executionState").GetProperty("status").GetString());
        Assert.Equal("TerminalStateReached", (await device.RejectedAsync(device.Jobs + "job-1/get", new { })).Text("code"));
    }

    [Fact]
    public async Task An_update_of_an_ended_execution_can_be_answered_as_terminal_instead()
    {
        await using var bench = await PlaneBench.StartAsync(configure: o => o.ReportTerminalStateOnUpdate = true);
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device);
        await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "FAILED" });
        Assert.Equal("TerminalStateReached", (await device.RejectedAsync(device.Jobs + "job-1/update", new { status = "FAILED" })).Text("code"));
    }

    [Theory]
    [InlineData("nowhere/get", "{}", "ResourceNotFound")]
    [InlineData("nowhere/update", """{"status":"SUCCEEDED"}""", "ResourceNotFound")]
    [InlineData("job-1/get", """{"executionNumber":7}""", "ResourceNotFound")]
    [InlineData("job-1/update", "{", "InvalidJson")]
    [InlineData("job-1/update", "[]", "InvalidJson")]
    [InlineData("job-1/update", """{"status":"FAILED","status":"SUCCEEDED"}""", "InvalidJson")]
    [InlineData("job-1/update", """{"status":"\ud800"}""", "InvalidJson")]
    [InlineData("job-1/update", "{}", "InvalidRequest")]
    [InlineData("job-1/update", """{"status":"CANCELED"}""", "InvalidRequest")]
    [InlineData("job-1/update", """{"status":"TIMED_OUT"}""", "InvalidRequest")]
    [InlineData("job-1/update", """{"status":"REMOVED"}""", "InvalidRequest")]
    [InlineData("job-1/update", """{"status":"QUEUED"}""", "InvalidStateTransition")]
    [InlineData("job-1/update", """{"status":"FAILED","statusDetails":{"a":1}}""", "InvalidRequest")]
    [InlineData("job-1/update", """{"status":"FAILED","statusDetails":{"a":"x\ny"}}""", "InvalidRequest")]
    [InlineData("job-1/update", """{"status":"FAILED","statusDetails":{"../":"x"}}""", "InvalidRequest")]
    [InlineData("job-1/update", """{"status":"FAILED","expectedVersion":"one"}""", "InvalidRequest")]
    [InlineData("job-1/update", """{"status":"IN_PROGRESS","stepTimeoutInMinutes":0}""", "InvalidRequest")]
    [InlineData("$next/update", """{"status":"FAILED"}""", "InvalidTopic")]
    [InlineData("job-1/delete", "{}", "InvalidTopic")]
    [InlineData("../get", "{}", "InvalidRequest")]
    public async Task A_request_that_makes_no_sense_is_rejected_with_its_code_and_changes_nothing(string topic, string payload, string code)
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device);

        var rejected = await device.RequestRawAsync(device.Jobs + topic, Encoding.UTF8.GetBytes(payload));
        Assert.EndsWith("/rejected", rejected.Topic, StringComparison.Ordinal);
        Assert.Equal(code, rejected.Text("code"));
        Assert.True(rejected.Json.TryGetProperty("timestamp", out _));
        Assert.Equal(1, (await DescribeAsync(bench, "job-1", device)).VersionNumber);
    }

    [Fact]
    public async Task A_job_that_is_started_overtakes_those_before_it()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        foreach (var job in new[] { "job-1", "job-2", "job-3" })
        {
            await CreateJobAsync(bench, job, device);
        }

        await device.DrainAsync();
        await device.AcceptedAsync(device.Jobs + "job-3/update", new { status = "IN_PROGRESS" });
        var came = await device.DrainAsync();
        Assert.Equal(["notify-next"], Topics(came));
        Assert.Equal("job-3", came[0].Json.GetProperty("execution").GetProperty("jobId").GetString());
        Assert.Equal("job-3", (await device.AcceptedAsync(device.Jobs + "start-next", new { })).Json.GetProperty("execution").GetProperty("jobId").GetString());
    }

    [Fact]
    public async Task Canceling_takes_what_is_queued_and_by_force_what_is_in_progress()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "queued", device);
        await CreateJobAsync(bench, "running", device);
        await device.AcceptedAsync(device.Jobs + "running/update", new { status = "IN_PROGRESS" });
        await device.DrainAsync();

        await Assert.ThrowsAsync<InvalidStateTransitionException>(() => bench.IoT.CancelJobExecutionAsync(new CancelJobExecutionRequest { JobId = "running", ThingName = device.ClientId }));
        await bench.IoT.CancelJobAsync(new CancelJobRequest { JobId = "queued" });
        Assert.Equal(["notify"], Topics(await device.DrainAsync()));

        await bench.IoT.CancelJobAsync(new CancelJobRequest { JobId = "running" });
        Assert.Equal(JobExecutionStatus.IN_PROGRESS, (await DescribeAsync(bench, "running", device)).Status);
        Assert.Empty(await device.DrainAsync());

        await bench.IoT.CancelJobExecutionAsync(new CancelJobExecutionRequest { JobId = "running", ThingName = device.ClientId, Force = true });
        var canceled = await DescribeAsync(bench, "running", device);
        Assert.Equal(JobExecutionStatus.CANCELED, canceled.Status);
        Assert.True(canceled.ForceCanceled);
        Assert.Equal(["notify", "notify-next"], Topics(await device.DrainAsync()));
        Assert.Equal("InvalidStateTransition", (await device.RejectedAsync(device.Jobs + "running/update", new { status = "SUCCEEDED" })).Text("code"));
    }

    [Fact]
    public async Task An_execution_times_out_by_its_own_time_and_not_by_a_clock_that_is_set()
    {
        var time = new SettableTime();
        await using var bench = await PlaneBench.StartAsync(time);
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device, j => j.TimeoutConfig = new TimeoutConfig { InProgressTimeoutInMinutes = 10 });
        var started = (await device.AcceptedAsync(device.Jobs + "start-next", new { })).Json.GetProperty("execution");
        Assert.InRange(started.GetProperty("approximateSecondsBeforeTimedOut").GetInt32(), 590, 600);

        time.SetWall(TimeSpan.FromHours(1));
        time.Advance(TimeSpan.FromMinutes(9));
        await SettleAsync(time, device);
        Assert.Equal(JobExecutionStatus.IN_PROGRESS, (await DescribeAsync(bench, "job-1", device)).Status);

        time.SetWall(TimeSpan.FromHours(-1));
        time.Advance(TimeSpan.FromMinutes(2));
        await SettleAsync(time, device);
        Assert.Equal(JobExecutionStatus.TIMED_OUT, (await DescribeAsync(bench, "job-1", device)).Status);
    }

    [Fact]
    public async Task A_step_timer_ends_the_execution_early_unless_it_is_taken_back()
    {
        var time = new SettableTime();
        await using var bench = await PlaneBench.StartAsync(time);
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device, j => j.TimeoutConfig = new TimeoutConfig { InProgressTimeoutInMinutes = 60 });
        await device.AcceptedAsync(device.Jobs + "start-next", new { stepTimeoutInMinutes = 5 });
        await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS", stepTimeoutInMinutes = -1 });
        time.Advance(TimeSpan.FromMinutes(6));
        await SettleAsync(time, device);
        Assert.Equal(JobExecutionStatus.IN_PROGRESS, (await DescribeAsync(bench, "job-1", device)).Status);

        Assert.Equal("InvalidRequest", (await device.RejectedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS", stepTimeoutInMinutes = 100 })).Text("code"));
        await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "IN_PROGRESS", stepTimeoutInMinutes = 5 });
        time.Advance(TimeSpan.FromMinutes(6));
        await SettleAsync(time, device);
        Assert.Equal(JobExecutionStatus.TIMED_OUT, (await DescribeAsync(bench, "job-1", device)).Status);
    }

    [Fact]
    public async Task A_timer_survives_a_restart_with_what_is_left_of_it()
    {
        var time = new SettableTime();
        await using var bench = await PlaneBench.StartAsync(time);
        await using (var device = await bench.DeviceAsync("1"))
        {
            await CreateJobAsync(bench, "job-1", device, j => j.TimeoutConfig = new TimeoutConfig { InProgressTimeoutInMinutes = 10 });
            await device.AcceptedAsync(device.Jobs + "start-next", new { });
            time.Advance(TimeSpan.FromMinutes(4));
            await SettleAsync(time, device);
        }

        await bench.ReopenAsync();
        var left = (await bench.IoT.DescribeJobExecutionAsync(new DescribeJobExecutionRequest { JobId = "job-1", ThingName = "thermostats-1" })).Execution.ApproximateSecondsBeforeTimedOut;
        Assert.InRange(left!.Value, 300, 420);
    }

    [Fact]
    public async Task Leaving_the_group_of_a_continuous_job_removes_it_and_returning_makes_a_new_execution()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await bench.IoT.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = "lab" });
        await CreateJobAsync(bench, "job-1", device, j =>
        {
            j.Targets = ["arn:aws:iot:local-1:000000000000:thinggroup/lab"];
            j.TargetSelection = TargetSelection.CONTINUOUS;
        });
        Assert.Empty(await device.DrainAsync());

        await bench.IoT.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingGroupName = "lab", ThingName = device.ClientId });
        Assert.Equal(["notify", "notify-next"], Topics(await device.DrainAsync()));
        await bench.IoT.RemoveThingFromThingGroupAsync(new RemoveThingFromThingGroupRequest { ThingGroupName = "lab", ThingName = device.ClientId });
        Assert.Equal(["notify", "notify-next"], Topics(await device.DrainAsync()));
        Assert.Equal(JobExecutionStatus.REMOVED, (await DescribeAsync(bench, "job-1", device)).Status);

        await bench.IoT.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingGroupName = "lab", ThingName = device.ClientId });
        Assert.Equal(2, (await DescribeAsync(bench, "job-1", device)).ExecutionNumber);
    }

    [Fact]
    public async Task At_most_ten_pending_executions_are_listed()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        for (var i = 0; i < 12; i++)
        {
            await CreateJobAsync(bench, $"job-{i:00}", device);
        }

        await device.AcceptedAsync(device.Jobs + "start-next", new { });
        var pending = (await device.AcceptedAsync(device.Jobs + "get", new { })).Json;
        Assert.Equal(1, pending.GetProperty("inProgressJobs").GetArrayLength());
        Assert.Equal(9, pending.GetProperty("queuedJobs").GetArrayLength());
        var last = (await device.DrainAsync()).Last(r => r.Topic.EndsWith("/notify", StringComparison.Ordinal));
        Assert.Equal(10, last.Json.GetProperty("jobs").GetProperty("QUEUED").GetArrayLength());
    }

    [Fact]
    public async Task A_report_that_comes_twice_ends_the_execution_once()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await CreateJobAsync(bench, "job-1", device);
        await device.DrainAsync();
        for (var i = 0; i < 2; i++)
        {
            await device.PublishAsync(device.Jobs + "job-1/update", new { status = "SUCCEEDED" });
        }

        Assert.Equal(["job-1/update/accepted", "notify", "notify-next", "job-1/update/rejected"], Topics(await device.DrainAsync()));
        Assert.Equal(2, (await DescribeAsync(bench, "job-1", device)).VersionNumber);
    }

    [Fact]
    public async Task An_answer_reaches_the_one_who_asked_even_unsubscribed_and_nobody_else()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await Device.ConnectAsync(bench, await bench.EnrollAsync("1"), "thermostats-1");
        await using var other = await bench.DeviceAsync("2");
        Assert.NotEqual(MQTTnet.MqttClientSubscribeResultCode.GrantedQoS1, await other.SubscribeAsync("$aws/things/thermostats-1/jobs/#"));

        await CreateJobAsync(bench, "job-1", device);
        var answer = await device.AcceptedAsync(device.Jobs + "start-next", new { });
        Assert.Equal("job-1", answer.Json.GetProperty("execution").GetProperty("jobId").GetString());
        Assert.Empty(await device.DrainAsync());
        Assert.Empty(await other.DrainAsync());
    }

    internal static Task CreateJobAsync(PlaneBench bench, string id, Device device, Action<CreateJobRequest>? configure = null)
    {
        var request = new CreateJobRequest { JobId = id, Targets = [PlaneBench.ThingArn(device.ClientId)], Document = """{"do":"it"}""" };
        configure?.Invoke(request);
        return bench.IoT.CreateJobAsync(request);
    }

    internal static async Task<JobExecution> DescribeAsync(PlaneBench bench, string job, Device device) =>
        (await bench.IoT.DescribeJobExecutionAsync(new DescribeJobExecutionRequest { JobId = job, ThingName = device.ClientId })).Execution;

    private static List<string> Topics(IEnumerable<Received> received) => [.. received.Select(r => r.Topic[(r.Topic.IndexOf("/jobs/", StringComparison.Ordinal) + 6)..])];

    /// <summary>The plane's second-by-second work is behind the advance when a tick after it has passed through the writer.</summary>
    private static async Task SettleAsync(SettableTime time, Device device)
    {
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await device.AcceptedAsync(device.Jobs + "get", new { });
        }
    }

    /// <summary>A clock whose time of day can be set without time going by.</summary>
    internal sealed class SettableTime : TimeProvider
    {
        private readonly FakeTimeProvider _steady = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        private long _offsetTicks;

        public override long TimestampFrequency => _steady.TimestampFrequency;

        public override long GetTimestamp() => _steady.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => _steady.GetUtcNow().AddTicks(Volatile.Read(ref _offsetTicks));

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _steady.CreateTimer(callback, state, dueTime, period);

        public void Advance(TimeSpan by) => _steady.Advance(by);

        public void SetWall(TimeSpan by) => Interlocked.Add(ref _offsetTicks, by.Ticks);
    }
}
