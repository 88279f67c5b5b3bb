using Amazon.IoT.Model;
using OtaOrchestrator.Aws.IoT.Adoption;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>Things that an account has already become a fleet, without any of them noticing.</summary>
public sealed class FleetAdoptionTests : IAsyncLifetime
{
    private const string Fleet = "meters";
    private const string Query = "attributes.model:m1";
    private static readonly VersionSource Attribute = VersionSource.Parse("attribute:version")!;
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private FleetFixture _account = null!;
    private FleetAdoption _adoption = null!;

    public async ValueTask InitializeAsync()
    {
        _account = await FleetFixture.StartAsync();
        _adoption = new FleetAdoption(_account.Iot);
        for (int i = 0; i < 7; i++)
        {
            await ThingAsync($"meter-{i}", i < 4 ? "1.0" : i < 6 ? "1.1" : null);
        }
    }

    public async ValueTask DisposeAsync() => await _account.DisposeAsync();

    [Fact]
    public async Task Looking_counts_lists_the_calls_and_changes_nothing()
    {
        var seen = await _adoption.LookAsync(Fleet, Query, Attribute, drive: true, _cancellation);
        Assert.Equal((7, 0, 1), (seen.Devices, seen.Connected, seen.Unknown));
        Assert.Equal([("1.0", 4L), ("1.1", 2L)], seen.Versions.OrderBy(one => one.Key).Select(one => (one.Key, one.Value)));
        Assert.Equal([("CreateThingGroup", 102L), ("AddThingToThingGroup", 14L)], seen.Calls.Select(call => (call.Operation, call.Count)));
        Assert.Contains(seen.Findings, finding => finding is { Code: "OTHER_AGENT", Blocks: true });
        Assert.Contains(seen.Findings, finding => finding is { Code: "VERSION_UNKNOWN", Blocks: false });
        Assert.Empty(await MembersAsync(Fleet));
        Assert.Empty((await _adoption.LookAsync(Fleet, Query, Attribute, drive: false, _cancellation)).Calls);
    }

    [Fact]
    public async Task Driving_puts_each_thing_into_the_fleet_and_its_cohort_once()
    {
        List<(long, long)> told = [];
        Assert.Equal(116, await DriveAsync(told));
        Assert.Equal((116, 116), told[^1]);
        Assert.Equal(7, (await MembersAsync(Fleet)).Count);
        for (int i = 0; i < 7; i++)
        {
            var name = $"meter-{i}";
            var groups = (await _account.Iot.ListThingGroupsForThingAsync(new ListThingGroupsForThingRequest { ThingName = name }, _cancellation)).ThingGroups.Select(group => group.GroupName);
            Assert.Equal([Fleet, $"{Fleet}-c{Cohorts.Of(name):00}"], groups.Order(StringComparer.Ordinal));
        }

        // Again: nothing; and one that came later, alone.
        Assert.Equal(0, await DriveAsync([]));
        Assert.Empty((await _adoption.LookAsync(Fleet, Query, Attribute, drive: true, _cancellation)).Calls);
        await ThingAsync("meter-new", "1.1");
        Assert.Equal(2, await DriveAsync([]));
        Assert.Equal(8, (await MembersAsync(Fleet)).Count);
    }

    [Fact]
    public async Task Interrupted_anywhere_it_goes_on_with_what_is_missing()
    {
        for (int stops = 1; ; stops += 13)
        {
            int left = stops;
            try
            {
                await _adoption.DriveAsync(Fleet, Query, (_, _) => --left > 0 ? Task.CompletedTask : throw new OperationCanceledException(), _cancellation);
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.True(stops < 200);
            }
        }

        Assert.Equal(7, (await MembersAsync(Fleet)).Count);
        Assert.Equal(0, await DriveAsync([]));
    }

