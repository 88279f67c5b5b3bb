using OtaOrchestrator.Aws.IoT;

namespace OtaOrchestrator.Aws.Tests.IoT;

public sealed class IotDevicesTests
{
    [Fact]
    public async Task A_revoked_device_is_cut_off_and_shown_so_until_it_enrols_again()
    {
        await using var fixture = await FleetFixture.StartAsync();
        var devices = new IotDevices(fixture.Iot);
        var thing = await fixture.EnrolAsync(_ => true);
        await fixture.EnrolAsync(_ => true);
        Assert.False((await One(devices, thing.Name)).Revoked);

        await devices.RevokeAsync(thing.Name, fixture.Clock.GetUtcNow(), CancellationToken.None);
        await devices.RevokeAsync(thing.Name, fixture.Clock.GetUtcNow(), CancellationToken.None);
        while (thing.Connected)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        Assert.True((await One(devices, thing.Name)).Revoked);
        var (revoked, _) = await devices.SearchAsync($"attributes.{IotDevices.RevokedAttribute}:*", 10, "", CancellationToken.None);
        Assert.Equal([thing.Name], revoked.Select(device => device.Thing));
        Assert.Equal(1, await devices.CountAsync($"thingGroupNames:{FleetFixture.Fleet} AND NOT attributes.{IotDevices.RevokedAttribute}:*", CancellationToken.None));

        await fixture.EnrolAgainAsync(thing);
        Assert.False((await One(devices, thing.Name)).Revoked);
    }

    private static async Task<IndexedDevice> One(IotDevices devices, string thing) =>
        Assert.Single((await devices.SearchAsync($"thingName:{thing}", 2, "", CancellationToken.None)).Devices);
}
