using Amazon.APIGateway;
using Amazon.APIGateway.Model;
using Amazon.CloudFront;
using Amazon.CloudFront.Model;
using Amazon.CloudTrail;
using Amazon.CloudTrail.Model;
using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;
using Amazon.CodeDeploy;
using Amazon.Lambda;
using Amazon.Lambda.Model;
using Amazon.SimpleNotificationService;
using OtaOrchestrator.Aws.Tests.Doubles;
using Deploy = Amazon.CodeDeploy.Model;
using Notify = Amazon.SimpleNotificationService.Model;

namespace OtaOrchestrator.AwsSdk.Tests;

/// <summary>The stand-ins over a socket, signed and held against AWS's models by the doubles: a call of each protocol, its reply and its errors.</summary>
public sealed class DoublesTests : IAsyncLifetime
{
    private AwsDoubles _aws = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsDoubles.StartAsync();
        await _aws.AdminAsync("lambda/functions", new { name = "api", codes = new[] { "1", "2" }, aliases = new { live = "1" } });
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(await _aws.ViolationsAsync());
        Assert.Empty(await _aws.BugsAsync());
        await _aws.DisposeAsync();
    }

    [Fact]
    public async Task Lambda_shifts_an_alias()
    {
        using var lambda = new AmazonLambdaClient(AwsDoubles.Operator, _aws.Config<AmazonLambdaConfig>());
        var alias = await lambda.GetAliasAsync(new GetAliasRequest { FunctionName = "api", Name = "live" });
        var shift = new UpdateAliasRequest
        {
            FunctionName = "api", Name = "live", RevisionId = alias.RevisionId, RoutingConfig = new AliasRoutingConfiguration { AdditionalVersionWeights = new() { ["2"] = 0.25 } },
        };
        Assert.Equal(0.25, (await lambda.UpdateAliasAsync(shift)).RoutingConfig.AdditionalVersionWeights["2"]);
        var lost = await Assert.ThrowsAsync<Amazon.Lambda.Model.PreconditionFailedException>(() => lambda.UpdateAliasAsync(shift));
        Assert.Equal((System.Net.HttpStatusCode.PreconditionFailed, "PreconditionFailedException"), (lost.StatusCode, lost.ErrorCode));
        // An ARN is escaped in the path and once more under the signature.
        Assert.Equal("1", (await lambda.GetAliasAsync(new GetAliasRequest { FunctionName = "arn:aws:lambda:eu-central-1:111122223333:function:api", Name = "live" })).FunctionVersion);
        var back = await lambda.UpdateAliasAsync(new UpdateAliasRequest { FunctionName = "api", Name = "live", RoutingConfig = new AliasRoutingConfiguration { AdditionalVersionWeights = [] } });
        Assert.Null(back.RoutingConfig?.AdditionalVersionWeights);
        await lambda.UpdateFunctionCodeAsync(new UpdateFunctionCodeRequest { FunctionName = "api", ZipFile = new MemoryStream([1, 2, 3]) });
        await Assert.ThrowsAsync<ResourceConflictException>(() => lambda.PublishVersionAsync(new PublishVersionRequest { FunctionName = "api" }));
        var pending = await lambda.GetFunctionConfigurationAsync(new GetFunctionConfigurationRequest { FunctionName = "api" });
        Assert.Equal(LastUpdateStatus.InProgress, pending.LastUpdateStatus);
        Assert.Equal("3", (await lambda.PublishVersionAsync(new PublishVersionRequest { FunctionName = "api", CodeSha256 = pending.CodeSha256 })).Version);
        var invoked = await lambda.InvokeAsync(new InvokeRequest { FunctionName = "api", Qualifier = "live", Payload = "{}" });
        Assert.Equal((200, "1"), (invoked.StatusCode, invoked.ExecutedVersion));
        Assert.Equal(4, (await lambda.ListVersionsByFunctionAsync(new ListVersionsByFunctionRequest { FunctionName = "api" })).Versions.Count);
        Assert.Single((await lambda.ListAliasesAsync(new ListAliasesRequest { FunctionName = "api" })).Aliases);
        await Assert.ThrowsAsync<Amazon.Lambda.Model.ResourceNotFoundException>(() => lambda.GetFunctionAsync(new GetFunctionRequest { FunctionName = "none" }));
    }

    [Fact]
    public async Task SNS_tells_who_listens()
    {
        const string Topic = "arn:aws:sns:eu-central-1:111122223333:on-call";
        using var sns = new AmazonSimpleNotificationServiceClient(AwsDoubles.Operator, _aws.Config<AmazonSimpleNotificationServiceConfig>());
        var publish = new Notify.PublishRequest { TopicArn = Topic, Subject = "rollback", Message = "P1 & <more>: 25 % + ü", MessageAttributes = new() { ["severity"] = new() { DataType = "Number", StringValue = "1" } } };
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await Assert.ThrowsAsync<Notify.NotFoundException>(() => sns.PublishAsync(publish))).StatusCode);
        await _aws.ActAsync("sns", "CreateTopic", new { Name = "on-call" });
        await _aws.ActAsync("sns", "Subscribe", new { TopicArn = Topic, Protocol = "sqs", Endpoint = "arn:aws:sqs:eu-central-1:111122223333:pages" });
        Assert.Equal("1", (await sns.GetTopicAttributesAsync(new Notify.GetTopicAttributesRequest { TopicArn = Topic })).Attributes["SubscriptionsConfirmed"]);
        var id = (await sns.PublishAsync(publish)).MessageId;
        using var state = System.Text.Json.JsonDocument.Parse(await _aws.SnapshotAsync("sns"));
        var heard = Assert.Single(state.RootElement.GetProperty("sns").GetProperty("messages").EnumerateArray());
        Assert.Equal((id, publish.Message, publish.Subject), (heard.GetProperty("MessageId").GetString(), heard.GetProperty("message").GetString(), heard.GetProperty("subject").GetString()));
        Assert.Equal("1", heard.GetProperty("attributes").GetProperty("severity").GetProperty("StringValue").GetString());
    }

    [Fact]
    public async Task CodeDeploy_starts_waits_and_stops()
    {
        await _aws.ActAsync("codedeploy", "CreateApplication", new { applicationName = "api", computePlatform = "Lambda" });
        await _aws.ActAsync("codedeploy", "CreateDeploymentGroup", new { applicationName = "api", deploymentGroupName = "all", serviceRoleArn = "r", deploymentConfigName = "CodeDeployDefault.LambdaCanary10Percent5Minutes" });
        using var deploy = new AmazonCodeDeployClient(AwsDoubles.Operator, _aws.Config<AmazonCodeDeployConfig>());
        const string AppSpec = """{"version":0.0,"Resources":[{"f":{"Type":"AWS::Lambda::Function","Properties":{"Name":"api","Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}]}""";
        var create = new Deploy.CreateDeploymentRequest
        {
            ApplicationName = "api", DeploymentGroupName = "all", Description = "operation 1",
            Revision = new Deploy.RevisionLocation { RevisionType = RevisionLocationType.AppSpecContent, AppSpecContent = new Deploy.AppSpecContent { Content = AppSpec } },
        };
        var id = (await deploy.CreateDeploymentAsync(create)).DeploymentId;
        await Assert.ThrowsAsync<Deploy.DeploymentLimitExceededException>(() => deploy.CreateDeploymentAsync(create));
        await UntilAsync(deploy, id, DeploymentStatus.InProgress);
        Assert.Equal([id], (await deploy.ListDeploymentsAsync(new Deploy.ListDeploymentsRequest { ApplicationName = "api", DeploymentGroupName = "all" })).Deployments);
        var targets = (await deploy.ListDeploymentTargetsAsync(new Deploy.ListDeploymentTargetsRequest { DeploymentId = id })).TargetIds;
        var target = (await deploy.BatchGetDeploymentTargetsAsync(new Deploy.BatchGetDeploymentTargetsRequest { DeploymentId = id, TargetIds = targets })).DeploymentTargets[0];
        Assert.Equal(("api:live", "2"), (target.LambdaTarget.TargetId, target.LambdaTarget.LambdaFunctionInfo.TargetVersion));
        await deploy.StopDeploymentAsync(new Deploy.StopDeploymentRequest { DeploymentId = id, AutoRollbackEnabled = true });
        var stopped = (await deploy.BatchGetDeploymentsAsync(new Deploy.BatchGetDeploymentsRequest { DeploymentIds = [id] })).DeploymentsInfo[0];
        Assert.Equal((DeploymentStatus.Stopped, "operation 1"), (stopped.Status, stopped.Description));
        await UntilAsync(deploy, stopped.RollbackInfo.RollbackDeploymentId, DeploymentStatus.Succeeded);
        await Assert.ThrowsAsync<Deploy.UnsupportedActionForDeploymentTypeException>(() => ContinueAsync(deploy, create));
    }

    [Fact]
    public async Task CloudFront_stages_and_promotes()
    {
        using var front = new AmazonCloudFrontClient(AwsDoubles.Operator, _aws.Config<AmazonCloudFrontConfig>());
        var origins = new { Quantity = 1, Items = new[] { new { Id = "o", DomainName = "d.example.com", OriginPath = "/1", S3OriginConfig = new { OriginAccessIdentity = "" } } } };
        var behaviour = new { TargetOriginId = "o", ViewerProtocolPolicy = "https-only", CachePolicyId = "p" };
        await _aws.ActAsync("cloudfront", "CreateDistribution", new { DistributionConfig = new { CallerReference = "a", Comment = "<c> & \"d\"", Enabled = true, Origins = origins, DefaultCacheBehavior = behaviour } });
        var id = (await front.ListDistributionsAsync(new ListDistributionsRequest())).DistributionList.Items[0].Id;
        var primary = await front.GetDistributionAsync(new GetDistributionRequest { Id = id });
        Assert.Equal("InProgress", primary.Distribution.Status);
        var staging = await front.CopyDistributionAsync(new CopyDistributionRequest { PrimaryDistributionId = id, Staging = true, Enabled = true, IfMatch = primary.ETag, CallerReference = "b" });
        var policy = await front.CreateContinuousDeploymentPolicyAsync(new CreateContinuousDeploymentPolicyRequest { ContinuousDeploymentPolicyConfig = Policy(staging.Distribution.DomainName, 0.05f) });
        var config = primary.Distribution.DistributionConfig;
        config.ContinuousDeploymentPolicyId = policy.ContinuousDeploymentPolicy.Id;
        var attached = await front.UpdateDistributionAsync(new UpdateDistributionRequest { Id = id, DistributionConfig = config, IfMatch = primary.ETag });
        Assert.Equal(("<c> & \"d\"", config.ContinuousDeploymentPolicyId), (attached.Distribution.DistributionConfig.Comment, attached.Distribution.DistributionConfig.ContinuousDeploymentPolicyId));
        await Assert.ThrowsAsync<Amazon.CloudFront.Model.PreconditionFailedException>(() => front.UpdateDistributionAsync(new UpdateDistributionRequest { Id = id, DistributionConfig = config, IfMatch = primary.ETag }));
        var ramped = await front.UpdateContinuousDeploymentPolicyAsync(new UpdateContinuousDeploymentPolicyRequest
        {
            Id = policy.ContinuousDeploymentPolicy.Id, IfMatch = policy.ETag, ContinuousDeploymentPolicyConfig = Policy(staging.Distribution.DomainName, 0.15f),
        });
        Assert.Equal(0.15f, ramped.ContinuousDeploymentPolicy.ContinuousDeploymentPolicyConfig.TrafficConfig.SingleWeightConfig.Weight);
        await front.UpdateDistributionWithStagingConfigAsync(new UpdateDistributionWithStagingConfigRequest { Id = id, StagingDistributionId = staging.Distribution.Id, IfMatch = $"{attached.ETag}, {staging.ETag}" });
        var after = await front.GetContinuousDeploymentPolicyAsync(new GetContinuousDeploymentPolicyRequest { Id = policy.ContinuousDeploymentPolicy.Id });
        Assert.False(after.ContinuousDeploymentPolicy.ContinuousDeploymentPolicyConfig.Enabled);
        var batch = new InvalidationBatch { CallerReference = "i", Paths = new Paths { Quantity = 1, Items = ["/*"] } };
        var invalidation = await front.CreateInvalidationAsync(new CreateInvalidationRequest { DistributionId = id, InvalidationBatch = batch });
        Assert.Equal("InProgress", (await front.GetInvalidationAsync(new GetInvalidationRequest { DistributionId = id, Id = invalidation.Invalidation.Id })).Invalidation.Status);
        await Assert.ThrowsAsync<DistributionNotDisabledException>(() => DeleteAsync(front, staging.Distribution.Id));
    }

    [Fact]
    public async Task CloudWatch_and_CloudTrail_are_read()
    {
        var put = new { AlarmName = "a", Namespace = "Shop", MetricName = "Orders", Statistic = "Sum", Period = 60, EvaluationPeriods = 1, Threshold = 1, ComparisonOperator = "GreaterThanThreshold" };
        await _aws.ActAsync("cloudwatch", "PutMetricAlarm", put, "night-shift");
        await _aws.ActAsync("cloudwatch", "PutMetricData", new { Namespace = "Shop", MetricData = new[] { new { MetricName = "Orders", Value = 3.5 } } });
        using var watch = new AmazonCloudWatchClient(AwsDoubles.Operator, _aws.Config<AmazonCloudWatchConfig>());
        var alarms = await watch.DescribeAlarmsAsync(new DescribeAlarmsRequest { AlarmNames = ["a"], AlarmTypes = ["MetricAlarm"] });
        Assert.Equal((StateValue.INSUFFICIENT_DATA, 1.0), (alarms.MetricAlarms[0].StateValue, alarms.MetricAlarms[0].Threshold));
        Assert.Equal("Orders", (await watch.ListMetricsAsync(new ListMetricsRequest { Namespace = "Shop" })).Metrics[0].MetricName);
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var query = new MetricDataQuery { Id = "m", MetricStat = new MetricStat { Metric = new Amazon.CloudWatch.Model.Metric { Namespace = "Shop", MetricName = "Orders" }, Period = 60, Stat = "Sum" } };
        var data = await watch.GetMetricDataAsync(new GetMetricDataRequest { MetricDataQueries = [query], StartTime = now.AddMinutes(-5), EndTime = now.AddMinutes(1) });
        Assert.Equal([3.5], data.MetricDataResults[0].Values);
        using var trail = new AmazonCloudTrailClient(AwsDoubles.Operator, _aws.Config<AmazonCloudTrailConfig>());
        var byUser = new LookupAttribute { AttributeKey = LookupAttributeKey.Username, AttributeValue = "night-shift" };
        var events = await trail.LookupEventsAsync(new LookupEventsRequest { LookupAttributes = [byUser] });
        Assert.Equal("PutMetricAlarm", events.Events[0].EventName);
    }

    [Fact]
    public async Task API_Gateway_moves_a_canary()
    {
        await _aws.ActAsync("apigateway", "CreateRestApi", new { name = "shop" });
        var id = (await _aws.SnapshotAsync("apigateway")).Split('"').SkipWhile(word => word != "apis").Skip(2).First();
        using var gateway = new AmazonAPIGatewayClient(AwsDoubles.Operator, _aws.Config<AmazonAPIGatewayConfig>());
        await gateway.CreateDeploymentAsync(new CreateDeploymentRequest { RestApiId = id, StageName = "prod" });
        var canary = await gateway.CreateDeploymentAsync(new CreateDeploymentRequest { RestApiId = id, StageName = "prod", CanarySettings = new DeploymentCanarySettings { PercentTraffic = 10 } });
        var promote = new PatchOperation { Op = Op.Copy, From = "/canarySettings/deploymentId", Path = "/deploymentId" };
        var stage = await gateway.UpdateStageAsync(new UpdateStageRequest { RestApiId = id, StageName = "prod", PatchOperations = [promote] });
        Assert.Equal((canary.Id, 10.0), (stage.DeploymentId, stage.CanarySettings.PercentTraffic));
        await Assert.ThrowsAsync<BadRequestException>(() => gateway.DeleteDeploymentAsync(new DeleteDeploymentRequest { RestApiId = id, DeploymentId = canary.Id }));
        await Assert.ThrowsAsync<NotFoundException>(() => gateway.GetStageAsync(new GetStageRequest { RestApiId = id, StageName = "none" }));
    }

    [Fact]
    public async Task Throttling_and_lost_replies_are_retried_by_the_pipeline()
    {
        using var lambda = new AmazonLambdaClient(AwsDoubles.Operator, _aws.Config<AmazonLambdaConfig>(retries: 3));
        await _aws.FaultAsync(new AwsFault("throttle", "lambda", "GetAlias"));
        await _aws.FaultAsync(new AwsFault("lose", "lambda", "GetAlias", Skip: 1));
        Assert.Equal("1", (await lambda.GetAliasAsync(new GetAliasRequest { FunctionName = "api", Name = "live" })).FunctionVersion);
        Assert.Equal([429, null, 200], (await _aws.CallsAsync()).Where(c => c.Operation == "GetAlias").Select(c => c.Status));
    }

    private static ContinuousDeploymentPolicyConfig Policy(string staging, float weight) => new()
    {
        Enabled = true,
        StagingDistributionDnsNames = new StagingDistributionDnsNames { Quantity = 1, Items = [staging] },
        TrafficConfig = new TrafficConfig { Type = ContinuousDeploymentPolicyType.SingleWeight, SingleWeightConfig = new ContinuousDeploymentSingleWeightConfig { Weight = weight } },
    };

    private static async Task UntilAsync(AmazonCodeDeployClient deploy, string id, DeploymentStatus status)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while ((await deploy.GetDeploymentAsync(new Deploy.GetDeploymentRequest { DeploymentId = id }, deadline.Token)).DeploymentInfo.Status != status)
        {
        }
    }

    private static async Task ContinueAsync(AmazonCodeDeployClient deploy, Deploy.CreateDeploymentRequest create)
    {
        var id = (await deploy.CreateDeploymentAsync(create)).DeploymentId;
        await deploy.ContinueDeploymentAsync(new Deploy.ContinueDeploymentRequest { DeploymentId = id, DeploymentWaitType = DeploymentWaitType.READY_WAIT });
    }

    private static async Task DeleteAsync(AmazonCloudFrontClient front, string id)
    {
        var etag = (await front.GetDistributionAsync(new GetDistributionRequest { Id = id })).ETag;
        await front.DeleteDistributionAsync(new DeleteDistributionRequest { Id = id, IfMatch = etag });
    }
}
