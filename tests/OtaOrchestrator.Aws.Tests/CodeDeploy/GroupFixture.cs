using Amazon.CodeDeploy;
using OtaOrchestrator.Aws.CodeDeploy;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Contracts;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.CodeDeploy;

/// <summary>A deployment group of each platform with something deployed, and the adapter before it.</summary>
internal sealed class GroupFixture : TrafficLane
{
    private const string Role = "arn:aws:iam::111122223333:role/codedeploy";
    private readonly AwsDoubles _aws;
    private readonly string _platform;
    private readonly string _application;
    private readonly Crashing? _crashes;
    private readonly List<IDisposable> _clients = [];

    private GroupFixture(AwsDoubles aws, string platform, string application, Crashing? crashes)
    {
        (_aws, _platform, _application, _crashes) = (aws, platform, application, crashes);
        Target = NewTarget();
    }

    public CodeDeployTarget Target { get; private set; }

    public override ITarget Adapter => Target;

    public static async Task<GroupFixture> StartAsync(AwsDoubles aws, string platform, string application, Crashing? crashes = null, bool slow = false)
    {
        await aws.SetAsync(new { codedeployStepSeconds = 0.01, minuteSeconds = slow ? 60.0 : 0.01 });
        await aws.ActAsync("codedeploy", "CreateApplication", new { applicationName = application, computePlatform = platform });
        var waits = new { deploymentReadyOption = new { actionOnTimeout = "STOP_DEPLOYMENT", waitTimeInMinutes = 600_000 }, terminateBlueInstancesOnDeploymentSuccess = new { action = "TERMINATE", terminationWaitTimeInMinutes = 2880 } };
        if (platform == "Lambda")
        {
            await aws.AdminAsync("lambda/functions", new { name = application, codes = new[] { "old", "new" }, aliases = new { live = "1" } });
            await aws.ActAsync("codedeploy", "CreateDeploymentGroup", new { applicationName = application, deploymentGroupName = "all", serviceRoleArn = Role, deploymentConfigName = slow ? "CodeDeployDefault.LambdaCanary10Percent5Minutes" : "CodeDeployDefault.LambdaAllAtOnce" });
        }
        else if (platform == "ECS")
        {
            var pair = new { targetGroups = new[] { new { name = "one" }, new { name = "two" } }, prodTrafficRoute = new { listenerArns = new[] { "arn:aws:elasticloadbalancing:eu-central-1:111122223333:listener/app/api/1/2" } } };
            await aws.ActAsync("codedeploy", "CreateDeploymentGroup", new
            {
                applicationName = application, deploymentGroupName = "all", serviceRoleArn = Role, ecsServices = new[] { new { clusterName = "c", serviceName = "s" } },
                loadBalancerInfo = new { targetGroupPairInfoList = new[] { pair } }, blueGreenDeploymentConfiguration = waits,
            });
            await aws.AdminAsync("codedeploy/task-set", new { application, group = "all", taskDefinition = Definition(0) });
        }
        else
        {
            await aws.ActAsync("codedeploy", "CreateDeploymentGroup", new { applicationName = application, deploymentGroupName = "all", serviceRoleArn = Role, deploymentConfigName = "CodeDeployDefault.AllAtOnce" });
            await aws.AdminAsync("codedeploy/instances", new { application, group = "all", instances = new[] { "i-1", "i-2" }, revision = "zero" });
        }

        var fixture = new GroupFixture(aws, platform, application, crashes);
        if (platform != "Lambda")
        {
            await fixture.DeployedAsync(1);
        }

        return fixture;
    }

    protected override TargetOrder Template => new()
    {
        Environment = "production", Target = $"{_application}/all", Rollout = "autumn", Lane = "api", Fence = default,
        Candidate = Release(2), Fallback = Release(1), Steps = [new(0, null), new(1, null)], Step = -1,
    };

