using System.Text;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;

namespace OtaOrchestrator.Server.Tests.Api;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("{}", "")]
    [InlineData("", "")]
    [InlineData("{\"plan\":{\"name\":\"a\",\"lanes\":[{\"target\":\"x\",\"steps\":[{\"share\":0.5,\"bakeMin\":\"1s\"}]}]},\"requestId\":\"1\"}", "")]
    [InlineData("{\"request_id\":\"1\"}", "")]
    [InlineData("{\"plan\":{\"lanes\":[{},{\"stepz\":[]}]}}", "plan.lanes[1].stepz")]
    [InlineData("{\"plan\":{\"judge\":{\"falseAbortMaximum\":1}},\"colour\":1}", "plan.judge.falseAbortMaximum|colour")]
    [InlineData("{\"requestId\":\"1\",\"request_id\":\"2\"}", "request_id")]
    [InlineData("{", "not JSON")]
    [InlineData("nonsense", "not JSON")]
    public void Unknown_and_repeated_fields_are_named(string json, string expected)
    {
        var refusal = StrictJson.Refusal(Encoding.UTF8.GetBytes(json), CreateRolloutRequest.Descriptor)?.ToJsonString();
        if (expected.Length == 0)
        {
            Assert.Null(refusal);
            return;
        }
        Assert.NotNull(refusal);
        Assert.All(expected.Split('|'), part => Assert.Contains(part, refusal, StringComparison.Ordinal));
    }

    [Fact]
    public void A_body_nested_without_end_is_refused() =>
        Assert.NotNull(StrictJson.Refusal(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"plan\":", 10_000))), CreateRolloutRequest.Descriptor));

    [Fact]
    public void A_body_that_is_too_long_is_refused() => Assert.Contains("1 MiB", StrictJson.Refusal(null, CreateRolloutRequest.Descriptor)!.ToJsonString(), StringComparison.Ordinal);
}
