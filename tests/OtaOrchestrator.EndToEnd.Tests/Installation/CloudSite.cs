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
    private static readonly TimeSpan CommandMax = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("ota-cloud-");
    private Child? _server;
    private Connection? _connection;

    private CloudSite(AwsDoubles aws) => Aws = aws;

    public AwsDoubles Aws { get; }

    public Child Server => _server!;

    /// <summary>What the SDK's own chain needs to find an account and its endpoints; the same for the server and for AWS's command line.</summary>
    public Dictionary<string, string> Account => new()
    {
        ["AWS_ACCESS_KEY_ID"] = "AKIDORCHESTRATOR", ["AWS_SECRET_ACCESS_KEY"] = "orchestrator-secret", ["AWS_REGION"] = "eu-central-1", ["AWS_DEFAULT_REGION"] = "eu-central-1",
        ["AWS_ENDPOINT_URL"] = Aws.Url.ToString().TrimEnd('/'), ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    public static async Task<CloudSite> StartAsync()
    {
        var site = new CloudSite(await AwsDoubles.StartAsync());
        try
        {
            await site.Aws.AdminAsync("lambda/functions", new { name = Function, codes = new[] { "5.0.3" }, aliases = new Dictionary<string, string> { [Alias] = "1" } });
            await site.StartServerAsync();
            await site.OtaAsync("env", "create", "production", "--title", "Production");
            await site.OtaAsync("release", "publish", "api@5.0.3", "--artifact", $"lambda=arn:aws:lambda:eu-central-1:111122223333:function:{Function}:1");
            await site.OtaAsync("release", "publish", "api@5.1.0", "--artifact", $"lambda=s3://builds/api-5.1.0.zip?sha256={Sha256("builds/api-5.1.0.zip//")}");
            await site.OtaAsync("target", "create", "api", "-e", "production", "--lambda", $"{Function}:{Alias}", "--release", "api@5.0.3");
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
        _home.Delete(recursive: true);
    }

    private static string NameOf(string rollout) => $"environments/production/rollouts/{rollout}";

    /// <summary>What lies in a bucket is known to the double by its name.</summary>
    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
