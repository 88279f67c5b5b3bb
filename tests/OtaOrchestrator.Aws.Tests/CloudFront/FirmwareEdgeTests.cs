using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.CloudFront;
using Microsoft.Extensions.Time.Testing;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Aws.Tests.IoT;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.CloudFront;

/// <summary>Firmware that CloudFront hands out: links as AWS's own library signs them, and edges that forget.</summary>
public sealed class FirmwareEdgeTests(SharedDoubles shared) : IClassFixture<SharedDoubles>, IDisposable
{
    private const string Domain = "fw.example.com";
    private const string KeyPair = "K2JCJMDEHXQW5F";
    private static readonly string Image = new('a', 64);
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private readonly RSA _key = RSA.Create(2048);
    private readonly AmazonCloudFrontClient _client = new(AwsDoubles.Operator, shared.Aws.Config<AmazonCloudFrontConfig>(retries: 4));

    public void Dispose()
    {
        _client.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task A_link_is_what_botocore_signs_with_the_same_key()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, _key.ExportPkcs8PrivateKeyPem(), _cancellation);
            foreach (var until in new[] { DateTimeOffset.UnixEpoch.AddSeconds(1_800_000_000), DateTimeOffset.UnixEpoch.AddSeconds(1_800_000_001), DateTimeOffset.UnixEpoch.AddSeconds(1_893_456_000) })
            {
                const string Program = """
                    import datetime, subprocess, sys
                    from botocore.signers import CloudFrontSigner
                    key, key_id, address, until = sys.argv[1:]
                    sign = lambda message: subprocess.run(["openssl", "dgst", "-sha1", "-sign", key], input=message, stdout=subprocess.PIPE, check=True).stdout
                    print(CloudFrontSigner(key_id, sign).generate_presigned_url(address, date_less_than=datetime.datetime.fromtimestamp(int(until), datetime.timezone.utc)))
                    """;
                using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-W", "ignore", "-c", Program, file, KeyPair, $"https://{Domain}/{Image}", $"{until.ToUnixTimeSeconds()}"]) { RedirectStandardOutput = true })!;
                var expected = (await python.StandardOutput.ReadToEndAsync(_cancellation)).Trim();
                await python.WaitForExitAsync(_cancellation);
                Assert.NotEmpty(expected);
                Assert.Equal(expected, Links().Of(Image, until));
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Devices_get_a_signed_link_that_no_order_holds_and_a_later_call_makes_no_second_job()
    {
        await using var fleet = await FleetFixture.StartAsync();
        var target = new IotFleet(fleet.Iot, fleet.Settings, fleet.Clock, edge: new FirmwareEdge(_client, "none", Links(), fleet.Clock));
        var thing = await fleet.EnrolAsync(inFirstWave: true);
        var order = Linked(FleetFixture.Order(0));
        await target.ExposeAsync(order, _cancellation);
        fleet.Clock.Advance(TimeSpan.FromHours(2));
        await target.ExposeAsync(order, _cancellation);

        var job = (await thing.StartNextAsync())!;
        var address = new Uri((string)job["jobDocument"]!["afr_ota"]!["files"]![0]!["update_data_url"]!);
        Assert.Equal($"https://{Domain}/{Image}", address.GetLeftPart(UriPartial.Path));
        var parts = address.Query[1..].Split('&').ToDictionary(part => part.Split('=', 2)[0], part => part.Split('=', 2)[1]);
        Assert.Equal((fleet.Clock.Start + FirmwareEdge.LinkLife).ToUnixTimeSeconds(), long.Parse(parts["Expires"], System.Globalization.CultureInfo.InvariantCulture));
        var policy = $$$$"""{"Statement":[{"Resource":"{{{{address.GetLeftPart(UriPartial.Path)}}}}","Condition":{"DateLessThan":{"AWS:EpochTime":{{{{parts["Expires"]}}}} }}}]}""".Replace(" ", "", StringComparison.Ordinal);
        var signature = Convert.FromBase64String(parts["Signature"].Replace('-', '+').Replace('_', '=').Replace('~', '/'));
#pragma warning disable CA5350 // As CloudFront checks it.
        Assert.True(_key.VerifyData(Encoding.UTF8.GetBytes(policy), signature, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1));
#pragma warning restore CA5350
        Assert.Equal(KeyPair, parts["Key-Pair-Id"]);

        // Another image under the job's name is another document all the same.
        var other = order with { Candidate = order.Candidate with { Document = order.Candidate.Document!.Replace(Image, new string('b', 64), StringComparison.Ordinal) } };
        await Assert.ThrowsAsync<TargetException>(() => target.ExposeAsync(other, _cancellation));
        await target.RestoreAsync(Linked(FleetFixture.Order(0, revision: 2)), _cancellation);
    }

    [Fact]
    public async Task A_document_that_is_too_long_with_its_link_is_refused_before_anybody_gets_it()
    {
        await using var fleet = await FleetFixture.StartAsync();
        var target = new IotFleet(fleet.Iot, fleet.Settings, fleet.Clock, edge: new FirmwareEdge(_client, "none", Links(), fleet.Clock));
        var order = Linked(FleetFixture.Order(-1));
        var filled = order.Candidate.Document!.Insert(1, $"\"more\":\"{new string('x', IotFleet.DocumentCharsMax - order.Candidate.Document!.Length - 20)}\",");
        Assert.True(filled.Length <= IotFleet.DocumentCharsMax);
        Assert.Contains("at most 32768", (await target.PrepareAsync(order with { Candidate = order.Candidate with { Document = filled } }, _cancellation)).Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none", "CreateInvalidation")]
    [InlineData("lose", "CreateInvalidation")]
    [InlineData("throttle", "GetInvalidation")]
    [InlineData("error", "CreateInvalidation")]
    public async Task Edges_forget_an_image_once_whatever_becomes_of_the_answers(string kind, string operation)
    {
        await using var lane = await EdgeFixture.StartAsync(shared.Aws, shared.NextName());
        if (kind != "none")
        {
            await shared.Aws.FaultAsync(new AwsFault(kind, "cloudfront", operation));
        }

        var edge = new FirmwareEdge(_client, lane.Distribution, Links(), new FakeTimeProvider());
        int asked = 0;
        while (await edge.RefreshAsync(Image, _cancellation) is { } waiting)
        {
            Assert.Contains(lane.Distribution, waiting, StringComparison.Ordinal);
            Assert.True(++asked < 10);
        }

        Assert.True(asked > 0, "the double says at once that all edges forgot");
        var made = JsonNode.Parse(await shared.Aws.SnapshotAsync("cloudfront"))!["cloudfront"]!["invalidations"]!.AsObject().Where(one => (string)one.Value!["distribution"]! == lane.Distribution).ToList();
        Assert.Equal($"/{Image}", (string)Assert.Single(made).Value!["batch"]!["Paths"]!["Items"]![0]!);
    }

    [Fact]
    public async Task A_device_fetches_by_its_link_once_the_edges_forgot_that_there_was_nothing()
    {
        var bucket = shared.NextName();
        await shared.Aws.ActAsync("s3", "CreateBucket", new { Bucket = bucket });
        await shared.Aws.ActAsync("cloudfront", "CreatePublicKey", new { PublicKeyConfig = new { CallerReference = bucket, Name = bucket, EncodedKey = _key.ExportSubjectPublicKeyInfoPem() } });
        var key = await OwnAsync("keys");
        await shared.Aws.ActAsync("cloudfront", "CreateKeyGroup", new { KeyGroupConfig = new { Name = bucket, Items = new[] { key } } });
        await shared.Aws.ActAsync("cloudfront", "CreateDistribution", new
        {
            DistributionConfig = new
            {
                CallerReference = bucket, Comment = "", Enabled = true,
                Origins = new { Quantity = 1, Items = new[] { new { Id = "fw", DomainName = $"{bucket}.s3.eu-central-1.amazonaws.com", OriginPath = "", S3OriginConfig = new { OriginAccessIdentity = "" } } } },
                DefaultCacheBehavior = new
                {
                    TargetOriginId = "fw", ViewerProtocolPolicy = "https-only", CachePolicyId = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
                    TrustedKeyGroups = new { Enabled = true, Quantity = 1, Items = new[] { await OwnAsync("groups") } },
                },
            },
        });
        var distribution = await OwnAsync("distributions");
        var edge = new FirmwareEdge(_client, distribution, new SignedLinks(Domain, key, () => _key), TimeProvider.System);
        var link = new Uri((string)JsonNode.Parse(edge.Linked(Document("update")))!["afr_ota"]!["files"]![0]!["update_data_url"]!);
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, await FetchAsync(link));
        await shared.Aws.ActAsync("s3", "PutObject", new { Bucket = bucket, Key = Image, Body = "aW1hZ2U=" });
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, await FetchAsync(link));
        while (await edge.RefreshAsync(Image, _cancellation) is not null)
        {
        }

        Assert.Equal(System.Net.HttpStatusCode.OK, await FetchAsync(link));
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, await FetchAsync(new Uri(link.ToString().Replace(Image, new string('b', 64), StringComparison.Ordinal))));
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, await FetchAsync(new Uri(link.GetLeftPart(UriPartial.Path))));

