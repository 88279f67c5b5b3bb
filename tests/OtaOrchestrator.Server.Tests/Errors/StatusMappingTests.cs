using System.Net;
using Amazon.IoT;
using Amazon.Runtime;
using Google.Rpc;
using Microsoft.Extensions.Logging.Abstractions;
using OtaOrchestrator.Server.Errors;

namespace OtaOrchestrator.Server.Tests.Errors;

/// <summary>What a caller is told when something outside fails that was asked for him.</summary>
public sealed class StatusMappingTests
{
    private readonly StatusMapping _mapping = new(NullLogger<StatusMapping>.Instance);

    [Fact]
    public void A_permission_that_is_missing_is_named()
    {
        var status = _mapping.StatusOf(new AmazonIoTException("not authorized to perform iot:SearchIndex", ErrorType.Sender, "AccessDeniedException", "1", HttpStatusCode.Forbidden), "ListDevices");
        Assert.Equal((int)Code.FailedPrecondition, status.Code);
        Assert.Contains("iot:SearchIndex", status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_service_that_does_not_answer_is_unavailable_and_may_be_asked_again()
    {
        foreach (var error in new Exception[]
        {
            new AmazonIoTException("Rate exceeded", ErrorType.Sender, "ThrottlingException", "1", HttpStatusCode.TooManyRequests), new AmazonClientException("no credentials"), new HttpRequestException("connection refused"),
        })
        {
            var status = _mapping.StatusOf(error, "ListDevices");
            Assert.Equal((int)Code.Unavailable, status.Code);
            Assert.Equal(503, StatusMapping.HttpOf(status));
            Assert.Contains(error.Message, status.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_failure_of_its_own_says_nothing_of_itself()
    {
        var status = _mapping.StatusOf(new InvalidOperationException("C:/secret"), "ListDevices");
        Assert.Equal((int)Code.Internal, status.Code);
        Assert.DoesNotContain("secret", status.Message, StringComparison.Ordinal);
    }
}
