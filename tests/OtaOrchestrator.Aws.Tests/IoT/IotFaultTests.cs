using Amazon.IoT;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>The fleet adapter, with the product's own clients, over an AWS IoT that behaves badly.</summary>
public sealed class IotFaultTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private FleetFixture _fleet = null!;
    private IotDouble _iot = null!;
    private IotFleet _target = null!;

    public async ValueTask InitializeAsync()
    {
        _fleet = await FleetFixture.StartAsync();
        _iot = await IotDouble.StartAsync(_fleet);
        _target = new IotFleet(_iot.Iot, _fleet.Settings, _fleet.Clock);
    }

    public async ValueTask DisposeAsync()
    {
        await _iot.DisposeAsync();
        await _fleet.DisposeAsync();
    }

    [Theory]
    [InlineData(nameof(IotFault.Throttle), "PUT /jobs/*-u-*")]
    [InlineData(nameof(IotFault.Throttle), "PUT /jobs/*/cancel")]
    [InlineData(nameof(IotFault.Error), "GET /jobs/*")]
    [InlineData(nameof(IotFault.Lose), "PUT /jobs/*-u-*")]
    [InlineData(nameof(IotFault.Lose), "PUT /jobs/*/cancel")]
    [InlineData(nameof(IotFault.Silence), "PUT /jobs/*-r-*")]
    [InlineData(nameof(IotFault.Lose), "POST /otaUpdates/*-u-*")]
    [InlineData(nameof(IotFault.Silence), "POST /otaUpdates/*-r-*")]
    public Task What_passes_after_a_while_is_not_noticed_and_does_nothing_twice(string kind, string call) => ThereAndBackAsync(Enum.Parse<IotFault>(kind), call, times: 1);

    public static TheoryData<string, string> Misfortunes() => new(
        from kind in (IotFault[])[IotFault.Throttle, IotFault.Error, IotFault.Lose, IotFault.Silence]
        from call in (string[])
        [
            "PUT /jobs/*-u-*", "PUT /jobs/*-r-*", "PUT /jobs/*/cancel", "GET /jobs", "GET /jobs/*", "POST /indices/statistics", "GET /thing-groups*", "GET /indexing/config",
            "POST /otaUpdates/*-u-*", "POST /otaUpdates/*-r-*", "GET /otaUpdates",
        ]
        select (kind.ToString(), call));

    [Theory]
    [Trait("Gate", "Full")]
    [MemberData(nameof(Misfortunes))]
    public Task Nor_when_it_is_any_call_and_twice(string kind, string call) => ThereAndBackAsync(Enum.Parse<IotFault>(kind), call, times: 2);

    [Theory]
    [InlineData("PUT /jobs/*-u-0-1")]
    [InlineData("GET /jobs/*-u-0-1")]
    public async Task What_does_not_pass_is_an_outage_and_the_next_time_goes_on(string call)
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        _iot.Befall(IotFault.Error, call, times: 100);
        var outage = await Assert.ThrowsAnyAsync<Exception>(ExposeAsync);
        Assert.IsNotType<TargetException>(outage);
        Assert.True(AwsFailures.IsOutage(outage), outage.ToString());
        Assert.InRange(_iot.Calls.Count(one => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(call, one)), 2, 6);
        _iot.Recover();
        await ExposeAsync();
        Assert.Single(await FleetJourney.JobsAsync(_fleet, JobStatus.IN_PROGRESS));

        async Task ExposeAsync()
        {
            await _target.ExposeAsync(FleetFixture.Order(0), _cancellation);
            Assert.True((await _target.ReadAsync(FleetFixture.Order(0), _cancellation)).Agrees);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_listing_older_than_the_exposure_hides_no_job_from_the_hold_nor_from_the_return(bool hold)
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        await _target.PromoteAsync(FleetFixture.Order(-1), _cancellation);
        await _target.ExposeAsync(FleetFixture.Order(0), _cancellation);
        _iot.Befall(IotFault.Stale, "GET /jobs", times: 100);
        if (hold)
        {
            await _target.HoldAsync(FleetFixture.Order(0), _cancellation);
            Assert.Empty(await FleetJourney.JobsAsync(_fleet, JobStatus.IN_PROGRESS));
            return;
        }

        var back = FleetFixture.Order(0, revision: 2);
        Assert.False((await _target.ReadRestorationAsync(back, _cancellation)).Agrees);
        await _target.RestoreAsync(back, _cancellation);
        Assert.True((await _target.ReadRestorationAsync(back, _cancellation)).Agrees);
        Assert.Contains("-r-", Assert.Single(await FleetJourney.JobsAsync(_fleet, JobStatus.IN_PROGRESS)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_cannot_be_seen_yet_is_no_exposure_and_is_made_once()
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        var order = FleetFixture.Order(0);
        Assert.False((await _target.ReadAsync(order, _cancellation)).Agrees);
        await _target.ExposeAsync(order, _cancellation);
        _iot.Befall(IotFault.Stale, "GET /jobs/*-u-0-1");
        Assert.False((await _target.ReadAsync(order, _cancellation)).Agrees);
        await _target.ExposeAsync(order, _cancellation);
        Assert.True((await _target.ReadAsync(order, _cancellation)).Agrees);
        Assert.Single(await FleetJourney.JobsAsync(_fleet, null));
    }

    private async Task ThereAndBackAsync(IotFault kind, string call, int times)
    {
        _iot.Befall(kind, call, times);
        await FleetJourney.ThereAndBackAsync(_fleet, freertos: call.Contains("/otaUpdates", StringComparison.Ordinal), act => act(_target));
        Assert.Equal(0, _iot.FaultsLeft);
    }
}
