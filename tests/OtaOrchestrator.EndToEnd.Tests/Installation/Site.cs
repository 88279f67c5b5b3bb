using System.Text.Json;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Hosting;
using ProtoEnvironment = OtaOrchestrator.Protocol.V1.Environment;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>
/// A server, a router with two generations of a back end under constant load, and a small fleet: programs of their own, TLS between all of them. The server may die at
/// any time; whoever calls it through <see cref="CallAsync{T}"/> has it started again, and repeats the same request.
/// </summary>
internal sealed class Site : IAsyncDisposable
{
    /// <summary>The tests' collection: an installation and its load want the machine for themselves.</summary>
    public const string OneAtATime = "one installation at a time";
    public const string Environment = "environments/site";
    public const string Api = "thermostat-api";
    public const string Fleet = "thermostats";
    public const string Firmware = "thermostat-fw";
    public const string ApiOld = "5.0.3";
    public const string ApiNew = "5.1.0";
    public const string FirmwareOld = "2.3.1";
    public const string FirmwareNew = "2.4.0";
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CallMax = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("ota-site-");
    private readonly List<Child> _others = [];
    private readonly SemaphoreSlim _starting = new(1, 1);
    private Child? _server;
    private WebApplication? _inProcess;
    private Connection? _connection;
    private string[] _endpoints = ["127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"];
    private string _routerAdmin = "";

    public required int Devices { get; init; }
    public Connection Connection => _connection!;
    public Child Server => _server!;

    /// <summary>The server's arguments at its next starts, beside those that never change.</summary>
    public Queue<string[]> Next { get; } = [];

    /// <summary>How often the server was started.</summary>
    public int Starts { get; private set; }

    public string Home => _home.FullName;

    public string PointsFile => In("points.log");

    /// <summary>With a clock, the server is a part of this process and lives by that clock; it is never killed then.</summary>
    private TimeProvider? Clock { get; init; }

    /// <summary>The server's arguments at every start, beside those of each site.</summary>
    private string[] Always { get; init; } = [];

    /// <param name="always">Arguments of the server.</param>
    public static async Task<Site> StartAsync(int devices, TimeProvider? clock = null, params string[] always)
    {
        var site = new Site { Devices = devices, Clock = clock, Always = always };
        try
        {
            await site.BuildAsync();
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>One call, made again when the server dies under it, until it is answered.</summary>
    public async Task<T> CallAsync<T>(Func<Connection, AsyncUnaryCall<T>> call)
    {
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return await call(Connection);
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled or StatusCode.Unknown
                && System.Diagnostics.Stopwatch.GetElapsedTime(began) < CallMax)
            {
                await AliveAsync();
            }
        }
    }