    public TargetRelease Release(int number) => new("api", $"{number}.0", $"sha256:{number}")
    {
        Artifacts = new Dictionary<string, string>
        {
            ["codedeploy"] = _platform switch
            {
                "Lambda" => $"lambda:{_application}:live:{number}",
                "ECS" => $"ecs:{Definition(number)}#api:80",
                _ => $"s3://releases/{number}.zip?bundleType=zip",
            },
        },
    };

    /// <summary>What users get: by whichever service serves them.</summary>
    public override async Task<string> ServesAsync()
    {
        var service = _platform == "Lambda" ? "lambda" : "codedeploy";
        var all = System.Text.Json.Nodes.JsonNode.Parse(await _aws.SnapshotAsync(service, history: false))![service]!;
        return all[_platform == "Lambda" ? _application : _application + "/all"]!.ToJsonString();
    }

    public async Task<int> CreatedAsync() => (await _aws.CallsAsync()).Count(call => call is { Operation: "CreateDeployment", User: "ota-orchestrator", Status: 200 or null }
        && call.Parameters.GetProperty("applicationName").GetString() == _application);

    /// <summary>The process starts again.</summary>
    public CodeDeployTarget NewTarget()
    {
        var config = _aws.Config<AmazonCodeDeployConfig>(_crashes is null ? 4 : 0);
        config.HttpClientFactory = _crashes ?? config.HttpClientFactory;
        var client = new AmazonCodeDeployClient(AwsDoubles.Operator, config);
        _clients.Add(client);
        return Target = new CodeDeployTarget(client, _application, "all", TimeProvider.System);
    }

    /// <summary>Somebody deploys by hand.</summary>
    public Task DeployAsync(int number, string user = "night-shift") => _aws.ActAsync("codedeploy", "CreateDeployment", new
    {
        applicationName = _application, deploymentGroupName = "all", description = "by hand", revision = _platform switch
        {
            "Lambda" => Content(new { Name = _application, Alias = "live", CurrentVersion = number == 1 ? "2" : "1", TargetVersion = $"{number}" }, "AWS::Lambda::Function"),
            "ECS" => Content(new { TaskDefinition = Definition(number), LoadBalancerInfo = new { ContainerName = "api", ContainerPort = 80 } }, "AWS::ECS::Service"),
            _ => new { revisionType = "S3", s3Location = new { bucket = "releases", key = $"{number}.zip", bundleType = "zip" } },
        },
    }, user);

    public override Task MoveAsync() => DeployedAsync(7);

    public override void Restart() => NewTarget();

    public override ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        return ValueTask.CompletedTask;
    }

    private static object Content(object properties, string type) => new
    {
        revisionType = "AppSpecContent",
        appSpecContent = new { content = System.Text.Json.JsonSerializer.Serialize(new { version = 0.0, Resources = new[] { new { one = new { Type = type, Properties = properties } } } }) },
    };

    private static string Definition(int number) => $"arn:aws:ecs:eu-central-1:111122223333:task-definition/api:{number}";

    /// <summary>Somebody ends what is under way, deploys, and waits until it is done.</summary>
    private async Task DeployedAsync(int number)
    {
        await EndedAsync();
        await DeployAsync(number);
        await EndedAsync();
    }

    private async Task EndedAsync()
    {
        using var client = new AmazonCodeDeployClient(AwsDoubles.Operator, _aws.Config<AmazonCodeDeployConfig>());
        await UntilAsync(async () =>
        {
            var last = (await client.GetDeploymentGroupAsync(new() { ApplicationName = _application, DeploymentGroupName = "all" })).DeploymentGroupInfo.LastAttemptedDeployment;
            if (last?.Status.Value is "Ready" or "Baking")
            {
                await client.ContinueDeploymentAsync(new() { DeploymentId = last.DeploymentId, DeploymentWaitType = last.Status.Value == "Ready" ? DeploymentWaitType.READY_WAIT : DeploymentWaitType.TERMINATION_WAIT });
            }

            return last is null || last.Status == DeploymentStatus.Succeeded ? null : $"the deployment by hand is {last.Status}";
        });
    }
}
