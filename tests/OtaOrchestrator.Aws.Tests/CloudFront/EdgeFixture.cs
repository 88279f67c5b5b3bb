using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.CloudFront;
using Amazon.CloudTrail;
using Amazon.Runtime;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.CloudFront;

/// <summary>A distribution, and the adapter before it. Keeps between two orders what a rollout keeps.</summary>
internal sealed class EdgeFixture : IDisposable
{
    private readonly AwsDoubles _aws;
    private readonly Crashing? _crashes;
    private readonly List<IDisposable> _clients = [];
    private long _revision;
    private string? _before;
    private string? _seen;

    private EdgeFixture(AwsDoubles aws, string distribution, Crashing? crashes)
    {
        (_aws, Distribution, _crashes) = (aws, distribution, crashes);
        Target = NewTarget();
    }

    public string Distribution { get; }

    public CloudFrontTarget Target { get; private set; }

    /// <summary>Testers, 5 %, 15 %, and all.</summary>
    public static IReadOnlyList<TargetStep> Steps { get; } = [new(0, null), new(0.05, null), new(0.15, null), new(1, null)];

    public static TargetRelease Fallback { get; } = Release("5.0.3");

    public static TargetRelease Candidate { get; } = Release("5.1.0");

    /// <summary>A distribution with more to it than its origin.</summary>
    public static async Task<EdgeFixture> StartAsync(AwsDoubles aws, string name, Crashing? crashes = null, string httpVersion = "http2")
    {
        await aws.ActAsync("cloudfront", "CreateDistribution", new
        {
            DistributionConfig = new
            {
                CallerReference = name, Comment = name, Enabled = true, HttpVersion = httpVersion,
                Aliases = new { Quantity = 1, Items = new[] { $"{name}.example.com" } },
                Origins = new
                {
                    Quantity = 2,
                    Items = new object[]
                    {
                        new { Id = "assets", DomainName = "assets.example.com", OriginPath = "", CustomOriginConfig = Https() },
                        new { Id = "api", DomainName = "api.example.com", OriginPath = "/5.0.3", CustomOriginConfig = Https() },
                    },
                },
                DefaultCacheBehavior = new { TargetOriginId = "api", ViewerProtocolPolicy = "https-only", CachePolicyId = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" },
                CacheBehaviors = new { Quantity = 1, Items = new[] { new { PathPattern = "/assets/*", TargetOriginId = "assets", ViewerProtocolPolicy = "https-only", CachePolicyId = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" } } },
            },
        });
        var distributions = JsonNode.Parse(await aws.SnapshotAsync("cloudfront"))!["cloudfront"]!["distributions"]!.AsObject();
        return new EdgeFixture(aws, distributions.Single(one => (string)one.Value!["config"]!["CallerReference"]! == name).Key, crashes);
    }

    public TargetOrder Order(int step) => new()
    {
        Environment = "production", Target = Distribution, Rollout = "autumn", Lane = "api", Fence = new Fence(1, ++_revision),
        Candidate = Candidate, Fallback = Fallback, Steps = Steps, Step = step, Before = _before, Seen = _seen,
    };

    /// <summary>Asks until it is ready, as the product does.</summary>
    public async Task PrepareAsync()
    {
        Preparation prepared;
        int asked = 0;
        do
        {
            prepared = await Target.PrepareAsync(Order(-1), default);
            Assert.Null(prepared.Problem);
            Assert.True(++asked < 20, prepared.Pending);
        }
        while (prepared.Pending is not null);
        (_before, _seen) = (_before ?? prepared.Before, prepared.Seen);
    }

    public async Task<TargetOrder> ExposeAsync(int step)
    {
        var order = Order(step);
        await ReachAsync(order);
        return order;
    }

    /// <summary>Writes and reads until it holds, as the product does.</summary>
    public async Task ReachAsync(TargetOrder order)
    {
        Reading reading;
        int asked = 0;
        do
        {
            try
            {
                await Target.ExposeAsync(order, default);
            }
            catch (IOException)
            {
                // Not yet: the next one.
            }

            reading = await Target.ReadAsync(order, default);
            Assert.True(++asked < 20, reading.Detail);
        }
        while (!reading.Agrees);
        Assert.Equal(order.Share, reading.Share, 6);
        _seen = reading.Seen ?? _seen;
    }

    public async Task RestoreAsync(int step)
    {
        var order = Order(step);
        Restoration restoration;
        int asked = 0;
        do
        {
            await Target.RestoreAsync(order, default);
            restoration = await Target.ReadRestorationAsync(order, default);
            Assert.True(++asked < 20, restoration.Detail);
        }
        while (!restoration.Agrees);
    }

    /// <summary>What was seen last counts for nothing.</summary>
    public void Forget() => _seen = null;

    public void Take(Drift drift) => _seen = drift.Seen;

    /// <summary>The process starts again: what it held in memory is gone.</summary>
    public CloudFrontTarget NewTarget() => Target = new CloudFrontTarget(
        Client(new AmazonCloudFrontClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonCloudFrontConfig>(_aws, _crashes))),
        Distribution,
        new TrailedChanges(Client(new AmazonCloudTrailClient(AwsDoubles.Operator, Crashing.ConfigOf<AmazonCloudTrailConfig>(_aws, _crashes))), TimeProvider.System),
        TimeProvider.System);

    /// <summary>The primary distribution's whole configuration.</summary>
    public async Task<string> ConfigAsync() => (await StateAsync())["distributions"]![Distribution]!["config"]!.ToJsonString();

    public async Task<JsonNode> StateAsync() => JsonNode.Parse(await _aws.SnapshotAsync("cloudfront"))!["cloudfront"]!;

    /// <summary>Its policy, if one is attached.</summary>
    public async Task<JsonNode?> PolicyAsync()
    {
        var state = await StateAsync();
        var id = (string?)state["distributions"]![Distribution]!["config"]!["ContinuousDeploymentPolicyId"];
        return string.IsNullOrEmpty(id) ? null : state["policies"]![id]!["config"];
    }

    /// <summary>Staging distributions and policies that were made beside it.</summary>
    public async Task<(List<JsonNode> Staging, int Policies)> BesideAsync()
    {
        var state = await StateAsync();
        var staging = state["distributions"]!.AsObject().Select(one => one.Value!).Where(one => ((string)one["config"]!["CallerReference"]!).StartsWith($"ota-{Distribution}-", StringComparison.Ordinal)).ToList();
        var domains = staging.ConvertAll(one => (string)one["DomainName"]!);
        return (staging, state["policies"]!.AsObject().Count(one => one.Value!["config"]!["StagingDistributionDnsNames"]!["Items"]!.AsArray().Any(name => domains.Contains((string)name!))));
    }

    /// <summary>Somebody changes the primary distribution by hand.</summary>
    public async Task ChangeAsync(Action<JsonObject> change)
    {
        var config = JsonNode.Parse(await ConfigAsync())!.AsObject();
        change(config);
        await _aws.ActAsync("cloudfront", "UpdateDistribution", new { Id = Distribution, DistributionConfig = config }, "night-shift");
    }

    /// <summary>Somebody changes the policy by hand.</summary>
    public async Task WeighAsync(double weight)
    {
        var id = (string)(await StateAsync())["distributions"]![Distribution]!["config"]!["ContinuousDeploymentPolicyId"]!;
        var config = (await PolicyAsync())!.DeepClone().AsObject();
        config["TrafficConfig"] = new JsonObject { ["Type"] = "SingleWeight", ["SingleWeightConfig"] = new JsonObject { ["Weight"] = weight } };
        await _aws.ActAsync("cloudfront", "UpdateContinuousDeploymentPolicy", new { Id = id, ContinuousDeploymentPolicyConfig = config }, "night-shift");
    }

    public void Dispose() => _clients.ForEach(client => client.Dispose());

    private static object Https() => new { HTTPPort = 80, HTTPSPort = 443, OriginProtocolPolicy = "https-only" };

    private static TargetRelease Release(string version) => new("thermostat-api", version, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(version))))
    {
        Artifacts = new Dictionary<string, string> { ["cloudfront"] = $"https://api.example.com/{version}" },
    };

    private T Client<T>(T client)
        where T : IDisposable
    {
        _clients.Add(client);
        return client;
    }
}
