using System.Net;
using Amazon;
using Amazon.S3;
using Amazon.S3.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.S3;

/// <summary>
/// The bucket from which devices fetch firmware: each image lies there once, named by its SHA-256. S3 checks what arrives against checksums that were taken here, and what lies
/// there is compared by them. A large image comes in parts; whatever was interrupted goes on with the parts that are missing.
/// </summary>
/// <param name="fileOf">Where the image with a digest lies here.</param>
public sealed class FirmwareBucket(IAmazonS3 s3, string bucket, Func<string, string> fileOf, TimeProvider time)
{
    /// <summary>So long one call brings parts before it says how far it is.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(4);
    private readonly ImagePartsCache _parts = new(fileOf);

    /// <summary>The address of an image as AWS IoT's placeholder for links takes it.</summary>
    public static string Address(string region, string bucket) => $"https://s3.{region}.{RegionEndpoint.GetBySystemName(region).PartitionDnsSuffix}/{bucket}";

    /// <summary>Brings the image there. Repeating goes on where it stopped, and does nothing once it is there.</summary>
    /// <returns>Null when the whole image is there; otherwise how far it is, for people.</returns>
    /// <exception cref="TargetException">S3 refuses, or something else lies there.</exception>
    public async Task<string?> PutAsync(string sha256, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        try
        {
            var parts = await _parts.OfAsync(sha256, cancellation);
            if (await HasAsync(sha256, parts, cancellation))
            {
                return null;
            }

            if (parts.IsOne)
            {
                await PutWhole(sha256, parts, cancellation);
            }
            else if (await PutParts(sha256, parts, began, cancellation) is { } progress)
            {
                return progress;
            }

            return await HasAsync(sha256, parts, cancellation) ? null : throw new IOException($"s3://{bucket}/{sha256} is not there yet");
        }
        catch (AmazonS3Exception refusal) when (refusal.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.MovedPermanently or HttpStatusCode.BadRequest)
        {
            throw new TargetException($"the bucket {bucket} does not take firmware: {refusal.ErrorCode} {refusal.Message}", refusal);
        }
        catch (FileNotFoundException gone)
        {
            throw new TargetException($"the image {sha256} is not in the store", gone);
        }
    }

    private async Task<bool> HasAsync(string key, ImageParts parts, CancellationToken cancellation)
    {
        GetObjectMetadataResponse there;
        try
        {
            there = await s3.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = bucket, Key = key, ChecksumMode = ChecksumMode.ENABLED }, cancellation);
        }
        catch (AmazonS3Exception missing) when (missing.StatusCode == HttpStatusCode.NotFound && missing.ErrorCode is not "NoSuchBucket")
        {
            return false;
        }

        return there.ContentLength == parts.Size && there.ChecksumSHA256 == parts.Checksum ? true
            : throw new TargetException($"s3://{bucket}/{key} is something else: {there.ContentLength} bytes with the checksum {there.ChecksumSHA256 ?? "of another kind"}");
    }

    private async Task PutWhole(string key, ImageParts parts, CancellationToken cancellation)
    {
        using var body = await parts.ReadAsync(0, cancellation);
        try
        {
            await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, InputStream = body, ChecksumSHA256 = parts.Sum(0), IfNoneMatch = "*" }, cancellation);
        }
        catch (AmazonS3Exception there) when (there.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            // By an earlier call whose answer was lost, or by somebody else: what it is, is read next.
        }
    }

    private async Task<string?> PutParts(string key, ImageParts parts, long began, CancellationToken cancellation)
    {
        var upload = await UploadAsync(key, cancellation)
            ?? (await s3.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = bucket, Key = key, ChecksumAlgorithm = ChecksumAlgorithm.SHA256 }, cancellation)).UploadId;
        var there = await PartsAsync(key, upload, parts, cancellation);
        for (int part = 0; part < parts.Sums.Count; part++)
        {
            if (there.ContainsKey(part))
            {
                continue;
            }

            if (time.GetElapsedTime(began) > Slice)
            {
                return $"{there.Count * (long)ImageParts.PartBytes / 1_048_576} of {parts.Size / 1_048_576} MiB of {key[..12]} are in s3://{bucket}";
            }

            using var body = await parts.ReadAsync(part, cancellation);
            var request = new UploadPartRequest { BucketName = bucket, Key = key, UploadId = upload, PartNumber = part + 1, PartSize = body.Length, InputStream = body, ChecksumSHA256 = parts.Sum(part) };
            there[part] = new PartETag(part + 1, (await s3.UploadPartAsync(request, cancellation)).ETag) { ChecksumSHA256 = parts.Sum(part) };
        }

        await s3.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = upload, PartETags = [.. there.OrderBy(part => part.Key).Select(part => part.Value)], IfNoneMatch = "*" }, cancellation);
        // One whose beginning was never answered is found by the next preparation instead; two, only if two began at once.
        while (await UploadAsync(key, cancellation) is { } other)
        {
            await s3.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = other }, cancellation);
        }

        return null;
    }

    /// <summary>An upload of the image that was begun and not ended.</summary>
    private async Task<string?> UploadAsync(string key, CancellationToken cancellation)
    {
        var page = await s3.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = bucket, Prefix = key }, cancellation);
        return (page.MultipartUploads ?? []).Find(upload => upload.Key == key)?.UploadId;
    }

    /// <summary>The parts that are there and are the image's.</summary>
    private async Task<Dictionary<int, PartETag>> PartsAsync(string key, string upload, ImageParts parts, CancellationToken cancellation)
    {
        var there = new Dictionary<int, PartETag>();
        string? after = null;
        do
        {
            var page = await s3.ListPartsAsync(new ListPartsRequest { BucketName = bucket, Key = key, UploadId = upload, PartNumberMarker = after }, cancellation);
            foreach (var part in page.Parts ?? [])
            {
                if (part.PartNumber is int number && number <= parts.Sums.Count && part.ChecksumSHA256 == parts.Sum(number - 1))
                {
                    there[number - 1] = new PartETag(number, part.ETag) { ChecksumSHA256 = part.ChecksumSHA256 };
                }
            }

            after = page.IsTruncated == true ? page.NextPartNumberMarker?.ToString(System.Globalization.CultureInfo.InvariantCulture) : null;
        }
        while (after is not null);
        return there;
    }
}
