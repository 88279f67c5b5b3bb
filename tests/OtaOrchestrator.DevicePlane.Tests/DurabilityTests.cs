using Amazon.IoT.Model;

namespace OtaOrchestrator.DevicePlane.Tests;

public sealed class DurabilityTests
{
    [Fact]
    public async Task What_was_accepted_is_in_the_file_the_moment_it_was_accepted()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await JobsConformanceTests.CreateJobAsync(bench, "job-1", device);
        await device.AcceptedAsync(device.Jobs + "start-next", new { statusDetails = new { step = "7" } });
        await device.AcceptedAsync(device.Shadow("ota") + "update", new { state = new { reported = new { bootId = "abc" } } });

        // The files as a crash at this moment would leave them; the running plane isn't asked to close anything.
        var data = Path.Combine(bench.Directory, "data");
        var crashed = Directory.CreateDirectory(Path.Combine(bench.Directory, "crashed")).FullName;
        foreach (var file in Directory.GetFiles(data, "device-plane.db*").Where(f => !f.EndsWith("-shm", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(crashed, Path.GetFileName(file)));
        }

        using var store = new Storage.PlaneStore(Path.Combine(crashed, "device-plane.db"));
        var state = Storage.PlaneRows.Load(store, new SteadyClock(TimeProvider.System));
        var thing = state.Things["thermostats-1"];
        var execution = Assert.Single(thing.Executions);
        Assert.Equal(Jobs.ExecutionStatus.IN_PROGRESS, execution.Status);
        Assert.Equal("7", execution.Details["step"]);
        Assert.Equal("""{"bootId":"abc"}""", System.Text.Encoding.UTF8.GetString(Assert.Single(thing.Shadows).Reported!));
        Assert.Equal(1, state.Jobs["job-1"].Count(Jobs.ExecutionStatus.IN_PROGRESS));
        Assert.Equal(2, thing.Record.Groups.Length);
    }

    [Fact]
    public async Task A_restart_changes_nothing_that_devices_or_callers_see()
    {
        await using var bench = await PlaneBench.StartAsync();
        var certificate = await bench.EnrollAsync("1");
        string before;
        await using (var device = await Device.ConnectAsync(bench, certificate, "thermostats-1"))
        {
            await JobsConformanceTests.CreateJobAsync(bench, "job-1", device);
            await JobsConformanceTests.CreateJobAsync(bench, "job-2", device);
            await device.AcceptedAsync(device.Jobs + "job-2/update", new { status = "IN_PROGRESS", statusDetails = new { self_test = "ready" } });
            await device.AcceptedAsync(device.Shadow("ota") + "update", new { state = new { reported = new { a = 1 }, desired = new { b = 2 } } });
            before = (await device.AcceptedAsync(device.Jobs + "$next/get", new { })).Json.GetProperty("execution").GetRawText();
        }

        await bench.ReopenAsync();
        await using (var device = await Device.ConnectAsync(bench, certificate, "thermostats-1"))
        {
            Assert.Equal(before, (await device.AcceptedAsync(device.Jobs + "$next/get", new { })).Json.GetProperty("execution").GetRawText());
            var shadow = (await device.AcceptedAsync(device.Shadow("ota") + "get", new { })).Json;
            Assert.Equal("""{"desired":{"b":2},"reported":{"a":1},"delta":{"b":2}}""", shadow.GetProperty("state").GetRawText());
            Assert.Equal(1, shadow.GetProperty("version").GetInt32());
            await device.AcceptedAsync(device.Jobs + "job-2/update", new { status = "SUCCEEDED", expectedVersion = 2 });
        }

        var found = await bench.IoT.SearchIndexAsync(new SearchIndexRequest { QueryString = "shadow.name.ota.reported.a:1 AND shadow.name.ota.hasDelta:true AND attributes.hardwareId:thermo-a1" });
        Assert.Single(found.Things);
        Assert.Equal(102, (await bench.Plane.SnapshotAsync()).Groups.Count);
    }

