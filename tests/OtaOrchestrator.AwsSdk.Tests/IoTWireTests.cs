using System.Net;
using System.Text.Json.Nodes;
using Amazon;
using Amazon.Extensions.NETCore.Setup;
using Amazon.IoT;
using Amazon.IoT.Model;
using Amazon.Runtime;
using Microsoft.Extensions.DependencyInjection;

namespace OtaOrchestrator.AwsSdk.Tests;

public sealed class IoTWireTests : IDisposable
{
    private readonly HttpDouble _far = new();
    private readonly AmazonIoTClient _client;

    public IoTWireTests() => _client = new AmazonIoTClient(HttpDouble.Credentials, _far.Configure(new AmazonIoTConfig { MaxErrorRetry = 0 }));

    public void Dispose()
    {
        _client.Dispose();
        _far.Dispose();
    }

    [Fact]
    public async Task Members_go_where_the_model_says_and_only_if_set()
    {
        _far.Answer("""{"jobArn":"arn:aws:iot:eu-west-1:1:job/j","jobId":"j"}""");
        var response = await _client.CreateJobAsync(new CreateJobRequest
        {
            JobId = "j",
            Targets = ["arn:aws:iot:eu-west-1:1:thinggroup/F-c00"],
            Document = """{"text":"grün \u0001"}""",
            TargetSelection = TargetSelection.CONTINUOUS,
            JobExecutionsRolloutConfig = new() { MaximumPerMinute = 50 },
            AbortConfig = new() { CriteriaList = [new() { Action = AbortAction.CANCEL, FailureType = JobExecutionFailureType.ALL, MinNumberOfExecutedThings = 10, ThresholdPercentage = 12.5 }] },
            SchedulingConfig = new() { MaintenanceWindows = [new() { StartTime = "cron(0 1 * * ? *)", DurationInMinutes = 60 }] },
        });

        var sent = Assert.Single(_far.Sent);
        Assert.Equal(("PUT", "/jobs/j"), (sent.Method, sent.Target));
        Assert.Equal("application/json", sent.Headers["Content-Type"]);
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse(
                    """
                    {"targets":["arn:aws:iot:eu-west-1:1:thinggroup/F-c00"],"document":"{\"text\":\"grün \\u0001\"}","targetSelection":"CONTINUOUS",
                     "jobExecutionsRolloutConfig":{"maximumPerMinute":50},
                     "abortConfig":{"criteriaList":[{"failureType":"ALL","action":"CANCEL","thresholdPercentage":12.5,"minNumberOfExecutedThings":10}]},
                     "schedulingConfig":{"maintenanceWindows":[{"startTime":"cron(0 1 * * ? *)","durationInMinutes":60}]}}
                    """),
                JsonNode.Parse(sent.Body)),
            sent.Body);
        Assert.Equal(("j", "arn:aws:iot:eu-west-1:1:job/j"), (response.JobId, response.JobArn));
        Assert.Equal(HttpStatusCode.OK, response.HttpStatusCode);
    }

    [Fact]
    public async Task Path_and_query_are_encoded()
    {
        _far.Answer("""{"executionSummaries":[],"nextToken":"n+/="}""");
        var response = await _client.ListJobExecutionsForThingAsync(new() { ThingName = "a/b c", Status = JobExecutionStatus.IN_PROGRESS, MaxResults = 7, NextToken = "x+/=&" });

        Assert.Equal("GET", _far.Sent[0].Method);
        Assert.Equal("/things/a%2Fb%20c/jobs?maxResults=7&nextToken=x%2B%2F%3D%26&status=IN_PROGRESS", _far.Sent[0].Target);
        Assert.Equal("", _far.Sent[0].Body);
        Assert.Equal("n+/=", response.NextToken);
    }

    [Fact]
    public async Task Boolean_and_number_stand_in_path_and_query_as_text()
    {
        _far.Answer("");
        await _client.DeleteJobExecutionAsync(new() { ThingName = "t", JobId = "j", ExecutionNumber = 12, Force = true });
        Assert.Equal(("DELETE", "/things/t/jobs/j/executionNumber/12?force=true"), (_far.Sent[0].Method, _far.Sent[0].Target));
    }

    [Fact]
    public async Task Missing_name_in_the_path_is_refused_before_anything_is_sent()
    {
        var refusal = await Assert.ThrowsAsync<AmazonIoTException>(() => _client.DescribeJobAsync(new DescribeJobRequest(), TestContext.Current.CancellationToken));
        Assert.Contains("JobId", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(_far.Sent);
    }

    [Fact]
    public async Task Reply_is_read_whatever_is_unknown_null_or_missing_in_it()
    {
        _far.Answer(
            """
            {"documentSource":null,"brandNew":{"a":[1]},"job":{"jobId":"j","status":"IN_PROGRESS","forceCanceled":false,"createdAt":1732345678.468,"targets":["t"],
             "jobProcessDetails":{"numberOfQueuedThings":3,"processingTargets":["a"]},"documentParameters":{"k":"v"},
             "abortConfig":{"criteriaList":[{"thresholdPercentage":0.5}]},"destinationPackageVersions":["p"]}}
            """);
        var job = (await _client.DescribeJobAsync(new() { JobId = "j" })).Job;

        Assert.Equal(JobStatus.IN_PROGRESS, job.Status);
        Assert.False(job.ForceCanceled);
        Assert.Equal(new DateTime(2024, 11, 23, 7, 7, 58, 468, DateTimeKind.Utc), job.CreatedAt);
        Assert.Equal(DateTimeKind.Utc, job.CreatedAt!.Value.Kind);
        Assert.Null(job.CompletedAt);
        Assert.Equal(3, job.JobProcessDetails.NumberOfQueuedThings);
        Assert.Null(job.JobProcessDetails.NumberOfFailedThings);
        Assert.Equal("v", job.DocumentParameters["k"]);
        Assert.Equal(0.5, job.AbortConfig.CriteriaList[0].ThresholdPercentage);
        Assert.Equal(["p"], job.DestinationPackageVersions);
        Assert.Null(job.SchedulingConfig);
    }

    [Theory]
    [InlineData("x-amzn-ErrorType", "ResourceAlreadyExistsException:http://internal.amazon.com/", """{"message":"there","resourceId":"j"}""")]
    [InlineData("x-other", "", """{"__type":"com.amazonaws.iot#ResourceAlreadyExistsException","message":"there","resourceId":"j"}""")]
    [InlineData("x-other", "", """{"code":"ResourceAlreadyExistsException","Message":"there","resourceId":"j"}""")]
    public async Task Refusal_becomes_the_exception_of_the_model(string header, string value, string body)
    {
        _far.Answer(body, HttpStatusCode.Conflict, (header, value), ("x-amzn-RequestId", "r-1"));
        var refusal = await Assert.ThrowsAsync<ResourceAlreadyExistsException>(() => _client.CreateJobAsync(new() { JobId = "j" }));

        Assert.Equal(("there", "j", "r-1"), (refusal.Message, refusal.ResourceId, refusal.RequestId));
        Assert.Equal((HttpStatusCode.Conflict, "ResourceAlreadyExistsException", ErrorType.Sender), (refusal.StatusCode, refusal.ErrorCode, refusal.ErrorType));
    }

    [Theory]
    [InlineData(HttpStatusCode.BadGateway, "<html>not JSON</html>")]
    [InlineData(HttpStatusCode.Forbidden, """{"message":"no"}""")]
    [InlineData(HttpStatusCode.Forbidden, "")]
    public async Task Refusal_that_no_model_knows_is_the_service_s_own_exception(HttpStatusCode status, string body)
    {
        _far.Answer(body, status);
        var refusal = await Assert.ThrowsAsync<AmazonIoTException>(() => _client.CreateJobAsync(new() { JobId = "j" }));
        Assert.Equal(status, refusal.StatusCode);
        Assert.NotEmpty(refusal.Message);
    }

    [Fact]
    public async Task Throttled_call_is_repeated_by_the_pipeline()
    {
        _far.Answer("""{"message":"slow down"}""", (HttpStatusCode)429, ("x-amzn-ErrorType", "ThrottlingException")).Answer("""{"count":5}""");
        using var client = new AmazonIoTClient(HttpDouble.Credentials, _far.Configure(new AmazonIoTConfig { MaxErrorRetry = 2 }));
        var _ = await client.GetCardinalityAsync(new() { QueryString = "*" });
        Assert.Equal(2, _far.Sent.Count);
    }

    [Fact]
    public async Task Requests_are_signed_for_iot_in_the_region_given()
    {
        _far.Answer("{}");
        await _client.ListThingsAsync(new());
        Assert.Contains("/eu-west-1/iot/aws4_request", _far.Sent[0].Headers["Authorization"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eu-west-1", false, false, "https://iot.eu-west-1.amazonaws.com/")]
    [InlineData("cn-north-1", false, false, "https://iot.cn-north-1.amazonaws.com.cn/")]
    [InlineData("us-gov-west-1", true, false, "https://iot-fips.us-gov-west-1.amazonaws.com/")]
    [InlineData("us-east-1", false, true, "https://iot.us-east-1.api.aws/")]
    public async Task Without_an_address_the_endpoint_follows_from_the_region(string region, bool fips, bool dualStack, string expected)
    {
        _far.Answer("{}");
        var config = new AmazonIoTConfig
        {
            RegionEndpoint = RegionEndpoint.GetBySystemName(region),
            UseFIPSEndpoint = fips,
            UseDualstackEndpoint = dualStack,
            HttpClientFactory = new HttpDouble.Factory(_far),
        };
        using var client = new AmazonIoTClient(HttpDouble.Credentials, config);
        await client.ListThingsAsync(new());

        Assert.Equal(expected, _far.Sent[0].Address.GetLeftPart(UriPartial.Authority) + "/");
        Assert.Equal(expected.TrimEnd('/'), client.DetermineServiceOperationEndpoint(new ListThingsRequest()).URL);
        Assert.Contains($"/{region}/iot/aws4_request", _far.Sent[0].Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_call_ends_as_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.ListThingsAsync(new(), cancelled.Token));
    }

    [Fact]
    public void Client_comes_from_dependency_injection_as_an_official_one_does()
    {
        using var services = new ServiceCollection()
            .AddAWSService<IAmazonIoT>(new AWSOptions { Region = RegionEndpoint.EUWest1, Credentials = HttpDouble.Credentials })
            .BuildServiceProvider();
        Assert.Equal(RegionEndpoint.EUWest1, services.GetRequiredService<IAmazonIoT>().Config.RegionEndpoint);
    }
}
