using System.Text.Json.Nodes;
using Amazon.APIGateway;
using Amazon.CloudTrail;
using Amazon.Runtime;
using OtaOrchestrator.Aws.ApiGateway;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.ApiGateway;

/// <summary>An API with a stage, and the adapter before it. Keeps between two orders what a rollout keeps.</summary>
internal sealed class StageFixture : IDisposable
{
    public const string Stage = "live";
    private readonly AwsDoubles _aws;
    private readonly Crashing? _crashes;
    private readonly List<IDisposable> _clients = [];
    private long _revision;
    private string? _before;
    private string? _seen;

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

    public TargetOrder Order(int step) => new()
    {
        Environment = "production", Target = Api, Rollout = "autumn", Lane = "api", Fence = new Fence(1, ++_revision),
        Candidate = Candidate, Fallback = Fallback, Steps = Steps, Step = step, Before = _before, Seen = _seen,
    };

    public async Task PrepareAsync()
    {
        var prepared = await Target.PrepareAsync(Order(-1), default);
        Assert.Null(prepared.Problem);
        (_before, _seen) = (_before ?? prepared.Before, prepared.Seen);
    }

    public async Task<TargetOrder> ExposeAsync(int step)
    {
        var order = Order(step);
        await ReachAsync(order);
        return order;
    }

    public async Task ReachAsync(TargetOrder order)
    {
        await Target.ExposeAsync(order, default);
        var reading = await Target.ReadAsync(order, default);
        Assert.True(reading.Agrees, reading.Detail);
        Assert.Equal(order.Share, reading.Share, 6);
        _seen = reading.Seen ?? _seen;
    }

    public async Task RestoreAsync(int step)
    {
        var order = Order(step);
        await Target.RestoreAsync(order, default);
        Assert.True((await Target.ReadRestorationAsync(order, default)).Agrees);
    }

    public void Take(Drift drift) => _seen = drift.Seen;

    /// <summary>The process starts again: what it held in memory is gone.</summary>
    public StageTarget NewTarget() => Target = new StageTarget(
        Client(new AmazonAPIGatewayClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonAPIGatewayConfig>(_aws, _crashes))), Api, Stage,
        new TrailedChanges(Client(new AmazonCloudTrailClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonCloudTrailConfig>(_aws, _crashes))), TimeProvider.System), TimeProvider.System);

    /// <summary>Somebody changes the stage by hand.</summary>
    public Task PatchAsync(string path, string value) =>
        _aws.ActAsync("apigateway", "UpdateStage", new { restApiId = Api, stageName = Stage, patchOperations = new[] { new { op = "replace", path, value } } }, "night-shift");

    public async Task<string> ServesAsync() => (await ApisAsync(_aws))[Api]!["stages"]!.ToJsonString();

    public async Task<int> WritesAsync() => (await _aws.CallsAsync()).Count(call => call is { Operation: "UpdateStage", User: "ota-orchestrator" });

    public void Dispose() => _clients.ForEach(client => client.Dispose());

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
