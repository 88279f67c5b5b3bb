using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Amazon.IoT;
using Amazon.IoT.Model;
using Amazon.Runtime;

namespace OtaOrchestrator.DevicePlane.Tests;

/// <summary>The control plane on its TLS port, by clients that somebody else wrote.</summary>
public sealed class OpenControlPlaneTests
{
    private const string KeyId = "AKIDLOCALPLANE";
    private const string Secret = "a-secret-for-tests";

    [Fact]
    public async Task The_aws_command_line_creates_reads_searches_and_is_told_what_is_wrong()
    {
        await using var bench = await StartAsync();
        await using var device = await bench.DeviceAsync("1");
        var document = """{"note":"ä, $next and \u0026 more"}""";
        var created = await AwsAsync(bench, Secret, "create-job", "--job-id", "job-1", "--targets", PlaneBench.FleetArn, "--document", document, "--description", "two words");
        Assert.Equal("arn:aws:iot:local-1:000000000000:job/job-1", created.GetProperty("jobArn").GetString());
        await device.NextAsync(device.Jobs + "notify-next");
        Assert.Equal(document, (await AwsAsync(bench, Secret, "get-job-document", "--job-id", "job-1")).GetProperty("document").GetString());

        await device.AcceptedAsync(device.Shadow("ota") + "update", new { state = new { reported = new { release = "fw@1" } } });
        var found = await AwsAsync(bench, Secret, "search-index", "--query-string", "shadow.name.ota.reported.release:\"fw@1\" AND thingGroupNames:thermostats");
        Assert.Equal("thermostats-1", found.GetProperty("things")[0].GetProperty("thingName").GetString());
        var executions = await AwsAsync(bench, Secret, "list-job-executions-for-job", "--job-id", "job-1", "--status", "QUEUED");
        Assert.Equal(1, executions.GetProperty("executionSummaries").GetArrayLength());
        await AwsAsync(bench, Secret, "create-thing", "--thing-name", "a:b_c-d", "--attribute-payload", "attributes={k=v}");
        Assert.Equal("v", (await AwsAsync(bench, Secret, "describe-thing", "--thing-name", "a:b_c-d")).GetProperty("attributes").GetProperty("k").GetString());

        Assert.Contains("ResourceNotFoundException", await AwsErrorAsync(bench, Secret, "describe-job", "--job-id", "nowhere"), StringComparison.Ordinal);
        Assert.Contains("InvalidQueryException", await AwsErrorAsync(bench, Secret, "get-statistics", "--query-string", "thingName:"), StringComparison.Ordinal);
        Assert.Contains("UnauthorizedException", await AwsErrorAsync(bench, "another secret", "describe-job", "--job-id", "job-1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sdk_reaches_the_open_port_with_the_right_key_only()
    {
        await using var bench = await StartAsync();
        using var client = Client(bench, KeyId, Secret);
        await client.CreateThingAsync(new CreateThingRequest { ThingName = "a:b" });
        Assert.Equal("a:b", (await client.DescribeThingAsync(new DescribeThingRequest { ThingName = "a:b" })).ThingName);
        Assert.Equal(100, (await client.ListThingGroupsAsync(new ListThingGroupsRequest { ParentGroup = "thermostats-cohorts" })).ThingGroups.Count);
        foreach (var (key, secret) in new[] { (KeyId, "wrong"), ("AKIDNOBODY", Secret) })
        {
            using var stranger = Client(bench, key, secret);
            await Assert.ThrowsAsync<UnauthorizedException>(() => stranger.DescribeThingAsync(new DescribeThingRequest { ThingName = "a:b" }));
        }
    }

    [Fact]
    public async Task A_request_that_was_changed_or_is_old_or_unsigned_is_refused()
    {
        var time = new JobsConformanceTests.SettableTime();
        time.SetWall(TimeProvider.System.GetUtcNow() - time.GetUtcNow());
        await using var bench = await StartAsync(time);
        var http = bench.FirmwareClient(null);
        var port = new Uri($"https://localhost:{bench.Plane.ControlPlaneEndpoint!.Port}");
        using var unsigned = await http.GetAsync(new Uri(port, "/jobs"));
        Assert.Equal(HttpStatusCode.Forbidden, unsigned.StatusCode);
        using var nonsense = new HttpRequestMessage(HttpMethod.Get, new Uri(port, "/jobs"));
        nonsense.Headers.TryAddWithoutValidation("Authorization", "AWS4-HMAC-SHA256 Credential=,SignedHeaders==;,Signature");
        using var refused = await http.SendAsync(nonsense);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        // The body is changed behind the signature.
        using var changing = Client(bench, KeyId, Secret, body => body.Replace("first", "other", StringComparison.Ordinal));
        await Assert.ThrowsAsync<UnauthorizedException>(() => changing.CreateThingAsync(new CreateThingRequest { ThingName = "t", AttributePayload = new AttributePayload { Attributes = new() { ["a"] = "first" } } }));
        Assert.Empty((await bench.IoT.ListThingsAsync(new ListThingsRequest())).Things ?? []);

        time.SetWall(TimeSpan.FromMinutes(20));
        using var late = Client(bench, KeyId, Secret);
        await Assert.ThrowsAnyAsync<AmazonIoTException>(() => late.ListThingsAsync(new ListThingsRequest()));
    }

    private static Task<PlaneBench> StartAsync(TimeProvider? time = null) => PlaneBench.StartAsync(time, o =>
    {
        o.ControlPlaneEndpoint = new IPEndPoint(IPAddress.Loopback, 0);
        o.ControlPlaneCredentials[KeyId] = Secret;
    });

    private static AmazonIoTClient Client(PlaneBench bench, string key, string secret, Func<string, string>? change = null) => new(new BasicAWSCredentials(key, secret), new AmazonIoTConfig
    {
        ServiceURL = $"https://localhost:{bench.Plane.ControlPlaneEndpoint!.Port}",
        AuthenticationRegion = "local-1",
        MaxErrorRetry = 0,
        HttpClientFactory = new PinnedFactory(bench, change),
    });

    private static async Task<JsonElement> AwsAsync(PlaneBench bench, string secret, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(bench, secret, arguments);
        Assert.True(code == 0, error);
        return output.Length == 0 ? default : JsonElement.Parse(output);
    }

    private static async Task<string> AwsErrorAsync(PlaneBench bench, string secret, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(bench, secret, arguments);
        Assert.NotEqual(0, code);
        return error;
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(PlaneBench bench, string secret, string[] arguments)
    {
        var bundle = Path.Combine(bench.Directory, "server.pem");
        await File.WriteAllTextAsync(bundle, bench.ServerCertificate.ExportCertificatePem());
        var start = new ProcessStartInfo("aws")
        {
            ArgumentList = { "iot", "--endpoint-url", $"https://localhost:{bench.Plane.ControlPlaneEndpoint!.Port}", "--region", "local-1", "--ca-bundle", bundle, "--output", "json" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["AWS_ACCESS_KEY_ID"] = KeyId, ["AWS_SECRET_ACCESS_KEY"] = secret, ["AWS_EC2_METADATA_DISABLED"] = "true", ["AWS_MAX_ATTEMPTS"] = "1", ["NO_PROXY"] = "*", ["AWS_PAGER"] = "" },
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(timeout.Token);
        return (process.ExitCode, (await output).Trim(), await error);
    }

    private sealed class PinnedFactory(PlaneBench bench, Func<string, string>? change) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig)
        {
            var handler = new SocketsHttpHandler { UseProxy = false };
            handler.SslOptions.RemoteCertificateValidationCallback = (_, c, _, _) => c!.GetCertHashString() == bench.ServerCertificate.GetCertHashString();
            return new HttpClient(change is null ? handler : new Changing(change) { InnerHandler = handler });
        }

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;
    }

    private sealed class Changing(Func<string, string> change) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content is { } content)
            {
                var type = content.Headers.ContentType;
                request.Content = new StringContent(change(await content.ReadAsStringAsync(cancellationToken)));
                request.Content.Headers.ContentType = type;
            }

            return await base.SendAsync(request, cancellationToken);
        }
    }
}
