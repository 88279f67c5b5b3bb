using System.Security.Cryptography.X509Certificates;
using Amazon.IoT;
using Amazon.IoT.Model;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Tests.Scenes;
using Environment = OtaOrchestrator.Protocol.V1.Environment;

namespace OtaOrchestrator.Server.Tests.Devices;

/// <summary>The devices' part of the API over a real device plane that nobody has enrolled in yet.</summary>
public sealed class DeviceApiTests : IAsyncLifetime
{
    private const string Parent = "environments/production";
    private RunningServer _server = null!;

    private Protocol.V1.Devices.DevicesClient Devices => _server.Admin.Devices;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningServer.Start();
        await _server.Admin.Environments.CreateEnvironmentAsync(new() { EnvironmentId = "production", Environment = new Environment() });
    }

    [Fact]
    public async Task An_environment_without_a_fleet_has_no_devices()
    {
        Assert.Empty((await Devices.ListDevicesAsync(new() { Parent = Parent })).Devices);
        Assert.Equal(0, (await Devices.CountDevicesAsync(new() { Parent = Parent })).Total);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(async () => await Devices.GetDeviceAsync(new() { Name = $"{Parent}/devices/t1" }))).Code);
    }

    [Fact]
    public async Task A_claim_is_a_key_and_a_certificate_of_the_devices_authority()
    {
        await Fleet();
        var claim = await Devices.EnrollDevicesAsync(new() { Parent = Parent, Target = "homes" });
        using var certificate = X509Certificate2.CreateFromPem(claim.ClaimCertificatePem, claim.ClaimKeyPem);
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(_server.Home.Pki, "devices-ca.crt"));
        Assert.Equal(authority.Subject, certificate.Issuer);
        Assert.Equal("thermostats", claim.Fleet);
        Assert.StartsWith("-----BEGIN PUBLIC KEY", claim.ReleaseKeyPem, StringComparison.Ordinal);
        Assert.Contains(':', claim.MqttEndpoint);
        Assert.Equal("INVALID", (await Refused.By(async () => await Devices.EnrollDevicesAsync(new() { Parent = Parent, Target = "../homes" }))).Reason);
        Assert.Equal("NOT_FOUND", (await Refused.By(async () => await Devices.EnrollDevicesAsync(new() { Parent = Parent, Target = "ghost" }))).Reason);
    }

    [Fact]
    public async Task Enrolment_asked_for_again_makes_another_claim_and_keeps_no_key()
    {
        await Fleet();
        var request = new EnrollDevicesRequest { Parent = Parent, Target = "homes", RequestId = "enrol-1" };
        var first = await Devices.EnrollDevicesAsync(request);
        var second = await Devices.EnrollDevicesAsync(request);
        Assert.NotEqual(first.ClaimKeyPem, second.ClaimKeyPem);
        Assert.Equal("REQUEST_REUSED", (await Refused.By(async () => await Devices.EnrollDevicesAsync(new EnrollDevicesRequest(request) { Target = "ghost" }))).Reason);
        var kept = _server.Services.GetRequiredService<Database>().Read(db => Journal.Request(db, "admin", "enrol-1"));
        Assert.Empty(kept!.Response);
    }

    [Fact]
    public async Task A_revoked_device_is_listed_as_such_and_the_request_may_be_repeated()
    {
        await Fleet();
        var iot = _server.Services.GetRequiredService<IAmazonIoT>();
        foreach (var thing in (string[])["thermostats-1", "thermostats-2"])
        {
            await iot.CreateThingAsync(new CreateThingRequest { ThingName = thing });
            await iot.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingName = thing, ThingGroupName = "thermostats" });
        }
        var request = new RevokeDeviceRequest { Name = $"{Parent}/devices/thermostats-1", Reason = "stolen", RequestId = "revoke-1" };
        Assert.True((await Devices.RevokeDeviceAsync(request)).Revoked);
        Assert.True((await Devices.RevokeDeviceAsync(request)).Revoked);
        Assert.Equal("REQUEST_REUSED", (await Refused.By(async () => await Devices.RevokeDeviceAsync(new RevokeDeviceRequest(request) { Name = $"{Parent}/devices/thermostats-2" }))).Reason);
        Assert.Equal([("thermostats-1", true), ("thermostats-2", false)], (await Devices.ListDevicesAsync(new() { Parent = Parent })).Devices.Select(device => (device.Name.Split('/')[^1], device.Revoked)).Order());
        Assert.Equal(["thermostats-1"], await Named("revoked=\"true\""));
        Assert.Equal(["thermostats-2"], await Named("revoked=\"false\""));
        Assert.Equal("INVALID", (await Refused.By(async () => await Named("revoked=\"perhaps\""))).Reason);

        async Task<IEnumerable<string>> Named(string filter) => (await Devices.ListDevicesAsync(new() { Parent = Parent, Filter = filter })).Devices.Select(device => device.Name.Split('/')[^1]);
    }

    [Theory]
    [InlineData("fleet=\"other\"", "")]
    [InlineData("release=\"a\" OR 1", "")]
    [InlineData("tail=\"../x\"", "")]
    [InlineData("", "no-token-of-ours")]
    public async Task Filters_and_tokens_that_make_no_sense_are_refused(string filter, string token)
    {
        await Fleet();
        var refused = await Refused.By(async () => await Devices.ListDevicesAsync(new() { Parent = Parent, Filter = filter, PageToken = token }));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID"), (refused.Code, refused.Reason));
    }

    [Fact]
    public async Task A_group_of_things_that_are_not_there_is_refused()
    {
        await Fleet();
        Assert.Equal(StatusCode.InvalidArgument, (await Refused.By(async () => await Devices.GroupDevicesAsync(new() { Parent = Parent, Target = "homes", Group = "lab", Devices = { "thermostats-1" } }))).Code);
        Assert.Equal(StatusCode.InvalidArgument, (await Refused.By(async () => await Devices.GroupDevicesAsync(new() { Parent = Parent, Target = "homes", Group = "l/ab", Devices = { "thermostats-1" } }))).Code);
        Assert.Equal(StatusCode.NotFound, (await Refused.By(async () => await Devices.RevokeDeviceAsync(new() { Name = $"{Parent}/devices/thermostats-1" }))).Code);
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private async Task Fleet()
    {
        await _server.Admin.PublishFirmware("fw", "1.0");
        await _server.Admin.Environments.CreateTargetAsync(new()
        {
            Parent = Parent, TargetId = "homes", Target = new Target { CurrentRelease = "releases/fw@1.0", Fleet = new FleetTarget { Fleet = "thermostats", HardwareIds = { "thermo-a1" } } },
        });
    }
}
