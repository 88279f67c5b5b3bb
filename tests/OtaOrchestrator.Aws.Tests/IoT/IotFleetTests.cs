using Amazon.IoT;
using Amazon.IoT.Model;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Core.Ports;
using static OtaOrchestrator.Aws.Tests.IoT.FleetFixture;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>The fleet adapter over a real device plane, with real devices on MQTT.</summary>
public sealed class IotFleetTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private FleetFixture _fleet = null!;

    private IotFleet Target => _fleet.Target;

    public async ValueTask InitializeAsync() => _fleet = await FleetFixture.StartAsync();

    public ValueTask DisposeAsync() => _fleet.DisposeAsync();

    [Fact]
    public async Task Preparation_counts_the_fleet_and_exposes_nobody()
    {
        var device = await _fleet.EnrolAsync(inFirstWave: true);
        await _fleet.EnrolAsync(inFirstWave: false);

        Assert.Equal(new Preparation(2), await Target.PrepareAsync(Order(-1), _cancellation));
        Assert.Empty(await device.QueuedAsync());
    }

    [Fact]
    public async Task Forecast_counts_each_wave_in_calls_that_do_not_grow_with_the_fleet_and_touches_nobody()
    {
        var device = await _fleet.EnrolAsync(inFirstWave: true);
        await _fleet.EnrolAsync(inFirstWave: false);
        await _fleet.EnrolAsync(inFirstWave: false);
        int before = _fleet.Calls;
        var forecast = await Target.ForecastAsync(Order(-1), _cancellation);
        Assert.True(_fleet.Calls - before <= 4, $"{_fleet.Calls - before} calls");
        Assert.Equal((3, 2), (forecast.Members, forecast.Steps.Count));
        Assert.Equal([1, 2], forecast.Steps.Select(step => step.Added));
        Assert.StartsWith("10 cohorts: c", forecast.Steps[0].Who, StringComparison.Ordinal);
        Assert.Empty(await device.QueuedAsync());
    }

    [Theory]
    [InlineData("no such fleet", "there is no thing group absent")]
    [InlineData("no such group", "there is no thing group thermostats-absent")]
    [InlineData("half a cohort", "hundredths")]
    [InlineData("no document", "signed update document")]
    [InlineData("no return", "signed return document")]
    [InlineData("too long", "at most 32768")]
    public async Task Preparation_says_what_is_in_the_way(string wrong, string expected)
    {
        var order = Order(-1);
        order = wrong switch
        {
            "no such fleet" => order with { Target = "absent" },
            "no such group" => order with { Steps = [new TargetStep(0, "absent"), new TargetStep(1, null)] },
            "half a cohort" => order with { Steps = [new TargetStep(0.005, null)] },
            "no document" => order with { Candidate = order.Candidate with { Document = null } },
            "no return" => order with { Fallback = order.Fallback with { Document = null } },
            _ => order with { Candidate = order.Candidate with { Document = new string('x', IotFleet.DocumentCharsMax + 1) } },
        };
        Assert.Contains(expected, (await Target.PrepareAsync(order, _cancellation)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Step_is_offered_to_its_wave_and_to_nobody_else()
    {
        var (inside, outside) = (await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(false));
        Assert.False((await Target.ReadAsync(Order(0), _cancellation)).Agrees);

        await Target.ExposeAsync(Order(0), _cancellation);

        Assert.Equal((true, 0.1, 1L, 1L), Short(await Target.ReadAsync(Order(0), _cancellation)));
        Assert.Single(await inside.QueuedAsync());
        Assert.Empty(await outside.QueuedAsync());

        await Target.ExposeAsync(Order(1, revision: 2), _cancellation);
        Assert.Equal((true, 1.0, 2L, 2L), Short(await Target.ReadAsync(Order(1), _cancellation)));
        Assert.Single(await inside.QueuedAsync());
        Assert.Single(await outside.QueuedAsync());

        static (bool, double, long, long) Short(Reading r) => (r.Agrees, r.Share, r.Offered, r.Eligible);
    }

    [Fact]
    public async Task Exposure_does_not_agree_before_everybody_is_offered_it()
    {
        await _fleet.EnrolAsync(true);
        await _fleet.EnrolAsync(true);
        var slow = Order(0) with { RatePerMinuteMax = 1 };
        await Target.ExposeAsync(slow, _cancellation);

        var reading = await Target.ReadAsync(slow, _cancellation);
        Assert.Equal((false, 1, 2), (reading.Agrees, reading.Offered, reading.Eligible));
        Assert.Contains("1 of 2 devices", reading.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Starts_are_all_counted_though_one_answer_does_not_hold_them()
    {
        await Target.ExposeAsync(Order(0), _cancellation);
        for (var i = 0; i < 5; i++)
        {
            await _fleet.StartAsync(await _fleet.EnrolAsync(true), 1000 + (i * i));
        }

        var starts = await new FleetIndex(_fleet.Iot, bucketsMax: 2).ByStartAsync("*", 0, _fleet.Now, _cancellation);
        Assert.Equal([1000L, 1001, 1004, 1009, 1016], starts.Keys);
        Assert.All(starts.Values, count => Assert.Equal(1, count));
    }

    [Fact]
    public async Task Outage_is_not_the_target_s_refusal()
    {
        using var gone = new AmazonIoTClient(
            new Amazon.Runtime.BasicAWSCredentials("any", "any"),
            new AmazonIoTConfig { ServiceURL = "http://127.0.0.1:1", AuthenticationRegion = "local-1", MaxErrorRetry = 0 });
        var failure = await Record.ExceptionAsync(() => new IotFleet(gone, new IotFleetOptions(), _fleet.Clock).ExposeAsync(Order(0), _cancellation));
        Assert.NotNull(failure);
        Assert.IsNotType<TargetException>(failure);
    }

    [Fact]
    public async Task Named_group_can_be_the_first_step()
    {
        var (lab, other) = (await _fleet.EnrolAsync(false), await _fleet.EnrolAsync(true));
        await _fleet.Iot.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = "thermostats-lab" }, _cancellation);
        await _fleet.Iot.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingGroupName = "thermostats-lab", ThingName = lab.Name }, _cancellation);
        var order = Order(0) with { Steps = [new TargetStep(0, "lab"), new TargetStep(0.1, null)] };

        Assert.Null((await Target.PrepareAsync(order, _cancellation)).Problem);
        await Target.ExposeAsync(order, _cancellation);

        Assert.True((await Target.ReadAsync(order, _cancellation)).Agrees);
        Assert.Single(await lab.QueuedAsync());
        Assert.Empty(await other.QueuedAsync());
    }

    [Fact]
    public async Task Exposing_twice_offers_once()
    {
        var device = await _fleet.EnrolAsync(true);
        await Target.ExposeAsync(Order(0), _cancellation);
        await new IotFleet(_fleet.Iot, _fleet.Settings, _fleet.Clock).ExposeAsync(Order(0), _cancellation);
        Assert.Single(await device.QueuedAsync());
    }

    [Fact]
    public async Task The_same_step_with_another_document_is_refused_and_changes_nothing()
    {
        var device = await _fleet.EnrolAsync(true);
        await Target.ExposeAsync(Order(0), _cancellation);
        var other = Order(0);
        await Assert.ThrowsAsync<TargetException>(() =>
            Target.ExposeAsync(other with { Candidate = other.Candidate with { Document = """{"ota":{"operation":"else"}}""" } }, _cancellation));

        var execution = await device.StartNextAsync();
        Assert.Equal("update", (string)execution!["jobDocument"]!["ota"]!["operation"]!);
    }

    [Fact]
    public async Task Device_enrolled_later_into_an_exposed_cohort_is_offered_the_same()
    {
        await Target.ExposeAsync(Order(0), _cancellation);
        var late = await _fleet.EnrolAsync(true);
        Assert.Single(await late.QueuedAsync());
        Assert.True((await Target.ReadAsync(Order(0), _cancellation)).Agrees);
    }

    [Fact]
    public async Task Older_order_is_refused_once_a_newer_one_was_carried_out()
    {
        await Target.ExposeAsync(Order(0, revision: 5), _cancellation);
        await Assert.ThrowsAsync<TargetException>(() => Target.ExposeAsync(Order(1, revision: 4), _cancellation));
        Assert.False((await Target.ReadAsync(Order(1), _cancellation)).Agrees);
    }

    [Fact]
    public async Task Observation_tells_every_fate_apart()
    {
        var order = Order(0);
        string[] fates = ["started", "confirmed", "unhealthy", "reverted", "refused", "dead at once", "offered"];
        var things = new Dictionary<string, MqttThing>(StringComparer.Ordinal);
        foreach (var fate in fates)
        {
            things[fate] = await _fleet.EnrolAsync(true);
        }

        await Target.ExposeAsync(order, _cancellation);
        var start = _fleet.Now;
        var jobs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (index, fate) in fates[..^1].Index())
        {
            jobs[fate] = await _fleet.StartAsync(things[fate], start + index);
        }

        foreach (var fate in new[] { "confirmed", "unhealthy", "dead at once" })
        {
            await _fleet.EndAsync(things[fate], jobs[fate], "confirmed", 'a');
        }

        await _fleet.EndAsync(things["reverted"], jobs["reverted"], "reverted", 'b', "SELF_TEST");
        await _fleet.EndAsync(things["refused"], jobs["refused"], "refused", 'b', "SIGNATURE");
        await things["unhealthy"].ReportAsync(new { health = "unhealthy" });

        var early = await Observe(order);
        Assert.Equal((7, 7, 1), (early.Offered, early.Reachable, early.Queued));
        Assert.Equal(6, early.Starts.Count);
        Assert.Equal((0, 3, 0, 1), Sums(early));
        Assert.Equal(3, early.Starts.Sum(b => b.Unresolved));

        // An hour on, two have been heard of all along, the rest are silent.
        _fleet.Clock.Advance(TimeSpan.FromMinutes(33));
        foreach (var fate in new[] { "confirmed", "reverted" })
        {
            await things[fate].ReportAsync(new { checkIn = _fleet.Now });
        }

        var later = await Observe(order);
        Assert.Equal((1, 3, 2, 1), Sums(later));
        Assert.Equal(new StartBucket(start, 1, 0, 0, 1), later.Starts[0]);
        Assert.Equal(new StartBucket(start + 1, 1, 1, 0, 0), later.Starts[1]);
        Assert.Equal(new StartBucket(start + 2, 1, 0, 1, 0), later.Starts[2]);
        Assert.Equal(0, later.Dark);
        Assert.Equal(
            [new CauseCount("SELF_TEST", 1), new CauseCount("SIGNATURE", 1), new CauseCount("SILENT", 2), new CauseCount("UNHEALTHY", 1)],
            later.Causes.OrderBy(c => c.Code, StringComparer.Ordinal));

        // Who went through its observation and is silent afterwards is dark.
        _fleet.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(2, (await Observe(order)).Dark);

        static (long, long, long, long) Sums(FleetObservation o) =>
            (o.Starts.Sum(b => b.Healthy), o.Starts.Sum(b => b.Failed), o.Starts.Sum(b => b.Silent), o.Refused);
    }

    [Fact]
    public async Task Observing_costs_the_same_calls_for_one_device_and_for_many()
    {
        var order = Order(0);
        await Target.ExposeAsync(order, _cancellation);
        await _fleet.StartAsync(await _fleet.EnrolAsync(true));
        var one = await Calls(() => Observe(order));
        for (var i = 0; i < 12; i++)
        {
            await _fleet.StartAsync(await _fleet.EnrolAsync(true));
        }

        Assert.Equal(one, await Calls(() => Observe(order)));
        Assert.Equal(13, (await Observe(order)).Starts.Sum(b => b.Started));

        async Task<int> Calls(Func<Task> action)
        {
            var before = _fleet.Calls;
            await action();
            return _fleet.Calls - before;
        }
    }

    [Fact]
    public async Task Hold_takes_back_what_is_queued_and_resuming_offers_it_again()
    {
        var (running, waiting) = (await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(true));
        await Target.ExposeAsync(Order(0), _cancellation);
        var job = await _fleet.StartAsync(running);

        await Target.HoldAsync(Order(0, revision: 2), _cancellation);
        Assert.Empty(await waiting.QueuedAsync());
        await _fleet.EndAsync(running, job, "confirmed", 'a');

        var resumed = Order(0, attempt: 2, revision: 3);
        await Target.ExposeAsync(resumed, _cancellation);
        Assert.True((await Target.ReadAsync(resumed, _cancellation)).Agrees);
        Assert.Single(await waiting.QueuedAsync());
        var observation = await Observe(resumed);
        Assert.Equal((2, 2), (observation.Offered, observation.Queued));
    }

    [Fact]
    public async Task Restoring_withdraws_first_and_is_done_only_when_reachable_devices_say_that_they_are_back()
    {
        var (updated, installing, waiting, away, outside) = (
            await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(false));
        var order = Order(0, revision: 2);
        await Target.ExposeAsync(Order(0), _cancellation);
        await _fleet.EndAsync(updated, await _fleet.StartAsync(updated), "confirmed", 'a');
        await _fleet.EndAsync(away, await _fleet.StartAsync(away), "confirmed", 'a');
        var install = await _fleet.StartAsync(installing);
        await away.ReportAsync(new { checkIn = _fleet.Now - 3600 });
        Assert.False((await Target.ReadRestorationAsync(order, _cancellation)).Agrees);

        await Target.RestoreAsync(order, _cancellation);
        await Target.RestoreAsync(order, _cancellation);

        Assert.Equal((false, 2, 0, 0, 1), Short(await Target.ReadRestorationAsync(order, _cancellation)));
        Assert.Empty(await outside.QueuedAsync());
        Assert.Equal("return", (string)(await waiting.StartNextAsync())!["jobDocument"]!["ota"]!["operation"]!);

        // The one that was installing ends that, and finds the return behind it.
        await _fleet.EndAsync(installing, install, "confirmed", 'a');
        foreach (var thing in new[] { updated, installing })
        {
            await _fleet.EndAsync(thing, await _fleet.StartAsync(thing), "confirmed", 'b');
        }

        Assert.Equal((true, 0, 2, 0, 1), Short(await Target.ReadRestorationAsync(order, _cancellation)));

        // The tail comes back later and finds its return too.
        await _fleet.EndAsync(away, await _fleet.StartAsync(away), "confirmed", 'b');
        Assert.Equal((true, 0, 3, 0, 0), Short(await Target.ReadRestorationAsync(order, _cancellation)));
    }

    [Fact]
    public async Task Late_exposure_resurrects_nothing_after_a_restore()
    {
        var device = await _fleet.EnrolAsync(true);
        await Target.ExposeAsync(Order(0), _cancellation);
        await Target.RestoreAsync(Order(0, revision: 2), _cancellation);

        await Assert.ThrowsAsync<TargetException>(() => Target.ExposeAsync(Order(0), _cancellation));
        // Another process that knows of no fence.
        await new IotFleet(_fleet.Iot, _fleet.Settings, _fleet.Clock).ExposeAsync(Order(0), _cancellation);

        Assert.Contains("-r-", Assert.Single(await device.QueuedAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Late_exposure_of_a_step_nobody_had_seen_keeps_the_restoration_open_until_it_is_taken_back()
    {
        await _fleet.EnrolAsync(true);
        await Target.ExposeAsync(Order(0), _cancellation);
        var restore = Order(0, revision: 2);
        await Target.RestoreAsync(restore, _cancellation);
        Assert.True((await Target.ReadRestorationAsync(restore, _cancellation)).Agrees);

        await new IotFleet(_fleet.Iot, _fleet.Settings, _fleet.Clock).ExposeAsync(Order(1), _cancellation);
        Assert.False((await Target.ReadRestorationAsync(restore, _cancellation)).Agrees);

        await Target.RestoreAsync(restore, _cancellation);
        Assert.True((await Target.ReadRestorationAsync(restore, _cancellation)).Agrees);
    }

    [Fact]
    public async Task Return_goes_in_waves_and_who_failed_tries_once_more_with_the_next()
    {
        var order = Core.Plans.Cohorts.Order(Rollout);
        var (first, second) = (await _fleet.EnrolAsync(cohort => cohort == order[0]), await _fleet.EnrolAsync(cohort => cohort == order[1]));
        await Target.ExposeAsync(Order(0), _cancellation);
        foreach (var thing in new[] { first, second })
        {
            await _fleet.EndAsync(thing, await _fleet.StartAsync(thing), "confirmed", 'a');
        }

        var part = Order(0, revision: 2, restoreShare: 0.1);
        await Target.RestoreAsync(part, _cancellation);
        Assert.Empty(await second.QueuedAsync());
        Assert.Equal((false, 1, 0, 0, 0), Short(await Target.ReadRestorationAsync(part, _cancellation)));
        await _fleet.EndAsync(first, await _fleet.StartAsync(first), "reverted", 'a', "SELF_TEST");
        Assert.Equal((true, 0, 0, 1, 1), Short(await Target.ReadRestorationAsync(part, _cancellation)));

        var whole = Order(0, revision: 3);
        await Target.RestoreAsync(whole, _cancellation);
        foreach (var thing in new[] { first, second })
        {
            await _fleet.EndAsync(thing, await _fleet.StartAsync(thing), "confirmed", 'b');
        }

        Assert.Equal((true, 0, 2, 0, 0), Short(await Target.ReadRestorationAsync(whole, _cancellation)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_that_is_set_makes_no_device_silent_and_ends_no_return_early(int hours)
    {
        var clock = new SettableClock(_fleet.Clock);
        var target = new IotFleet(_fleet.Iot, _fleet.Settings, clock);
        var device = await _fleet.EnrolAsync(true);
        var order = Order(0);
        await target.ExposeAsync(order, _cancellation);
        await _fleet.EndAsync(device, await _fleet.StartAsync(device), "confirmed", 'a');
        await device.ReportAsync(new { health = "healthy", checkIn = _fleet.Now });

        clock.Offset = TimeSpan.FromHours(hours);
        var seen = Assert.IsType<FleetObservation>(await target.ObserveAsync(order, _cancellation));
        Assert.Equal((0, 0), (seen.Starts.Sum(start => start.Silent), seen.Dark));
        var restore = Order(0, revision: 2);
        await target.RestoreAsync(restore, _cancellation);
        var reading = await target.ReadRestorationAsync(restore, _cancellation);
        Assert.False(reading.Agrees, reading.Detail);
        Assert.Contains("reachable devices still run", reading.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Update_that_does_not_end_is_cancelled_by_force_after_the_grace()
    {
        var device = await _fleet.EnrolAsync(true);
        await Target.ExposeAsync(Order(0), _cancellation);
        var job = await _fleet.StartAsync(device);
        var restore = Order(0, revision: 2);
        await Target.RestoreAsync(restore, _cancellation);
        Assert.Equal(JobExecutionStatus.IN_PROGRESS, await Status());

        _fleet.Clock.Advance(_fleet.Settings.WithdrawalGrace + TimeSpan.FromMinutes(1));
        await Target.RestoreAsync(restore, _cancellation);
        Assert.Equal(JobExecutionStatus.CANCELED, await Status());

        async Task<JobExecutionStatus> Status() =>
            (await _fleet.Iot.DescribeJobExecutionAsync(new DescribeJobExecutionRequest { JobId = job, ThingName = device.Name }, _cancellation)).Execution.Status;
    }

    [Fact]
    public async Task Promotion_takes_back_what_earlier_rollouts_still_offer_and_nothing_of_its_own()
    {
        var device = await _fleet.EnrolAsync(true);
        await Target.ExposeAsync(Order(1, rollout: "r-before"), _cancellation);
        await Target.ExposeAsync(Order(1, revision: 2), _cancellation);
        Assert.Equal(2, (await device.QueuedAsync()).Count);

        await Target.PromoteAsync(Order(1, revision: 3), _cancellation);

        Assert.Contains(Rollout[..10], Assert.Single(await device.QueuedAsync()), StringComparison.Ordinal);
        Assert.True((await Target.ReadAsync(Order(1), _cancellation)).Agrees);
    }

    [Fact]
    public async Task Fix_takes_over_what_was_offered_and_takes_back_who_runs_either()
    {
        var (fixedOne, broken, waiting, later) = (await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(true), await _fleet.EnrolAsync(false));
        await Target.ExposeAsync(Order(0), _cancellation);
        foreach (var thing in new[] { fixedOne, broken })
        {
            await _fleet.EndAsync(thing, await _fleet.StartAsync(thing), "confirmed", 'a');
        }

        var fix = Fix(-1, revision: 1);
        Assert.Equal(new Preparation(4), await Target.PrepareAsync(fix, _cancellation));
        Assert.Empty(await waiting.QueuedAsync());

        // Who was reached before is reached first.
        fix = Fix(0, revision: 2);
        await Target.ExposeAsync(fix, _cancellation);
        Assert.True((await Target.ReadAsync(fix, _cancellation)).Agrees);
        foreach (var (thing, offers) in new[] { (fixedOne, 1), (broken, 1), (waiting, 1), (later, 0) })
        {
            Assert.Equal(offers, (await thing.QueuedAsync()).Count);
        }

        await _fleet.EndAsync(fixedOne, await _fleet.StartAsync(fixedOne), "confirmed", 'c');

        var restore = Fix(0, revision: 3);
        await Target.RestoreAsync(restore, _cancellation);
        Assert.Equal((false, 2, 0, 0, 0), Short(await Target.ReadRestorationAsync(restore, _cancellation)));
        foreach (var thing in new[] { fixedOne, broken })
        {
            await _fleet.EndAsync(thing, await _fleet.StartAsync(thing), "confirmed", 'b');
        }

        Assert.Equal((true, 0, 2, 0, 0), Short(await Target.ReadRestorationAsync(restore, _cancellation)));
        Assert.Empty(await later.QueuedAsync());
    }

    [Fact]
    public async Task Fix_that_never_began_takes_back_what_it_took_over()
    {
        var device = await _fleet.EnrolAsync(true);
        await Target.ExposeAsync(Order(0), _cancellation);
        await _fleet.EndAsync(device, await _fleet.StartAsync(device), "confirmed", 'a');

        var restore = Fix(-1, revision: 2);
        await Target.RestoreAsync(restore, _cancellation);
        Assert.False((await Target.ReadRestorationAsync(restore, _cancellation)).Agrees);
        await _fleet.EndAsync(device, await _fleet.StartAsync(device), "confirmed", 'b');
        Assert.Equal((true, 0, 1, 0, 0), Short(await Target.ReadRestorationAsync(restore, _cancellation)));
    }

    [Fact]
    public async Task Late_exposure_of_what_was_taken_over_is_seen_and_taken_back()
    {
        var device = await _fleet.EnrolAsync(inFirstWave: false);
        var fix = Fix(0, revision: 1);
        await Target.PrepareAsync(fix, _cancellation);
        await Target.ExposeAsync(fix, _cancellation);
        // A call of the rollout before it that was under way, from another process that knows of no fence.
        await new IotFleet(_fleet.Iot, _fleet.Settings, _fleet.Clock).ExposeAsync(Order(1), _cancellation);

        var reading = await Target.ReadAsync(fix, _cancellation);
        Assert.False(reading.Agrees);
        Assert.Contains("still offer thermostat-fw@2.4.0", reading.Detail, StringComparison.Ordinal);
        await Target.ExposeAsync(fix, _cancellation);
        Assert.True((await Target.ReadAsync(fix, _cancellation)).Agrees);
        Assert.Empty(await device.QueuedAsync());
    }

    private async Task<FleetObservation> Observe(TargetOrder order) => Assert.IsType<FleetObservation>(await Target.ObserveAsync(order, _cancellation));

    private static (bool, long, long, long, long) Short(Restoration r) => (r.Agrees, r.Candidate, r.Returned, r.Failed, r.Tail);

    /// <summary>The time of day can be set; timestamps go on as they do.</summary>
    private sealed class SettableClock(TimeProvider steady) : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => steady.GetUtcNow() + Offset;

        public override long GetTimestamp() => steady.GetTimestamp();

        public override long TimestampFrequency => steady.TimestampFrequency;
    }
}
