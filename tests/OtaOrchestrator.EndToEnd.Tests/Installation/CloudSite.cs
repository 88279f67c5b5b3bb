using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>A server as it runs in an account of AWS, with the doubles for AWS and the command line for people.</summary>
internal sealed class CloudSite : IAsyncDisposable
{
    public const string Function = "thermostat-api";
    public const string Alias = "live";
    public const string Bucket = "firmware";
    private const string PresignRole = "arn:aws:iam::111122223333:role/ota-presign";
    private const string AccessKey = "AKIDORCHESTRATOR";
    private const string Secret = "orchestrator-secret";
    private const string Region = "eu-central-1";
    private static readonly TimeSpan CommandMax = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("ota-cloud-");
    private Child? _server;
    private Connection? _connection;

    private CloudSite(AwsDoubles aws, IotAccount? iot) => (Aws, Iot) = (aws, iot);

    public AwsDoubles Aws { get; }

    /// <summary>Null where the account has no devices.</summary>
    public IotAccount? Iot { get; }

    public Child Server => _server!;

    /// <summary>What the SDK's own chain needs to find an account and its endpoints; the same for the server and for AWS's command line.</summary>
    public Dictionary<string, string> Account => new(Iot?.Variables ?? new Dictionary<string, string>())
    {
        ["AWS_ACCESS_KEY_ID"] = AccessKey, ["AWS_SECRET_ACCESS_KEY"] = Secret, ["AWS_REGION"] = Region, ["AWS_DEFAULT_REGION"] = Region,
        ["AWS_ENDPOINT_URL"] = Aws.Url.ToString().TrimEnd('/'), ["AWS_ENDPOINT_URL_S3_CONTROL"] = $"http://localhost:{Aws.Url.Port}", ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    /// <param name="devices">Registered with the account's AWS IoT; 0 for an account without it.</param>
    public static async Task<CloudSite> StartAsync(int devices = 0)
    {
        var iot = devices > 0 ? await IotAccount.StartAsync(AccessKey, Secret, Region) : null;
        var site = new CloudSite(iot is null ? await AwsDoubles.StartAsync() : await AwsDoubles.StartAsync("--bucket-folder", $"{Bucket}={iot.Images}"), iot);
        try
        {
            await site.Aws.ActAsync("s3", "CreateBucket", new { Bucket });
            await site.Aws.AdminAsync("lambda/functions", new { name = Function, codes = new[] { "5.0.3" }, aliases = new Dictionary<string, string> { [Alias] = "1" } });
            await site.StartServerAsync();
            await site.OtaAsync("env", "create", "production", "--title", "Production");
            await site.OtaAsync("release", "publish", "api@5.0.3", "--artifact", $"lambda=arn:aws:lambda:eu-central-1:111122223333:function:{Function}:1");
            await site.OtaAsync("release", "publish", "api@5.1.0", "--artifact", $"lambda=s3://builds/api-5.1.0.zip?sha256={Sha256("builds/api-5.1.0.zip//")}");
            await site.OtaAsync("target", "create", "api", "-e", "production", "--lambda", $"{Function}:{Alias}", "--release", "api@5.0.3");
            if (iot is not null)
            {
                await site.AddFleetAsync(devices);
            }
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>The server, or the one after it was killed.</summary>
    public async Task StartServerAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        var account = Account;
        account["Aws__MetricsPeriod"] = "00:00:01";
        account["Aws__CallsPerSecond"] = "100";
        var server = _server = Child.Start(Programs.Server, ["--home", _home.FullName, "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--firmware", "127.0.0.1:0"], account);
        await Wait.UntilAsync(async () =>
        {
            Assert.False(server.Ended, server.Output);
            return await Endpoint.OfAsync(_home.FullName) is { ValueKind: JsonValueKind.Object } found && found.GetProperty("pid").GetInt32() == server.Id;
        }, CommandMax, () => $"the server did not start\n{server.Output}");
        _connection?.Dispose();
        _connection = new Connection(_home.FullName, (await Endpoint.OfAsync(_home.FullName)).GetProperty("grpc").GetString()!);
    }

    public async Task<UndoSheet> UndoSheetAsync(string rollout) => await _connection!.Rollouts.GetUndoSheetAsync(new() { Name = NameOf(rollout) });

    public async Task<Lane> LaneAsync(string rollout) => (await _connection!.Rollouts.GetRolloutAsync(new() { Name = NameOf(rollout) })).Lanes[0];

    /// <summary>One command of the command line.</summary>
    public async Task<JsonElement> OtaAsync(params string[] arguments) => await OtaAsync(0, arguments);

    public async Task<JsonElement> OtaAsync(int expected, string[] arguments)
    {
        await using var ota = Child.Start(Programs.Cli, [.. arguments, "--home", _home.FullName, "--json"]);
        await ota.WaitAsync(CommandMax);
        Assert.True(ota.ExitCode == expected, $"ota {string.Join(' ', arguments)}: {ota.ExitCode}\n{ota.Output}\n{_server?.Output}");
        return ota.Written.Count == 0 ? default : JsonDocument.Parse(string.Join('\n', ota.Written)).RootElement;
    }

    /// <summary>Starts a rollout of 5.1.0: a tenth, then all.</summary>
    public async Task StartAsync(string name, bool pause = false, string? alarm = null)
    {
        var plan = Path.Combine(_home.FullName, name + ".json");
        await File.WriteAllTextAsync(plan, $$"""
            {
              "apiVersion": "ota/v1", "kind": "Plan", "name": "{{name}}",
              "lanes": [
                { "name": "api", "target": "api", "release": "api@5.1.0",
                  "steps": [ { "share": 0.1, "bakeMin": "2s", "requestsMin": 20, "pause": {{(pause ? "true" : "false")}} }, { "share": 1, "bakeMin": "2s", "requestsMin": 20 } ],
                  "checks": [ { "name": "errors", "source": "router", "against": "baseline", "ratioMax": 1.5, "samplesMin": 20, "interval": "0.5s" }{{(alarm is null ? "" : $$""", { "name": "alarm", "source": "cloudwatch", "alarm": "{{alarm}}", "interval": "0.5s" }""")}} ] }
              ],
              "rollback": { "untilAfter": "86400s" }
            }
            """);
        await OtaAsync("rollout", "start", plan, "-e", "production");
    }

    /// <summary>Starts a rollout of the shop behind CodeDeploy: everybody at once, watched by an alarm and guarded for a while.</summary>
    public async Task StartShopAsync(string name)
    {
        var plan = Path.Combine(_home.FullName, name + ".json");
        await File.WriteAllTextAsync(plan, $$"""
            {
              "apiVersion": "ota/v1", "kind": "Plan", "name": "{{name}}",
              "lanes": [
                { "name": "shop", "target": "shop", "release": "shop@2.0", "guardAfter": "600s",
                  "steps": [ { "share": 0 }, { "share": 1, "bakeMin": "1s" } ],
                  "checks": [ { "name": "alarm", "source": "cloudwatch", "alarm": "complaints", "interval": "0.5s", "failuresInRowMax": 0 } ] }
              ],
              "rollback": { "untilAfter": "86400s" }
            }
            """);
        await OtaAsync("rollout", "start", plan, "-e", "production");
    }

    public async Task<Rollout> UntilAsync(string rollout, RolloutState state, TimeSpan limit)
    {
        Rollout? last = null;
        await Wait.UntilAsync(async () => (last = await _connection!.Rollouts.GetRolloutAsync(new() { Name = NameOf(rollout) })).State == state, limit, () => $"{last}\n{Server.Output}");
        return last!;
    }

    /// <summary>Starts a rollout of the function and of the devices that need its new version.</summary>
    public async Task StartBothAsync(string name, string firmware)
    {
        var plan = Path.Combine(_home.FullName, name + ".json");
        await File.WriteAllTextAsync(plan, $$"""
            {
              "apiVersion": "ota/v1", "kind": "Plan", "name": "{{name}}",
              "lanes": [
                { "name": "api", "target": "api", "release": "api@5.1.0",
                  "steps": [ { "share": 0.1, "bakeMin": "1s", "requestsMin": 20 }, { "share": 1, "bakeMin": "1s", "requestsMin": 20 } ],
                  "checks": [ { "name": "errors", "source": "router", "against": "baseline", "ratioMax": 1.5, "samplesMin": 20, "interval": "0.5s" } ] },
                { "name": "firmware", "target": "{{IotAccount.Fleet}}", "release": "thermostat-fw@{{firmware}}", "needs": [ "api >= 5.1.0" ], "observeFor": "1s",
                  "steps": [ { "share": 0.4, "bakeMin": "1s", "reach": 1 }, { "share": 1, "bakeMin": "1s" } ],
                  "checks": [ { "name": "health", "source": "devices", "failuresMax": 0.05, "silentAfter": "60s", "interval": "0.5s" } ] }
              ],
              "rollback": { "untilAfter": "86400s", "shares": [ 1 ], "undoWait": "60s" }
            }
            """);
        await OtaAsync("rollout", "start", plan, "-e", "production");
    }

    public Task<JsonElement> AdoptAsync(int expected, string target, string mode, params string[] more) => OtaAsync(
        expected,
        ["adopt", target, "-e", "production", "--mode", mode, "--region", Region, "--firmware-bucket", Bucket, "--presign-role", PresignRole, "--release", "thermostat-fw@2.3.1", .. more]);

    /// <summary>Starts a rollout to the devices alone.</summary>
    public Task<JsonElement> StartFirmwareAsync(int expected, params string[] more) => StartFirmwareAsync("2.4.0", expected, more);

    public async Task<JsonElement> StartFirmwareAsync(string version, int expected, params string[] more)
    {
        var plan = Path.Combine(_home.FullName, "firmware.json");
        await File.WriteAllTextAsync(plan, $$"""
            {
              "apiVersion": "ota/v1", "kind": "Plan", "name": "firmware",
              "lanes": [
                { "name": "firmware", "target": "thermostats", "release": "thermostat-fw@{{version}}", "observeFor": "1s",
                  "steps": [ { "share": 0.4, "bakeMin": "1s", "reach": 1 }, { "share": 1, "bakeMin": "1s" } ],
                  "checks": [ { "name": "health", "source": "devices", "failuresMax": 0.05, "silentAfter": "60s", "interval": "0.5s" } ] }
              ]
            }
            """);
        return await OtaAsync(expected, ["rollout", "start", plan, "-e", "production", .. more]);
    }

    /// <summary>What a person does with AWS's own command line.</summary>
    public async Task<(int Code, string Said)> ShellAsync(string script)
    {
        // This command line is older than the variables.
        script = script.Replace("aws lambda ", $"aws --endpoint-url {Aws.Url} lambda ", StringComparison.Ordinal);
        var variables = Account;
        if (Iot is not null)
        {
            script = script.Replace("aws iot ", $"aws --endpoint-url {variables["AWS_ENDPOINT_URL_IOT"]} iot ", StringComparison.Ordinal);
            variables["AWS_CA_BUNDLE"] = variables["SSL_CERT_FILE"];
        }
        await using var shell = Child.Start("/bin/sh", ["-c", script], variables);
        await shell.WaitAsync(CommandMax);
        return (shell.ExitCode, $"{script}\n{shell.Output}");
    }

    /// <summary>Users of the function.</summary>
    /// <param name="errors">Share of the requests that the second version fails, 0 to 1.</param>
    public Task LoadAsync(double errors) => Aws.LoadAsync(new AwsLoad("lambda", $"{Function}:{Alias}", 400, new() { ["2"] = errors }));

    /// <summary>Nothing was asked that AWS would not have understood, or that the policies do not allow.</summary>
    public async Task CleanAsync()
    {
        Assert.Empty(await Aws.ViolationsAsync());
        Assert.Empty(await Aws.BugsAsync());
        // By the policies' files, as an account has them.
        var granted = Directory.EnumerateFiles(Path.Combine(Programs.Root, "deploy", "iam"), "*.json").SelectMany(file => JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("Statement").EnumerateArray())
            .SelectMany(statement => statement.GetProperty("Action").EnumerateArray()).Select(action => action.GetString()).ToHashSet();
        Assert.All((await Aws.CallsAsync()).Where(call => call is { User: "ota-orchestrator", Service: not "sts" }), call => Assert.Contains(Permission(call), granted));
    }

    /// <summary>What the permission for a call is named, where not as the call.</summary>
    private static string Permission(AwsCall call) => (call.Service, call.Operation) switch
    {
        ("s3", "HeadObject") => "s3:GetObject",
        ("s3", "GetObjectLockConfiguration" or "GetPublicAccessBlock") => $"s3:{call.Operation.Replace("Get", "GetBucket", StringComparison.Ordinal)}",
        ("s3control", _) => "s3:GetAccountPublicAccessBlock",
        ("accessanalyzer", _) => $"access-analyzer:{call.Operation}",
        _ => $"{call.Service}:{call.Operation}",
    };

    /// <summary>What the alias is, without revision and dates.</summary>
    public async Task<string> ServesAsync() => JsonDocument.Parse(await Aws.SnapshotAsync("lambda")).RootElement.GetProperty("lambda").GetProperty("functions").GetProperty(Function).GetProperty("aliases").GetRawText();

    public async ValueTask DisposeAsync()
    {
        _connection?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        await Aws.DisposeAsync();
        if (Iot is not null)
        {
            await Iot.DisposeAsync();
        }
        _home.Delete(recursive: true);
    }

    private async Task AddFleetAsync(int devices)
    {
        foreach (var version in (string[])["2.3.1", "2.4.0", "2.4.4"])
        {
            var image = version == "2.4.4" ? "2.4.4-self-test" : version;
            await OtaAsync("release", "publish", $"thermostat-fw@{version}", "--file", Programs.Sample($"thermostat-fw-{image}.img"), "--fleet", IotAccount.Fleet);
        }
        await OtaAsync(
            "target", "create", IotAccount.Fleet, "-e", "production", "--fleet", IotAccount.Fleet, "--region", Region, "--firmware-bucket", Bucket, "--presign-role", PresignRole,
            "--release", "thermostat-fw@2.3.1");
        await Iot!.EnrolAsync(devices, await File.ReadAllTextAsync(Path.Combine(_home.FullName, "server", "pki", "release-key.pub.pem")));
    }

    private static string NameOf(string rollout) => $"environments/production/rollouts/{rollout}";

    /// <summary>What lies in a bucket is known to the double by its name.</summary>
    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
