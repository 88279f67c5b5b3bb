using System.Text.Json;
using OtaOrchestrator.Cli.Commands;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Programs;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo.Cloud;

/// <summary>The AWS IoT of the account: a device plane in a server of its own, whose control plane takes the account's access key, and the devices that are registered there.</summary>
internal sealed class IotAccount : IDisposable
{
    public const string AccessKey = "AKIDORCHESTRATOR";
    public const string Secret = "orchestrator-secret";
    public const string Region = "eu-central-1";
    private const string Environment = "environments/account";
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(40);
    private readonly Stage _stage;
    private readonly HomeDirectory _home;
    private readonly Api _api;
    private ServerEndpoint? _endpoint;

    private IotAccount(Stage stage)
    {
        _stage = stage;
        _home = new HomeDirectory(stage.InFolder("account"));
        _api = new Api(new ServerAddress(_home, null, null), stage.Host.Time, stage.Report);
    }

    /// <summary>Where devices get the images from that lie in the account's bucket.</summary>
    public string Images => Path.Combine(_home.Path, "server", "firmware");

    /// <summary>By which the SDK's chain finds AWS IoT.</summary>
    public IEnumerable<KeyValuePair<string, string>> Variables =>
        [new("AWS_ENDPOINT_URL_IOT", _endpoint!.ControlPlane!), new("SSL_CERT_FILE", _home.ServerCa)];

    public static async Task<IotAccount> Start(Stage stage, CancellationToken cancellation)
    {
        var account = new IotAccount(stage);
        Directory.CreateDirectory(account.Images);
        await File.WriteAllTextAsync(Path.Combine(account._home.Path, "server", "control-plane.json"), $$"""{"accessKeyId":"{{AccessKey}}","secretAccessKey":"{{Secret}}","region":"{{Region}}"}""", cancellation);
        var server = stage.Start("account", ProgramFiles.Server,
            "--home", account._home.Path, "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--firmware", "127.0.0.1:0", "--control-plane", "127.0.0.1:0");
        await server.WaitUntil("ready", async token =>
        {
            account._endpoint = ServerEndpoint.Read(account._home);
            return account._endpoint?.Pid == server.Id && await account._api.IsServing(token);
        }, StartMax, cancellation);
        await account.Call((api, options) => api.Environments.CreateEnvironmentAsync(new() { EnvironmentId = "account", Environment = new Protocol.V1.Environment(), RequestId = Arguments.NewRequestId() }, options), cancellation);
        var delivered = new PublishReleaseRequest.Types.Head { Release = new Release { Name = "releases/as-delivered@1.0", Backend = new BackendRelease { Addresses = { "https://nowhere.example" } } }, RequestId = Arguments.NewRequestId() };
        await ReleasePublishCommand.Send(account._api, stage.Report, stage.Host.Time, delivered, null, cancellation);
        var fleet = new Target { CurrentRelease = "releases/as-delivered@1.0", Fleet = new FleetTarget { Fleet = Cast.Fleet } };
        await account.Call((api, options) => api.Environments.CreateTargetAsync(new() { Parent = Environment, TargetId = Cast.Fleet, Target = fleet, RequestId = Arguments.NewRequestId() }, options), cancellation);
        return account;
    }

    /// <summary>Devices of the account that trust what the orchestrator's key has signed.</summary>
    public async Task Enrol(DemoProgress progress, CancellationToken cancellation)
    {
        var claim = await Call((api, options) => api.Devices.EnrollDevicesAsync(new() { Parent = Environment, Target = Cast.Fleet, RequestId = Arguments.NewRequestId() }, options), cancellation);
        claim.ReleaseKeyPem = await File.ReadAllTextAsync(_stage.Pki("release-key.pub.pem"), cancellation);
        var folder = new DirectoryInfo(_stage.InFolder("claim"));
        DeviceEnrollCommand.Write(folder, claim);
        var fleet = _stage.Start("fleet", ProgramFiles.Simulator,
            "fleet", "--devices", Stage.Number(_stage.Devices), "--fleet", Cast.Fleet, "--hardware", Cast.Hardware, "--state", _stage.InFolder("devices"), "--mqtt", _endpoint!.Mqtt,
            "--ca", Path.Combine(folder.FullName, "server-ca.crt"), "--claim-cert", Path.Combine(folder.FullName, "claim.crt"), "--claim-key", Path.Combine(folder.FullName, "claim.key"),
            "--release-key", Path.Combine(folder.FullName, "release-key.pem"), "--initial-image", _stage.Samples.Named(Cast.FirmwareOld).FullName, "--check-in", "1s", "--json");
        await fleet.WaitUntil("all enrolled", async token =>
        {
            var enrolled = await On(Cast.FirmwareOld, token);
            progress.Detail($"{enrolled} of {_stage.Devices} report {Cast.FirmwareOld}");
            return enrolled >= _stage.Devices;
        }, TimeSpan.FromSeconds(60 + (_stage.Devices / 10.0)), cancellation);
    }

    /// <summary>Devices that say that they run this version.</summary>
    public async Task<long> On(string version, CancellationToken cancellation) =>
        (await Call((api, options) => api.Devices.CountDevicesAsync(new() { Parent = Environment, Filter = $"release=\"{Cast.Firmware}@{version}\"" }, options), cancellation)).Total;

    /// <summary>Devices that ran this version before the one that they run now.</summary>
    public async Task<long> Had(string version, CancellationToken cancellation)
    {
        long had = 0;
        var token = "";
        do
        {
            var page = await Call((api, options) => api.Devices.ListDevicesAsync(new() { Parent = Environment, PageSize = 500, PageToken = token }, options), cancellation);
            had += page.Devices.Count(device => device.Previous == $"{Cast.Firmware}@{version}");
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return had;
    }

    public Task<long> AllOn(string version, CancellationToken cancellation) =>
        _stage.Read(() => On(version, cancellation), on => on >= _stage.Devices, TimeSpan.FromSeconds(30), cancellation);

    public void Dispose() => _api.Dispose();

    private Task<T> Call<T>(Func<Api, Grpc.Core.CallOptions, Grpc.Core.AsyncUnaryCall<T>> call, CancellationToken cancellation) => _api.Call(call, cancellation);
}
