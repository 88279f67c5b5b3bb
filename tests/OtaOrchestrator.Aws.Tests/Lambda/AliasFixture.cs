using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.CloudTrail;
using Amazon.CloudWatch;
using Amazon.Lambda;
using Amazon.Runtime;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Aws.Lambda;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Contracts;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.Lambda;

/// <summary>A function with one version, an alias on it, and the adapter before it.</summary>
internal sealed class AliasFixture : TrafficLane
{
    public const string Alias = "live";
    private readonly AwsDoubles _aws;
    private readonly List<IDisposable> _clients = [];

    public AliasFixture(AwsDoubles aws, string function, HttpClientFactory? http = null)
    {
        (_aws, Function) = (aws, function);
        Crashes = http as Crashing;
        Target = NewTarget();
    }

    public string Function { get; }

    public Crashing? Crashes { get; }

    public LambdaAliasTarget Target { get; private set; }

    public override ITarget Adapter => Target;

    /// <summary>Steps of 0, 5 and 50 %, and all.</summary>
    public static IReadOnlyList<TargetStep> Steps { get; } = [new(0, null), new(0.05, null), new(0.5, null), new(1, null)];

    public static async Task<AliasFixture> StartAsync(AwsDoubles aws, string function, HttpClientFactory? http = null)
    {
        await aws.AdminAsync("lambda/functions", new { name = function, codes = new[] { "old" }, aliases = new Dictionary<string, string> { [Alias] = "1" } });
        return new AliasFixture(aws, function, http);
    }

    public TargetRelease Fallback => Release("5.0.3", $"arn:aws:lambda:eu-central-1:111122223333:function:{Function}:1");

    /// <summary>What lies in a bucket is known to the double by its name.</summary>
    public static TargetRelease Candidate { get; } = Release("5.1.0", $"s3://builds/api-5.1.0.zip?sha256={Sha256("builds/api-5.1.0.zip//")}");

    public static TargetRelease Release(string version, string artifact) =>
        new("thermostat-api", version, "sha256:" + Sha256(version)) { Artifacts = new Dictionary<string, string> { ["lambda"] = artifact } };

    public static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    protected override TargetOrder Template => new()
    {
        Environment = "production", Target = $"{Function}:{Alias}", Rollout = "autumn", Lane = "api", Fence = default,
        Candidate = Candidate, Fallback = Fallback, Steps = Steps, Step = -1,
    };

    public async Task ReachedAsync(TargetOrder order)
    {
        var reading = await Target.ReadAsync(order, default);
        Assert.True(reading.Agrees, reading.Detail);
        Assert.Equal(order.Share, reading.Share);
        Keep(reading);
    }

    /// <summary>The process starts again: what it held in memory is gone.</summary>
    public LambdaAliasTarget NewTarget() => Target = new LambdaAliasTarget(
        Client(new AmazonLambdaClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonLambdaConfig>(_aws, Crashes))),
        Function,
        Alias,
        new LambdaMetrics(Client(new AmazonCloudWatchClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonCloudWatchConfig>(_aws, Crashes))), TimeSpan.FromSeconds(1), TimeProvider.System),
        new TrailedChanges(Client(new AmazonCloudTrailClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonCloudTrailConfig>(_aws, Crashes))), TimeProvider.System),
        TimeProvider.System);

    /// <summary>Somebody changes the alias by hand.</summary>
    public Task MoveAsync(string version, string? added = null, double weight = 0) => _aws.ActAsync("lambda", "UpdateAlias", new
    {
        FunctionName = Function, Name = Alias, FunctionVersion = version, RoutingConfig = new { AdditionalVersionWeights = added is null ? [] : new Dictionary<string, double> { [added] = weight } },
    }, "night-shift");

    /// <summary>Calls of one operation on this function so far, those that were refused or lost too.</summary>
    public async Task<int> CallsAsync(string operation) =>
        (await _aws.CallsAsync()).Count(call => call.Operation == operation && call.User == "ota-orchestrator" && call.Parameters.TryGetProperty("FunctionName", out var name) && name.GetString() == Function);

    public override async Task<string> ServesAsync() => System.Text.Json.Nodes.JsonNode.Parse(await _aws.SnapshotAsync("lambda"))!["lambda"]!["functions"]![Function]!["aliases"]!.ToJsonString();

    public override Task MoveAsync() => MoveAsync("1");

    public override void Restart() => NewTarget();

    public override ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        return ValueTask.CompletedTask;
    }

    private T Client<T>(T client)
        where T : IDisposable
    {
        _clients.Add(client);
        return client;
    }
}
