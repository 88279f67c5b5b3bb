using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Time.Testing;
using OtaOrchestrator.Aws.S3;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.S3;

/// <summary>Images on their way to a bucket, with the official client of S3.</summary>
public sealed class FirmwareBucketTests : IAsyncLifetime
{
    private const string Bucket = "firmware";
    private const int Large = 9 * 1024 * 1024;
    private readonly DirectoryInfo _store = Directory.CreateTempSubdirectory("ota-images-");
    private readonly FakeTimeProvider _time = new();
    private AwsDoubles _aws = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsDoubles.StartAsync();
        await _aws.ActAsync("s3", "CreateBucket", new { Bucket });
    }

    public async ValueTask DisposeAsync()
    {
        await _aws.DisposeAsync();
        _store.Delete(recursive: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8 * 1024 * 1024)]
    [InlineData((8 * 1024 * 1024) + 1)]
    [InlineData(Large)]
    public async Task An_image_comes_there_whole_and_once(int size)
    {
        var sha256 = await ImageAsync(size);
        var bucket = Open();
        Assert.Null(await bucket.PutAsync(sha256, default));
        Assert.Equal([sha256], await ContentAsync(sha256));
        int calls = (await _aws.CallsAsync()).Count;
        Assert.Null(await bucket.PutAsync(sha256, default));
        Assert.Equal(["HeadObject"], (await _aws.CallsAsync()).Skip(calls).Select(call => call.Operation));
        await CleanAsync();
    }

    [Fact]
    public async Task Something_else_under_its_name_is_refused_and_left_alone()
    {
        var (small, large) = (await ImageAsync(1000), await ImageAsync(Large));
        foreach (var key in new[] { small, large })
        {
            using var s3 = Client();
            await s3.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = key, ContentBody = "other" });
            var refused = await Assert.ThrowsAsync<TargetException>(() => Open().PutAsync(key, default));
            Assert.Contains("is something else", refused.Message, StringComparison.Ordinal);
            Assert.NotEqual([key], await ContentAsync(key));
        }
    }

    [Theory]
    [InlineData("deny", "AccessDenied")]
    public async Task What_S3_refuses_is_said_by_its_own_words(string kind, string said)
    {
        var sha256 = await ImageAsync(1000);
        await _aws.FaultAsync(new AwsFault(kind, "s3", "PutObject"));
        Assert.Contains(said, (await Assert.ThrowsAsync<TargetException>(() => Open().PutAsync(sha256, default))).Message, StringComparison.Ordinal);
        Assert.Contains("nowhere", (await Assert.ThrowsAsync<TargetException>(() => new FirmwareBucket(Client(), "nowhere", FileOf, _time).PutAsync(sha256, default))).Message, StringComparison.Ordinal);
        Assert.Contains("not in the store", (await Assert.ThrowsAsync<TargetException>(() => Open().PutAsync(new string('0', 64), default))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PutObject", 1000)]
    [InlineData("HeadObject", 1000)]
    [InlineData("CreateMultipartUpload", Large)]
    [InlineData("ListMultipartUploads", Large)]
    [InlineData("ListParts", Large)]
    [InlineData("UploadPart", Large)]
    [InlineData("CompleteMultipartUpload", Large)]
    public async Task A_lost_answer_or_an_outage_costs_a_repetition_and_nothing_else(string operation, int size)
    {
        foreach (var kind in new[] { "lose", "error", "throttle" })
        {
            var sha256 = await ImageAsync(size);
            var bucket = Open();
            await _aws.FaultAsync(new AwsFault(kind, "s3", operation));
            await Assert.ThrowsAnyAsync<Exception>(async () => Assert.NotNull(await bucket.PutAsync(sha256, default)));
            Assert.Null(await bucket.PutAsync(sha256, default));
            Assert.Equal([sha256], await ContentAsync(sha256));
        }

        await CleanAsync();
    }

    [Fact]
    public async Task A_large_image_tells_how_far_it_is_and_goes_on_with_what_is_missing()
    {
        var sha256 = await ImageAsync(20 * 1024 * 1024);
        await _aws.FaultAsync(new AwsFault("hold", "s3", "UploadPart", When: "after"));
        var put = Open().PutAsync(sha256, default);
        while ((await _aws.HeldAsync()).Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        await _aws.ReleaseAsync();
        Assert.Equal($"8 of 20 MiB of {sha256[..12]} are in s3://firmware", await put);
        Assert.Null(await Open().PutAsync(sha256, default));
        Assert.Equal(3, (await _aws.CallsAsync()).Count(call => call.Operation == "UploadPart"));
        Assert.Equal([sha256], await ContentAsync(sha256));
        await CleanAsync();
    }

    [Fact]
    public Task Whatever_call_it_dies_at_another_goes_on() => DyingAsync(1000);

    [Fact]
    [Trait("Gate", "Full")]
    public Task Whatever_call_it_dies_at_another_goes_on_with_the_parts_that_are_missing_and_nothing_is_left_half() => DyingAsync(Large);

    private async Task DyingAsync(int size)
    {
        var counting = new Crashing();
        Assert.Null(await Open(counting).PutAsync(await ImageAsync(size), default));
        for (int at = 1; at <= counting.Calls; at++)
        {
            foreach (var after in (bool[])[false, true])
            {
                var sha256 = await ImageAsync(size);
                var crashing = new Crashing { At = at, AfterActing = after };
                var bucket = Open(crashing);
                await Crashing.ResumedAsync(() => bucket = Open(crashing), async () => Assert.Null(await bucket.PutAsync(sha256, default)));
                Assert.True(crashing.Calls >= at);
                Assert.Equal([sha256], await ContentAsync(sha256));
            }
        }

        await CleanAsync();
    }

    private FirmwareBucket Open(Crashing? crashing = null) => new(Client(crashing), Bucket, FileOf, _time);

    private AmazonS3Client Client(Crashing? crashing = null) => new(AwsDoubles.Operator, crashing is null ? _aws.Config<AmazonS3Config>() : Crashing.ConfigOf<AmazonS3Config>(_aws, crashing));

    private string FileOf(string sha256) => Path.Combine(_store.FullName, sha256);

    private async Task<string> ImageAsync(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        await File.WriteAllBytesAsync(FileOf(sha256), bytes);
        return sha256;
    }

    /// <summary>The digests of what lies under the key: every version of it.</summary>
    private async Task<IReadOnlyList<string>> ContentAsync(string key) =>
        [.. JsonNode.Parse(await _aws.SnapshotAsync("s3"))!["s3"]![Bucket]![key]!.AsArray().Select(digest => (string)digest!)];

    /// <summary>No bytes lie about that nobody pays attention to, and S3 had nothing to complain about.</summary>
    private async Task CleanAsync()
    {
        using var s3 = Client();
        Assert.Empty((await s3.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = Bucket })).MultipartUploads ?? []);
        Assert.Empty(await _aws.ViolationsAsync());
        Assert.Empty(await _aws.BugsAsync());
    }
}
