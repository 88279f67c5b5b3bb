using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.CloudFront;
using Amazon.CloudTrail;
using Amazon.Runtime;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Contracts;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.CloudFront;

/// <summary>A distribution, and the adapter before it.</summary>
internal sealed class EdgeFixture : TrafficLane
{
    private readonly AwsDoubles _aws;
    private readonly Crashing? _crashes;
    private readonly List<IDisposable> _clients = [];

    private EdgeFixture(AwsDoubles aws, string distribution, Crashing? crashes)
    {
        (_aws, Distribution, _crashes) = (aws, distribution, crashes);
        Target = NewTarget();
    }

    public string Distribution { get; }

    public CloudFrontTarget Target { get; private set; }

    public override ITarget Adapter => Target;

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

    protected override TargetOrder Template => new()
    {
        Environment = "production", Target = Distribution, Rollout = "autumn", Lane = "api", Fence = default,
        Candidate = Candidate, Fallback = Fallback, Steps = Steps, Step = -1,
    };

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

    /// <summary>The primary distribution and, while there is one, its policy.</summary>
    public override async Task<string> ServesAsync()
    {
        var policy = await PolicyAsync();
        var config = JsonNode.Parse(await ConfigAsync())!.AsObject();
        // A policy that is off serves nobody, and its id is nobody's business.
        config.Remove("ContinuousDeploymentPolicyId");
        return config.ToJsonString() + ((bool?)policy?["Enabled"] == true ? policy!["TrafficConfig"]!.ToJsonString() : "");
    }

    public override Task MoveAsync() => WeighAsync(0.1);

    public override void Restart() => NewTarget();

    public override ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        return ValueTask.CompletedTask;
    }

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