        async Task<string> OwnAsync(string what) => JsonNode.Parse(await shared.Aws.SnapshotAsync("cloudfront"))!["cloudfront"]![what]!.AsObject()
            .Single(one => one.Value!.ToJsonString().Contains($"\"{bucket}\"", StringComparison.Ordinal)).Key;

        async Task<System.Net.HttpStatusCode> FetchAsync(Uri address)
        {
            using var http = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(shared.Aws.Url, $"/_edge/{distribution}{address.PathAndQuery}")) { Headers = { Host = address.Host } };
            using var reply = await http.SendAsync(request, _cancellation);
            Assert.Equal(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync(_cancellation) == "image");
            return reply.StatusCode;
        }
    }

    [Fact]
    public async Task A_distribution_that_is_not_there_or_not_ours_is_a_refusal()
    {
        var nowhere = new FirmwareEdge(_client, "E000000000000", Links(), new FakeTimeProvider());
        await Assert.ThrowsAsync<TargetException>(() => nowhere.RefreshAsync(Image, _cancellation));
        await using var lane = await EdgeFixture.StartAsync(shared.Aws, shared.NextName());
        await shared.Aws.FaultAsync(new AwsFault("deny", "cloudfront", "CreateInvalidation"));
        await Assert.ThrowsAsync<TargetException>(() => new FirmwareEdge(_client, lane.Distribution, Links(), new FakeTimeProvider()).RefreshAsync(Image, _cancellation));
    }

    private SignedLinks Links() => new(Domain, KeyPair, () => _key);

    private static TargetOrder Linked(TargetOrder order) => order with
    {
        Candidate = order.Candidate with { Document = Document("update") },
        Fallback = order.Fallback with { Document = Document("return") },
    };

    private static string Document(string operation) =>
        $$$"""{"afr_ota":{"files":[{"update_data_url":"${aws:iot:s3-presigned-url:https://s3.eu-central-1.amazonaws.com/firmware/{{{Image}}}}"}]},"ota":{"operation":"{{{operation}}}"}}""";
}
