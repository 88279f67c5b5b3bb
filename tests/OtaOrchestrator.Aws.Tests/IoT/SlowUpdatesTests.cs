using Amazon.IoT;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;
using static OtaOrchestrator.Aws.Tests.IoT.FleetJourney;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>OTA updates that AWS makes some time after it was asked to, or does not make.</summary>
public sealed class SlowUpdatesTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private FleetFixture _fleet = null!;
    private IotDouble _iot = null!;
    private IotFleet _target = null!;

    private SlowUpdates Updates => _iot.Updates!;

    public async ValueTask InitializeAsync()
    {
        _fleet = await FleetFixture.StartAsync();
        _fleet.Settings.PresignRoleArn = "arn:aws:iam::111122223333:role/ota";
        foreach (var image in (char[])['a', 'c'])
        {
            await File.WriteAllBytesAsync(Path.Combine(_fleet.Firmware, new string(image, 64)), [1], _cancellation);
        }

        _iot = await IotDouble.StartAsync(_fleet);
        _iot.Updates = new SlowUpdates(_iot);
        _target = new IotFleet(_iot.Iot, _fleet.Settings, _fleet.Clock);
    }

    public async ValueTask DisposeAsync()
    {
        await _iot.DisposeAsync();
        await _fleet.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_exposed_before_the_update_is_there_and_it_is_asked_for_once()
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        for (int i = 0; i < 3; i++)
        {
            await _target.ExposeAsync(Order(freertos: true, 0), _cancellation);
            var early = await _target.ReadAsync(Order(freertos: true, 0), _cancellation);
            Assert.Equal((false, "step 1 has no job yet"), (early.Agrees, early.Detail));
        }

        await Updates.MakeAsync();
        await _target.ExposeAsync(Order(freertos: true, 0), _cancellation);
        Assert.True((await _target.ReadAsync(Order(freertos: true, 0), _cancellation)).Agrees);
        Assert.Single(await JobsAsync(_fleet, null));
    }

    [Fact]
    public async Task A_return_is_not_done_while_an_update_may_still_come()
    {
        var thing = await _fleet.EnrolAsync(inFirstWave: true);
        await _target.ExposeAsync(Order(freertos: true, 0), _cancellation);
        var back = Order(freertos: true, 0, revision: 2);
        await _target.RestoreAsync(back, _cancellation);
        var early = await _target.ReadRestorationAsync(back, _cancellation);
        Assert.False(early.Agrees);
        Assert.Contains("AWS IoT is still making 1 updates that will offer thermostat-fw@2.4.0", early.Detail, StringComparison.Ordinal);
        await Updates.MakeAsync();
        Assert.False((await _target.ReadRestorationAsync(back, _cancellation)).Agrees);
        await _target.RestoreAsync(back, _cancellation);
        Assert.True((await _target.ReadRestorationAsync(back, _cancellation)).Agrees);
        Assert.Contains("-r-", (string)(await thing.StartNextAsync())!["jobId"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hold_is_not_done_while_an_update_may_still_come()
    {
        var thing = await _fleet.EnrolAsync(inFirstWave: true);
        await _target.ExposeAsync(Order(freertos: true, 0), _cancellation);
        var early = await Assert.ThrowsAsync<IOException>(() => _target.HoldAsync(Order(freertos: true, 0), _cancellation));
        Assert.Contains("still making", early.Message, StringComparison.Ordinal);
        await Updates.MakeAsync();
        await _target.HoldAsync(Order(freertos: true, 0), _cancellation);
        Assert.Empty(await JobsAsync(_fleet, JobStatus.IN_PROGRESS));
        Assert.Null(await thing.StartNextAsync());
    }

    [Fact]
    public async Task What_another_rollout_still_has_made_is_waited_for_before_the_fix_counts_as_exposed()
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        await _target.ExposeAsync(Order(freertos: true, 0), _cancellation);
        var order = Order(freertos: true, 0);
        var fix = FleetFixture.Fix(0, 1) with
        {
            Candidate = order.Fallback with { Version = "2.4.1" },
            Fallback = order.Fallback with { Image = order.Fallback.Image! with { Version = "2.4.2" } },
        };
        Assert.NotEmpty(fix.Predecessors);
        await _target.ExposeAsync(fix, _cancellation);
        // Both come, in the order in which they were asked for.
        await Updates.MakeAsync();
        Assert.False((await _target.ReadAsync(fix, _cancellation)).Agrees);
        await _target.ExposeAsync(fix, _cancellation);
        Assert.True((await _target.ReadAsync(fix, _cancellation)).Agrees);
        Assert.Single(await JobsAsync(_fleet, JobStatus.IN_PROGRESS));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_AWS_could_not_make_is_told_with_its_reason_and_asked_for_anew(bool returning)
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        if (returning)
        {
            await _target.ExposeAsync(Order(freertos: true, 0), _cancellation);
            await Updates.MakeAsync();
        }

        Updates.Broken = "ota is not authorized to perform iot:CreateStream";
        // AWS takes it on and finds out later.
        await ActAsync();
        var refusal = await Assert.ThrowsAsync<TargetException>(ActAsync);
        Assert.Contains("iot:CreateStream", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(await JobsAsync(_fleet, JobStatus.IN_PROGRESS), job => job.Contains(returning ? "-r-" : "-u-", StringComparison.Ordinal));

        Updates.Broken = null;
        await ActAsync();
        await Updates.MakeAsync();
        await ActAsync();
        Assert.Contains(returning ? "-r-" : "-u-", Assert.Single(await JobsAsync(_fleet, JobStatus.IN_PROGRESS)), StringComparison.Ordinal);

        Task ActAsync() => returning ? _target.RestoreAsync(Order(freertos: true, 0, revision: 2), _cancellation) : _target.ExposeAsync(Order(freertos: true, 0), _cancellation);
    }
}