    [Fact]
    public async Task A_thing_in_too_many_groups_stops_it_before_anything_is_changed()
    {
        for (int i = 0; i < 9; i++)
        {
            await _account.Iot.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = $"other-{i}" }, _cancellation);
            await _account.Iot.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingGroupName = $"other-{i}", ThingName = "meter-3" }, _cancellation);
        }

        var seen = await _adoption.LookAsync(Fleet, Query, Attribute, drive: true, _cancellation);
        Assert.Contains(seen.Findings, finding => finding is { Code: "TOO_MANY_GROUPS", Blocks: true } && finding.Text.Contains("meter-3", StringComparison.Ordinal));
        await Assert.ThrowsAsync<TargetException>(() => DriveAsync([]));
        Assert.Empty(await MembersAsync(Fleet));
    }

    [Fact]
    public async Task What_AWS_does_not_understand_or_find_is_said()
    {
        await Assert.ThrowsAsync<TargetException>(() => _adoption.LookAsync(Fleet, "model:(", Attribute, drive: true, _cancellation));
        Assert.Contains((await _adoption.LookAsync(Fleet, "attributes.model:m9", Attribute, drive: true, _cancellation)).Findings, finding => finding is { Code: "NO_DEVICES", Blocks: true });
    }

    [Fact]
    public async Task Devices_of_the_agent_say_it_in_their_shadow()
    {
        await _account.EnrolAsync(true);
        var seen = await _adoption.LookAsync(FleetFixture.Fleet, $"thingGroupNames:{FleetFixture.Fleet}", VersionSource.Agent, drive: true, _cancellation);
        Assert.Equal(1, seen.Devices);
        Assert.Empty(seen.Calls);
        Assert.DoesNotContain(seen.Findings, finding => finding.Code == "OTHER_AGENT");
    }

    [Theory]
    [InlineData("", "shadow.name.ota.reported.release")]
    [InlineData("shadow::firmware.version", "shadow.reported.firmware.version")]
    [InlineData("shadow:$package:fw.version", null)]
    [InlineData("shadow:device:fw.version", "shadow.name.device.reported.fw.version")]
    [InlineData("attribute:fw-version", "attributes.fw-version")]
    [InlineData("attribute:a b", null)]
    [InlineData("shadow:x:y OR z", null)]
    [InlineData("table:x", null)]
    public void Sources_are_fields_of_the_index_or_refused(string text, string? field) => Assert.Equal(field, VersionSource.Parse(text)?.IndexField);

    [Fact]
    public void A_source_reads_what_the_index_shows()
    {
        var attributes = new Dictionary<string, string> { ["v"] = "1.0" };
        const string Shadow = """{"reported":{"fw":{"version":"2.0"}},"name":{"device":{"reported":{"fw":3}}}}""";
        Assert.Equal(["1.0", "2.0", "3", "", ""], ((string[])["attribute:v", "shadow::fw.version", "shadow:device:fw", "shadow:device:fw.version", "job:v"]).Select(source => VersionSource.Parse(source)!.Of(attributes, Shadow)));
    }

    private Task<long> DriveAsync(List<(long, long)> told) => _adoption.DriveAsync(Fleet, Query, (done, all) =>
    {
        told.Add((done, all));
        return Task.CompletedTask;
    }, _cancellation);

    private Task ThingAsync(string name, string? version)
    {
        Dictionary<string, string> attributes = new() { ["model"] = "m1" };
        if (version is not null)
        {
            attributes["version"] = version;
        }

        return _account.Iot.CreateThingAsync(new CreateThingRequest { ThingName = name, AttributePayload = new AttributePayload { Attributes = attributes } }, _cancellation);
    }

    private async Task<List<string>> MembersAsync(string group)
    {
        try
        {
            return (await _account.Iot.ListThingsInThingGroupAsync(new ListThingsInThingGroupRequest { ThingGroupName = group }, _cancellation)).Things ?? [];
        }
        catch (ResourceNotFoundException)
        {
            return [];
        }
    }
}