    /// <summary>Starts the server again if it is dead.</summary>
    public async Task AliveAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_server is { Ended: true })
            {
                Assert.True(Server.ExitCode == 137, $"the server did not die by SIGKILL: {Server.ExitCode}\n{Server.Output}");
                await StartServerAsync();
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>The back end, then the firmware that needs it, each in two steps.</summary>
    /// <param name="bake">Of each step.</param>
    public static Plan Plan(string name, TimeSpan bake) => Protocol.V1.Plan.Parser.ParseJson(
        $$"""
        {
          "apiVersion": "ota/v1", "kind": "Plan", "name": "{{name}}",
          "lanes": [
            { "name": "api", "target": "{{Api}}", "release": "{{Api}}@{{ApiNew}}",
              "steps": [ { "share": 0.25, "bakeMin": "{{Seconds(bake)}}", "requestsMin": "5" }, { "share": 1, "bakeMin": "{{Seconds(bake)}}", "requestsMin": "10" } ],
              "checks": [ { "name": "errors", "source": "router", "errorsMax": 0.01, "samplesMin": "5", "interval": "0.2s" } ] },
            { "name": "firmware", "target": "{{Fleet}}", "release": "{{Firmware}}@{{FirmwareNew}}", "needs": [ "{{Api}} >= {{ApiNew}}" ], "observeFor": "1s",
              "steps": [ { "share": 0.4, "bakeMin": "{{Seconds(bake)}}", "reach": 1 }, { "share": 1, "bakeMin": "{{Seconds(bake)}}" } ],
              "checks": [ { "name": "health", "source": "devices", "failuresMax": 0.05, "silentAfter": "60s", "interval": "0.2s" } ] }
          ],
          "rollback": { "untilAfter": "86400s", "shares": [ 1 ], "undoWait": "60s" }
        }
        """);

    public async Task<Rollout> UntilAsync(string rollout, RolloutState state, TimeSpan limit)
    {
        Rollout? last = null;
        await Wait.UntilAsync(async () => (last = await CallAsync(c => c.Rollouts.GetRolloutAsync(new() { Name = rollout }))).State == state, limit, () => $"it is {last}");
        return last!;
    }

    /// <summary>What was taken back is held; the next round wants it again.</summary>
    public async Task UnholdAsync()
    {
        foreach (var release in (string[])[$"{Api}@{ApiNew}", $"{Firmware}@{FirmwareNew}"])
        {
            var request = new UnholdReleaseRequest { Name = $"releases/{release}", Environment = Environment, Reason = "the next round", RequestId = Guid.NewGuid().ToString() };
            await CallAsync(c => c.Releases.UnholdReleaseAsync(request));
        }
    }

    /// <summary>Until all devices run this version of the firmware.</summary>
    public async Task AllRunAsync(string firmware, TimeSpan limit, Func<string> otherwise)
    {
        long on = 0;
        await Wait.UntilAsync(async () => (on = (await CallAsync(c => c.Devices.CountDevicesAsync(new() { Parent = Environment, Filter = $"release=\"{Firmware}@{firmware}\"" }))).Total) == Devices,
            limit, () => $"{on} of {Devices} devices on {firmware}: {otherwise()}");
    }

    /// <summary>What the journal says and what the parts say is one story.</summary>
    public async Task AgreesAsync(Func<string> otherwise)
    {
        var check = await CallAsync(c => c.Audit.CheckConsistencyAsync(new() { Parent = Environment }));
        Assert.True(check.Findings.Count == 0, $"{check.Findings}: {otherwise()}");
    }

    /// <summary>The release that all requests go to, null when more than one gets some; and what the router says.</summary>
    public async Task<(string? Release, string Route)> ServesAsync()
    {
        var route = await Connection.RouteAsync(_routerAdmin, Api);
        var only = route.GetProperty("effective").EnumerateObject().Where(side => side.Value.GetDouble() == 1).Select(side => side.Name).FirstOrDefault();
        return (only is null ? null : route.GetProperty(only).GetProperty("release").GetString(), route.ToString());
    }

    /// <summary>What the load says of the requests so far: all, and those that failed.</summary>
    public (long Requests, long Failed, string Text) Load()
    {
        var text = File.ReadAllText(In("load.json"));
        var report = JsonDocument.Parse(text).RootElement;
        return (report.GetProperty("requests").GetInt64(), report.GetProperty("failed").GetInt64(), text);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var child in Enumerable.Reverse(_others).Append(_server).OfType<Child>())
        {
            await child.DisposeAsync();
        }
        _connection?.Dispose();
        if (_inProcess is not null)
        {
            await _inProcess.StopAsync();
            await _inProcess.DisposeAsync();
        }
        _home.Delete(recursive: true);
    }

    private static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture) + "s";

    private string In(string name) => Path.Combine(_home.FullName, name);

    private async Task StartServerAsync()
    {
        string[] arguments = ["--home", _home.FullName, "--listen", _endpoints[0], "--mqtt", _endpoints[1], "--firmware", _endpoints[2], .. Always, .. Next.TryDequeue(out var next) ? next : []];
        Starts++;
        var at = Clock is null ? await StartProcessAsync(arguments) : await StartInProcessAsync(arguments, Clock);
        var grpc = at.GetProperty("grpc").GetString()!;
        _endpoints = [new Uri(grpc).Authority, at.GetProperty("mqtt").GetString()!, new Uri(at.GetProperty("firmware").GetString()!).Authority];
        _connection ??= new Connection(_home.FullName, grpc);
    }

    private async Task<JsonElement> StartProcessAsync(string[] arguments)
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        var server = _server = Child.Start(Programs.Server, arguments);
        var endpoint = await Wait.ForAsync(async () =>
        {
            Assert.False(server.Ended, server.Output);
            return await Endpoint.OfAsync(Home) is { ValueKind: JsonValueKind.Object } found && found.GetProperty("pid").GetInt32() == server.Id ? found.GetRawText() : null;
        }, StartMax, () => $"the server did not start\n{server.Output}");
        return JsonDocument.Parse(endpoint).RootElement;
    }

    private async Task<JsonElement> StartInProcessAsync(string[] arguments, TimeProvider clock)
    {
        _inProcess = ServerHost.Build(ServerOptions.Parse(arguments).Options!, clock);
        await _inProcess.StartAsync();
        ServerHost.Announce(_inProcess);
        return await Endpoint.OfAsync(Home);
    }

    private async Task<JsonElement> StartOtherAsync(string name, string program, params string[] arguments)
    {
        var file = In(name + ".ready.json");
        var child = Child.Start(program, [.. arguments, "--ready-file", file]);
        _others.Add(child);
        await Wait.UntilAsync(() => Task.FromResult(File.Exists(file)), StartMax, () => $"{name} did not start\n{child.Output}");
        return JsonDocument.Parse(await File.ReadAllTextAsync(file)).RootElement;
    }

    private async Task BuildAsync()
    {
        await StartServerAsync();
        string Pki(string file) => Path.Combine(_home.FullName, "server", "pki", file);
        async Task<string> Backend(string version) => (await StartOtherAsync($"backend-{version}", Programs.Simulator,
            "backend", "--version", version, "--listen", "https://127.0.0.1:0", "--cert", Pki("router.crt"), "--key", Pki("router.key"), "--grace-seconds", "5")).GetProperty("url").GetString()!.TrimEnd('/');
        var backends = await Task.WhenAll(Backend(ApiOld), Backend(ApiNew));
        var router = await StartOtherAsync("router", Programs.Router,
            "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--tls-cert", Pki("router.crt"), "--tls-key", Pki("router.key"), "--admin-ca", Pki("operators-ca.crt"),
            "--backend-ca", Pki("server-ca.crt"), "--state", In("router-state.json"), "--baseline", $"{Api}={Api}@{ApiOld}={backends[0]}", "--grace-seconds", "5");
        _routerAdmin = router.GetProperty("adminUrl").GetString()!.TrimEnd('/');
        _others.Add(Child.Start(Programs.Simulator, "load", "--url", router.GetProperty("url").GetString()!.TrimEnd('/') + "/api/temperature", "--ca", Pki("server-ca.crt"), "--rate", "50", "--report", In("load.json")));

        await CallAsync(c => c.Environments.CreateEnvironmentAsync(new() { EnvironmentId = "site", Environment = new ProtoEnvironment { Title = "A site" } }));
        foreach (var (version, address) in new[] { (ApiOld, backends[0]), (ApiNew, backends[1]) })
        {
            await Connection.PublishAsync(new Release { Name = $"releases/{Api}@{version}", Backend = new BackendRelease { Addresses = { address } } }, null);
        }
        foreach (var version in new[] { FirmwareOld, FirmwareNew })
        {
            var image = new FileInfo(Programs.Sample($"{Firmware}-{version}.img"));
            await Connection.PublishAsync(new Release { Name = $"releases/{Firmware}@{version}", Firmware = new FirmwareRelease { Size = image.Length, Fleet = Fleet } }, image);
        }
        await CallAsync(c => c.Environments.CreateTargetAsync(new() { Parent = Environment, TargetId = Api, Target = new Target { CurrentRelease = $"releases/{Api}@{ApiOld}", Router = new RouterTarget { AdminUrl = _routerAdmin, Route = Api } } }));
        await CallAsync(c => c.Environments.CreateTargetAsync(new() { Parent = Environment, TargetId = Fleet, Target = new Target { CurrentRelease = $"releases/{Firmware}@{FirmwareOld}", Fleet = new FleetTarget { Fleet = Fleet, HardwareIds = { "thermo-a1" } } } }));
        await EnrolAsync();
    }

    private async Task EnrolAsync()
    {
        var claim = await CallAsync(c => c.Devices.EnrollDevicesAsync(new() { Parent = Environment, Target = Fleet }));
        string Kept(string name, string pem)
        {
            File.WriteAllText(In(name), pem);
            return In(name);
        }
        var fleet = Child.Start(Programs.Simulator, "fleet", "--devices", Devices.ToString(System.Globalization.CultureInfo.InvariantCulture), "--fleet", Fleet, "--state", In("devices"), "--mqtt", _endpoints[1],
            "--ca", Kept("claim-ca.crt", claim.ServerCaPem), "--claim-cert", Kept("claim.crt", claim.ClaimCertificatePem), "--claim-key", Kept("claim.key", claim.ClaimKeyPem),
            "--release-key", Kept("release-key.pem", claim.ReleaseKeyPem), "--initial-image", Programs.Sample($"{Firmware}-{FirmwareOld}.img"), "--check-in", "1s", "--json");
        _others.Add(fleet);
        await AllRunAsync(FirmwareOld, TimeSpan.FromSeconds(90), () => $"not all enrolled\n{fleet.Output}");
    }
}
