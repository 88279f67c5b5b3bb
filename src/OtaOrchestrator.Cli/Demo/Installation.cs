using OtaOrchestrator.Cli.Commands;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Programs;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>First act: server, router, back ends under load, environment, releases, and a fleet that enrols.</summary>
internal static class Installation
{
    private const int RequestsPerSecond = 100;
    private const int LabDevices = 5;
    private static readonly TimeSpan RouterGrace = TimeSpan.FromSeconds(5);

    public static async Task<ServerEndpoint> Build(Stage stage, DemoProgress progress, CancellationToken cancellation)
    {
        progress.Begin("server, router, back ends, load");
        var endpoint = await stage.StartServer(null, cancellation);
        progress.Event($"server serves on {endpoint.Grpc}");
        var backends = await Task.WhenAll(((string[])[Cast.ApiOld, Cast.ApiNew, Cast.ApiNext]).Select(async version => (Version: version, Address: await Parts.StartBackend(stage, version, cancellation))));
        var router = await Parts.StartRouter(stage, "router", backends[0].Address, null, RouterGrace, cancellation);
        stage.Load = stage.Start("load", ProgramFiles.Simulator,
            "load", "--url", router.Url + "/api/temperature", "--ca", stage.Home.ServerCa, "--rate", Stage.Number(RequestsPerSecond), "--report", stage.LoadFile);
        await stage.Load.WaitUntil("answered", _ => Task.FromResult(LoadReport.Read(stage.LoadFile)?.Of(Cast.ApiOld) > 0), TimeSpan.FromSeconds(20), cancellation);
        progress.Done($"{RequestsPerSecond} requests/s on {Cast.Api} {Cast.ApiOld}");

        progress.Begin("releases and targets");
        await Parts.CreateEnvironment(stage, cancellation);
        foreach (var (version, address) in backends)
        {
            await Parts.PublishBackend(stage, version, address, cancellation);
        }
        foreach (var version in (string[])[Cast.FirmwareOld, Cast.FirmwareNew, Cast.FirmwareBad])
        {
            await Parts.PublishFirmware(stage, version, cancellation);
        }
        await Parts.CreateRoute(stage, router, cancellation);
        await Parts.CreateTarget(stage, Cast.Fleet,
            new Target { CurrentRelease = $"releases/{Cast.Firmware}@{Cast.FirmwareOld}", Fleet = new FleetTarget { Fleet = Cast.Fleet, HardwareIds = { Cast.Hardware } } }, cancellation);
        progress.Done("3 back-end versions, 3 signed firmware images");

        progress.Begin($"{stage.Devices} devices enrol over mutual TLS, each with its own key");
        await Enrol(stage, endpoint, progress, cancellation);
        return endpoint;
    }

    private static async Task Enrol(Stage stage, ServerEndpoint endpoint, DemoProgress progress, CancellationToken cancellation)
    {
        var request = new EnrollDevicesRequest { Parent = Cast.Environment, Target = Cast.Fleet, RequestId = Arguments.NewRequestId() };
        var claim = await stage.Api.Call((api, options) => api.Devices.EnrollDevicesAsync(request, options), cancellation);
        var folder = new DirectoryInfo(stage.InFolder("claim"));
        DeviceEnrollCommand.Write(folder, claim);
        var fleet = stage.Start("fleet", ProgramFiles.Simulator,
            "fleet", "--devices", Stage.Number(stage.Devices), "--fleet", Cast.Fleet, "--hardware", Cast.Hardware, "--state", stage.InFolder("devices"), "--mqtt", endpoint.Mqtt,
            "--ca", Path.Combine(folder.FullName, "server-ca.crt"), "--claim-cert", Path.Combine(folder.FullName, "claim.crt"), "--claim-key", Path.Combine(folder.FullName, "claim.key"),
            "--release-key", Path.Combine(folder.FullName, "release-key.pem"), "--initial-image", stage.Samples.Named(Cast.FirmwareOld).FullName, "--check-in", "1s", "--json");
        long enrolled = 0;
        await fleet.WaitUntil("all enrolled", async token =>
        {
            enrolled = await stage.Count($"release=\"{Cast.Firmware}@{Cast.FirmwareOld}\"", token);
            progress.Detail($"{enrolled} of {stage.Devices} report {Cast.FirmwareOld}");
            return enrolled >= stage.Devices;
        }, TimeSpan.FromSeconds(60 + (stage.Devices / 10.0)), cancellation);
        var lab = (await stage.List("", cancellation)).Select(device => ResourceName.Last(device.Name)).Order(StringComparer.Ordinal).Take(LabDevices);
        var group = new GroupDevicesRequest { Parent = Cast.Environment, Target = Cast.Fleet, Group = "lab", Devices = { lab }, RequestId = Arguments.NewRequestId() };
        await stage.Api.Call((api, options) => api.Devices.GroupDevicesAsync(group, options), cancellation);
        progress.Done($"{enrolled} devices enrolled and on {Cast.FirmwareOld}");
    }
}
