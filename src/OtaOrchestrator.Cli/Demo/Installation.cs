using System.Text.Json;
using OtaOrchestrator.Cli.Commands;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Cli.Programs;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>First act: server, router, back ends under load, environment, releases, and a fleet that enrols.</summary>
internal static class Installation
{
    private const int RequestsPerSecond = 100;
    private const int LabDevices = 5;

    public static async Task<ServerEndpoint> Build(Stage stage, DemoProgress progress, CancellationToken cancellation)
    {
        progress.Begin("server, router, back ends, load");
        var endpoint = await stage.StartServer(null, cancellation);
        progress.Event($"server serves on {endpoint.Grpc}");
        var backends = await Task.WhenAll(((string[])[Cast.ApiOld, Cast.ApiNew, Cast.ApiNext]).Select(async version =>
            (Version: version, Address: Address(await stage.StartReady($"backend-{version}", ProgramFiles.Simulator, cancellation,
                "backend", "--version", version, "--listen", "https://127.0.0.1:0", "--cert", stage.Pki("router.crt"), "--key", stage.Pki("router.key"), "--grace-seconds", "5"), "url"))));
        // The route as its owner sets it up once; from the first rollout on the server writes it.
        var router = await stage.StartReady("router", ProgramFiles.Router, cancellation,
            "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--tls-cert", stage.Pki("router.crt"), "--tls-key", stage.Pki("router.key"),
            "--admin-ca", stage.Pki("operators-ca.crt"), "--backend-ca", stage.Pki("server-ca.crt"), "--state", stage.InFolder("router-state.json"),
            "--baseline", $"{Cast.Api}={Cast.Api}@{Cast.ApiOld}={backends[0].Address}", "--grace-seconds", "5");
        var admin = Address(router, "adminUrl");
        stage.Load = stage.Start("load", ProgramFiles.Simulator,
            "load", "--url", Address(router, "url") + "/api/temperature", "--ca", stage.Home.ServerCa, "--rate", Stage.Number(RequestsPerSecond), "--report", stage.LoadFile);
        await stage.Load.WaitUntil("answered", _ => Task.FromResult(LoadReport.Read(stage.LoadFile)?.Of(Cast.ApiOld) > 0), TimeSpan.FromSeconds(20), cancellation);
        progress.Done($"{RequestsPerSecond} requests/s on {Cast.Api} {Cast.ApiOld}");

        progress.Begin("releases and targets");
        await CreateEnvironment(stage, cancellation);
        foreach (var (version, address) in backends)
        {
            await Publish(stage, new Release { Name = $"releases/{Cast.Api}@{version}", Backend = new BackendRelease { Addresses = { address } } }, null, cancellation);
        }
        foreach (var version in (string[])[Cast.FirmwareOld, Cast.FirmwareNew, Cast.FirmwareBad])
        {
            await PublishFirmware(stage, version, cancellation);
        }
        await CreateTarget(stage, Cast.Api, new Target { CurrentRelease = $"releases/{Cast.Api}@{Cast.ApiOld}", Router = new RouterTarget { AdminUrl = admin, Route = Cast.Api } }, cancellation);
        await CreateTarget(stage, Cast.Fleet,
            new Target { CurrentRelease = $"releases/{Cast.Firmware}@{Cast.FirmwareOld}", Fleet = new FleetTarget { Fleet = Cast.Fleet, HardwareIds = { Cast.Hardware } } }, cancellation);
        progress.Done("3 back-end versions, 3 signed firmware images");

        progress.Begin($"{stage.Devices} devices enrol over mutual TLS, each with its own key");
        await Enrol(stage, endpoint, progress, cancellation);
        return endpoint;
    }

    public static async Task<Release> PublishFirmware(Stage stage, string version, CancellationToken cancellation)
    {
        var image = stage.Samples.Named(version);
        return await Publish(stage, new Release { Name = $"releases/{Cast.Firmware}@{version}", Firmware = new FirmwareRelease { Size = image.Length, Fleet = Cast.Fleet } }, image, cancellation);
    }

    private static async Task<Release> Publish(Stage stage, Release release, FileInfo? image, CancellationToken cancellation)
    {
        var head = new PublishReleaseRequest.Types.Head { Release = release, RequestId = Arguments.NewRequestId() };
        return await ReleasePublishCommand.Send(stage.Api, stage.Report, stage.Host.Time, head, image, cancellation);
    }

    private static async Task CreateEnvironment(Stage stage, CancellationToken cancellation)
    {
        var request = new CreateEnvironmentRequest
        {
            EnvironmentId = ResourceName.Last(Cast.Environment),
            Environment = new Protocol.V1.Environment { Title = "The demo" },
            RequestId = Arguments.NewRequestId(),
        };
        await stage.Api.Call((api, options) => api.Environments.CreateEnvironmentAsync(request, options), cancellation);
    }

    private static async Task CreateTarget(Stage stage, string id, Target target, CancellationToken cancellation)
    {
        var request = new CreateTargetRequest { Parent = Cast.Environment, TargetId = id, Target = target, RequestId = Arguments.NewRequestId() };
        await stage.Api.Call((api, options) => api.Environments.CreateTargetAsync(request, options), cancellation);
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

    private static string Address(JsonElement ready, string name) =>
        ready.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } address
            ? address.TrimEnd('/')
            : throw new CliFailure(ExitCode.Failure, $"a program's ready file has no `{name}`: {Terminal.Cut(ready.GetRawText(), 200)}");
}
