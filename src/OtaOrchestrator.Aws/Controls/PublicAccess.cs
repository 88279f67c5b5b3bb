using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3Control;
using Amazon.S3Control.Model;

namespace OtaOrchestrator.Aws.Controls;

/// <param name="Open">Settings of the block that are off, by AWS's names; all four where there is no block.</param>
public sealed record PublicAccessReading(DateTimeOffset ReadAt, IReadOnlyList<string> Open);

/// <summary>What keeps S3 from being public: for a whole account, and for one bucket.</summary>
public sealed class PublicAccess(IAmazonS3Control control, IAmazonS3 s3, TimeProvider time)
{
    /// <param name="account">Its number.</param>
    public Task<PublicAccessReading> OfAccountAsync(string account, CancellationToken cancellation) => ReadAsync(async () =>
    {
        var block = (await control.GetPublicAccessBlockAsync(new GetPublicAccessBlockRequest { AccountId = account }, cancellation)).PublicAccessBlockConfiguration;
        return (block?.BlockPublicAcls, block?.IgnorePublicAcls, block?.BlockPublicPolicy, block?.RestrictPublicBuckets);
    });

    /// <exception cref="AmazonS3Exception">There is no such bucket.</exception>
    public Task<PublicAccessReading> OfBucketAsync(string bucket, CancellationToken cancellation) => ReadAsync(async () =>
    {
        var block = (await s3.GetPublicAccessBlockAsync(new Amazon.S3.Model.GetPublicAccessBlockRequest { BucketName = bucket }, cancellation)).PublicAccessBlockConfiguration;
        return (block?.BlockPublicAcls, block?.IgnorePublicAcls, block?.BlockPublicPolicy, block?.RestrictPublicBuckets);
    });

    private async Task<PublicAccessReading> ReadAsync(Func<Task<(bool? Acls, bool? Ignore, bool? Policy, bool? Restrict)>> read)
    {
        var readAt = time.GetUtcNow();
        (bool? Acls, bool? Ignore, bool? Policy, bool? Restrict) block = default;
        try
        {
            block = await read();
        }
        catch (AmazonServiceException none) when (none.ErrorCode == "NoSuchPublicAccessBlockConfiguration" && none.StatusCode == HttpStatusCode.NotFound)
        {
            // Nothing is blocked.
        }

        (string Name, bool? On)[] settings = [("BlockPublicAcls", block.Acls), ("IgnorePublicAcls", block.Ignore), ("BlockPublicPolicy", block.Policy), ("RestrictPublicBuckets", block.Restrict)];
        return new PublicAccessReading(readAt, [.. settings.Where(setting => setting.On != true).Select(setting => setting.Name)]);
    }
}
