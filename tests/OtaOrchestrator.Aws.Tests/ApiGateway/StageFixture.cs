using System.Text.Json.Nodes;
using Amazon.APIGateway;
using Amazon.CloudTrail;
using Amazon.Runtime;
using OtaOrchestrator.Aws.ApiGateway;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Contracts;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.ApiGateway;

/// <summary>An API with a stage, and the adapter before it.</summary>
internal sealed class StageFixture : TrafficLane
{
    public const string Stage = "live";
    private readonly AwsDoubles _aws;
    private readonly Crashing? _crashes;
    private readonly List<IDisposable> _clients = [];

    private StageFixture(AwsDoubles aws, string api, string old, string young, Crashing? crashes)
    {
        (_aws, Api, _crashes) = (aws, api, crashes);
        (Fallback, Candidate) = (Release("5.0.3", old), Release("5.1.0", young));
        Target = NewTarget();
    }

    public string Api { get; }

    public TargetRelease Fallback { get; }

    public TargetRelease Candidate { get; }

    public StageTarget Target { get; private set; }

    public override ITarget Adapter => Target;

    public static IReadOnlyList<TargetStep> Steps { get; } = [new(0, null), new(0.05, null), new(0.5, null), new(1, null)];

    public static async Task<StageFixture> StartAsync(AwsDoubles aws, string name, Crashing? crashes = null)
    {
        await aws.ActAsync("apigateway", "CreateRestApi", new { name });
        var api = (await ApisAsync(aws)).Single(one => (string)one.Value!["info"]!["name"]! == name).Key;
        foreach (var description in new[] { "5.0.3", "5.1.0" })
        {
            await aws.ActAsync("apigateway", "CreateDeployment", new { restApiId = api, description });
        }

        var ids = (await ApisAsync(aws))[api]!["deployments"]!.AsObject().ToDictionary(one => (string)one.Value!["description"]!, one => one.Key);
        await aws.ActAsync("apigateway", "CreateStage", new { restApiId = api, stageName = Stage, deploymentId = ids["5.0.3"], variables = new { table = "orders" } });
        return new StageFixture(aws, api, ids["5.0.3"], ids["5.1.0"], crashes);
    }

    protected override TargetOrder Template => new()
    {
        Environment = "production", Target = Api, Rollout = "autumn", Lane = "api", Fence = default,
        Candidate = Candidate, Fallback = Fallback, Steps = Steps, Step = -1,
    };

    /// <summary>The process starts again: what it held in memory is gone.</summary>
    public StageTarget NewTarget() => Target = new StageTarget(
        Client(new AmazonAPIGatewayClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonAPIGatewayConfig>(_aws, _crashes))), Api, Stage,
        new TrailedChanges(Client(new AmazonCloudTrailClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonCloudTrailConfig>(_aws, _crashes))), TimeProvider.System), TimeProvider.System);

    /// <summary>Somebody changes the stage by hand.</summary>
    public Task PatchAsync(string path, string value) =>
        _aws.ActAsync("apigateway", "UpdateStage", new { restApiId = Api, stageName = Stage, patchOperations = new[] { new { op = "replace", path, value } } }, "night-shift");

    public override async Task<string> ServesAsync() => (await ApisAsync(_aws))[Api]!["stages"]!.ToJsonString();

    public async Task<int> WritesAsync() => (await _aws.CallsAsync()).Count(call => call is { Operation: "UpdateStage", User: "ota-orchestrator" });

    public override Task MoveAsync() => PatchAsync("/canarySettings/percentTraffic", "40");

    public override void Restart() => NewTarget();

    public override ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        return ValueTask.CompletedTask;
    }

    private static async Task<JsonObject> ApisAsync(AwsDoubles aws) => JsonNode.Parse(await aws.SnapshotAsync("apigateway"))!["apigateway"]!["apis"]!.AsObject();

    private static TargetRelease Release(string version, string deployment) =>
        new("thermostat-api", version, "sha256:" + new string('0', 64)) { Artifacts = new Dictionary<string, string> { ["apigateway"] = $"deployment:{deployment}" } };

    private T Client<T>(T client)
        where T : IDisposable
    {
        _clients.Add(client);
        return client;
    }
}
