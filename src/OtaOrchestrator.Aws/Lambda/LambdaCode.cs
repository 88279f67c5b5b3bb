using System.Collections.Specialized;
using System.Web;
using Amazon.Lambda.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Lambda;

/// <summary>
/// What a release is for Lambda, its artifact <c>lambda</c>: code in S3 (<c>s3://bucket/key?sha256=HEX&amp;versionId=V</c>), a container image
/// (<c>docker://registry/repository@sha256:HEX</c>), or a version that is published already (<c>arn:aws:lambda:…:function:NAME:VERSION</c>).
/// </summary>
/// <param name="Sha256">Base64, as Lambda writes it; null for an image, which is named by its digest.</param>
/// <param name="Published">The number of a version; null where it is to be published.</param>
internal sealed record LambdaCode(string? Bucket, string? Key, string? ObjectVersion, string? Image, string? Sha256, string? Published)
{
    public const string Artifact = "lambda";
    private const int HexDigits = 64;

    /// <exception cref="TargetException">The release has no such artifact, or one that says nothing to Lambda.</exception>
    public static LambdaCode Of(TargetRelease release)
    {
        if (!release.Artifacts.TryGetValue(Artifact, out var text))
        {
            throw new TargetException($"{release} has no artifact for Lambda: publish it with --artifact {Artifact}=URI");
        }

        if (text.StartsWith("arn:", StringComparison.Ordinal))
        {
            return text.Split(':') is [_, _, "lambda", _, _, "function", _, var version] && version.All(char.IsAsciiDigit) && version.Length > 0
                ? new LambdaCode(null, null, null, null, null, version)
                : throw new TargetException($"{text} is not the ARN of a function's version");
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
        {
            throw new TargetException($"{text} is not a URI");
        }

        return uri.Scheme switch
        {
            "s3" => InBucket(uri, text, HttpUtility.ParseQueryString(uri.Query)),
            "docker" when text.Contains("@sha256:", StringComparison.Ordinal) => new LambdaCode(null, null, null, text["docker://".Length..], null, null),
            "docker" => throw new TargetException($"{text} has no digest: a tag may name another image tomorrow"),
            _ => throw new TargetException($"{text} is neither s3://, docker:// nor the ARN of a version"),
        };
    }

    public UpdateFunctionCodeRequest Request(string function, string revisionId) => new()
    {
        FunctionName = function, RevisionId = revisionId, Publish = false, S3Bucket = Bucket, S3Key = Key, S3ObjectVersion = ObjectVersion, ImageUri = Image,
    };

    private static LambdaCode InBucket(Uri uri, string text, NameValueCollection query)
    {
        var key = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        var hex = query["sha256"] ?? "";
        return key.Length == 0 || hex.Length != HexDigits || !hex.All(char.IsAsciiHexDigit)
            ? throw new TargetException($"{text} is not s3://bucket/key?sha256=HEX")
            : new LambdaCode(uri.Host, key, query["versionId"], null, Convert.ToBase64String(Convert.FromHexString(hex)), null);
    }
}
