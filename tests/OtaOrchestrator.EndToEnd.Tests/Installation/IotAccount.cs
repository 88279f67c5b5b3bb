using System.Globalization;
using System.Text.Json;
using OtaOrchestrator.Protocol.V1;
using ProtoEnvironment = OtaOrchestrator.Protocol.V1.Environment;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>The AWS IoT of an account: a device plane in a program of its own, whose control plane takes the account's access key, and its devices.</summary>
internal sealed class IotAccount : IAsyncDisposable
{
    public const string Fleet = "thermostats";
    private const string Firmware = "thermostat-fw";
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("ota-account-");
    private Child? _plane;
    private Child? _devices;
    private Connection? _connection;
    private string _mqtt = "";

    /// <summary>Where devices get the images from that lie in the account's bucket.</summary>
    public string Images => Path.Combine(_home.FullName, "server", "firmware");

    /// <summary>How AWS IoT is reached, beside the account's own variables.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; private set; } = new Dictionary<string, string>();

    public string Output => $"{_plane?.Output}\n{_devices?.Output}";

    public static async Task<IotAccount> StartAsync(string accessKey, string secret, string region)
    {
        var account = new IotAccount();
        var server = Directory.CreateDirectory(Path.Combine(account._home.FullName, "server"));
        server.CreateSubdirectory("firmware");
        await File.WriteAllTextAsync(Path.Combine(server.FullName, "control-plane.json"), JsonSerializer.Serialize(new { accessKeyId = accessKey, secretAccessKey = secret, region }));
        var plane = account._plane = Child.Start(
            Programs.Server, "--home", account._home.FullName, "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--firmware", "127.0.0.1:0", "--control-plane", "127.0.0.1:0");
        await Wait.UntilAsync(async () =>
        {
            Assert.False(plane.Ended, plane.Output);
            return await Endpoint.OfAsync(account._home.FullName) is { ValueKind: JsonValueKind.Object };
        }, StartMax, () => $"the account's device plane did not start\n{plane.Output}");
        var at = await Endpoint.OfAsync(account._home.FullName);
        account._mqtt = at.GetProperty("mqtt").GetString()!;
        account._connection = new Connection(account._home.FullName, at.GetProperty("grpc").GetString()!);
        account.Variables = new Dictionary<string, string>
        {
            ["AWS_ENDPOINT_URL_IOT"] = at.GetProperty("controlPlane").GetString()!,
            ["SSL_CERT_FILE"] = account.Pki("server-ca.crt"),
        };
        await account._connection.Environments.CreateEnvironmentAsync(new() { EnvironmentId = "account", Environment = new ProtoEnvironment() });
        await account._connection.PublishAsync(new Release { Name = "releases/as-delivered@1.0", Backend = new BackendRelease { Addresses = { "https://nowhere.example" } } }, null);
        await account._connection.Environments.CreateTargetAsync(new() { Parent = "environments/account", TargetId = Fleet, Target = new Target { CurrentRelease = "releases/as-delivered@1.0", Fleet = new FleetTarget { Fleet = Fleet } } });
        return account;
    }

    /// <summary>Devices that are registered with the account and trust what the key signs.</summary>
    public async Task EnrolAsync(int devices, string releaseKeyPem, params string[] more)
    {
        var claim = await _connection!.Devices.EnrollDevicesAsync(new() { Parent = "environments/account", Target = Fleet });
        string Kept(string name, string pem)
        {
            File.WriteAllText(Path.Combine(_home.FullName, name), pem);
            return Path.Combine(_home.FullName, name);
        }
        _devices = Child.Start(Programs.Simulator, ["fleet", "--devices", devices.ToString(CultureInfo.InvariantCulture), "--fleet", Fleet, "--state", Path.Combine(_home.FullName, "devices"), "--mqtt", _mqtt,
            "--ca", Kept("claim-ca.crt", claim.ServerCaPem), "--claim-cert", Kept("claim.crt", claim.ClaimCertificatePem), "--claim-key", Kept("claim.key", claim.ClaimKeyPem),
            "--release-key", Kept("release-key.pem", releaseKeyPem), "--initial-image", Programs.Sample($"{Firmware}-2.3.1.img"), "--check-in", "1s", "--json", .. more]);
        await AllRunAsync("2.3.1", devices);
    }

    public async Task AllRunAsync(string version, int devices)
    {
        long on = 0;
        await Wait.UntilAsync(
            async () => (on = (await _connection!.Devices.CountDevicesAsync(new() { Parent = "environments/account", Filter = $"release=\"{Firmware}@{version}\"" })).Total) == devices,
            TimeSpan.FromSeconds(90), () => $"{on} of {devices} devices on {version}\n{Output}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var child in new[] { _devices, _plane }.OfType<Child>())
        {
            await child.DisposeAsync();
        }
        _connection?.Dispose();
        _home.Delete(recursive: true);
    }

    private string Pki(string file) => Path.Combine(_home.FullName, "server", "pki", file);
}
