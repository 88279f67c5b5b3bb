using System.Net;
using Amazon.Runtime;

namespace OtaOrchestrator.Aws.Clients;

/// <summary>What a call to AWS failed by, for who does not know the SDK.</summary>
public static class AwsFailures
{
    /// <summary>A permission is missing.</summary>
    public static bool IsDenial(Exception error) => error is AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized }
        // Services that speak AWS JSON say it with the status of a bad request.
        or AmazonServiceException { ErrorCode: "AccessDenied" or "AccessDeniedException" };

    /// <summary>It was not answered, or was refused for a reason that may pass.</summary>
    public static bool IsOutage(Exception error) => error is AmazonServiceException or AmazonClientException or HttpRequestException && !IsDenial(error);
}