    [Fact]
    public async Task Stopping_says_goodbye_to_connected_devices_and_they_can_come_back()
    {
        await using var bench = await PlaneBench.StartAsync();
        var certificate = await bench.EnrollAsync("1");
        await using (var device = await Device.ConnectAsync(bench, certificate, "thermostats-1"))
        {
            await bench.ReopenAsync();
            await device.WaitForDisconnectAsync();
        }

        Assert.Equal(0, (await bench.IoT.GetStatisticsAsync(new GetStatisticsRequest { QueryString = "connectivity.connected:true" })).Statistics.Count);
        await using var again = await Device.ConnectAsync(bench, certificate, "thermostats-1");
        await again.AcceptedAsync(again.Jobs + "get", new { });
        Assert.Equal(1, (await bench.IoT.GetStatisticsAsync(new GetStatisticsRequest { QueryString = "connectivity.connected:true AND connectivity.timestamp>1" })).Statistics.Count);
    }

    [Fact]
    public async Task A_port_that_is_taken_fails_the_start_and_leaves_the_store_free()
    {
        System.Net.IPEndPoint? taken = null;
        await using var bench = await PlaneBench.StartAsync(configure: o => o.MqttEndpoint = taken ?? o.MqttEndpoint);
        await bench.EnrollAsync("1");
        await bench.CloseAsync();
        using (var other = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0))
        {
            other.Start();
            taken = (System.Net.IPEndPoint)other.LocalEndpoint;
            bench.ExpectedError = "Hosting failed to start";
            await Assert.ThrowsAsync<IOException>(bench.OpenAsync);
        }

        taken = null;
        await bench.OpenAsync();
        Assert.Single((await bench.Plane.SnapshotAsync()).Things);
    }

    [Fact]
    public async Task A_full_disk_refuses_changes_keeps_what_is_there_and_recovers()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        await device.AcceptedAsync(device.Shadow("ota") + "update", new { state = new { reported = new { value = "first" } } });
        await bench.Plane.LimitStoreAsync(spare: 0);

        var refused = 0;
        for (var i = 0; i < 40 && refused == 0; i++)
        {
            var answer = await device.RequestAsync(device.Shadow($"s{i % 12}") + "update", new { state = new { reported = new { fill = new string('x', 7000) } } });
            refused += answer.Topic.EndsWith("/rejected", StringComparison.Ordinal) ? 1 : 0;
            if (refused > 0)
            {
                Assert.Equal(503, answer.Json.GetProperty("code").GetInt32());
            }
        }

        Assert.Equal(1, refused);
        await Assert.ThrowsAsync<ServiceUnavailableException>(() => bench.IoT.CreateJobAsync(new CreateJobRequest
        {
            JobId = "big", Targets = [PlaneBench.FleetArn], Document = "{\"a\":\"" + new string('x', 30_000) + "\"}",
        }));

        // Reading goes on, and nothing of what was refused shows.
        Assert.Equal("first", (await device.AcceptedAsync(device.Shadow("ota") + "get", new { })).Json.GetProperty("state").GetProperty("reported").GetProperty("value").GetString());
        Assert.Empty((await bench.IoT.ListJobsAsync(new ListJobsRequest())).Jobs);
        Assert.Equal(0, (await device.AcceptedAsync(device.Jobs + "get", new { })).Json.GetProperty("queuedJobs").GetArrayLength());

        await bench.Plane.LimitStoreAsync(spare: -1);
        await bench.IoT.CreateJobAsync(new CreateJobRequest { JobId = "big", Targets = [PlaneBench.FleetArn], Document = """{"a":1}""" });
        await device.AcceptedAsync(device.Jobs + "start-next", new { });
        await bench.ReopenAsync();
        Assert.Equal(Amazon.IoT.JobExecutionStatus.IN_PROGRESS, (await bench.IoT.DescribeJobExecutionAsync(new DescribeJobExecutionRequest { JobId = "big", ThingName = "thermostats-1" })).Execution.Status);
    }
}
