using Amazon.IoT.Model;
using Xunit.Sdk;

namespace OtaOrchestrator.Aws.Tests.IoT;

public sealed class ModelCheckTests
{
    [Fact]
    public void Check_against_the_model_finds_what_AWS_would_refuse()
    {
        Assert.Contains("TermsAggregation.MaxBuckets: 10001 is out of bounds", Problems(new GetBucketsAggregationRequest
        {
            QueryString = "*", AggregationField = "thingName", BucketsAggregationType = new() { TermsAggregation = new() { MaxBuckets = 10_001 } },
        }), StringComparison.Ordinal);
        Assert.Contains("Targets is required", Problems(new CreateJobRequest { JobId = "j" }), StringComparison.Ordinal);
        Assert.Contains("ReasonCode: not upper does not match", Problems(new CancelJobRequest { JobId = "j", ReasonCode = "not upper" }), StringComparison.Ordinal);
        Assert.Contains("Status: NEVER is none", Problems(new ListJobsRequest { Status = "NEVER" }), StringComparison.Ordinal);
        Assert.Contains("AbortConfig.CriteriaList[0].ThresholdPercentage: 101 is out of bounds", Problems(new CreateJobRequest
        {
            JobId = "j", Targets = ["t"],
            AbortConfig = new() { CriteriaList = [new() { FailureType = "ALL", Action = "CANCEL", ThresholdPercentage = 101, MinNumberOfExecutedThings = 1 }] },
        }), StringComparison.Ordinal);
        IotModel.Instance.Check(new CancelJobRequest { JobId = "j", ReasonCode = "ROLLED_BACK" });
    }

    private static string Problems(object request) => Assert.ThrowsAny<XunitException>(() => IotModel.Instance.Check(request)).Message;
}
