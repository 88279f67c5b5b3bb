using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Plans;

public sealed class MetricQueryTests
{
    [Fact]
    public void A_metric_is_read_as_it_is_written()
    {
        var query = MetricQuery.Parse("p99.9(AWS/ApplicationELB:TargetResponseTime{LoadBalancer=app/live/1,TargetGroup=targetgroup/a/2})")!;
        Assert.Equal(("p99.9", "AWS/ApplicationELB", "TargetResponseTime"), (query.Statistic, query.Namespace, query.Metric));
        Assert.Equal([("LoadBalancer", "app/live/1"), ("TargetGroup", "targetgroup/a/2")], query.Dimensions);
        Assert.Empty(MetricQuery.Parse("Sum(App:Errors)")!.Dimensions);
        Assert.Equal("api:live", MetricQuery.Parse("Sum(AWS/Lambda:Errors{Resource=api:live})")!.Dimensions[0].Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Errors")]
    [InlineData("Sum()")]
    [InlineData("Sum(App)")]
    [InlineData("Sum(App:)")]
    [InlineData("Mean(App:Errors)")]
    [InlineData("Sum(App:Errors{})")]
    [InlineData("Sum(App:Errors{Stage})")]
    [InlineData("Sum(App:Errors{Stage=})")]
    [InlineData("Sum(App:Errors{Stage=a,})")]
    [InlineData("Sum(App:Errors{Stage=a,Stage=b})")]
    [InlineData("Sum(App:Errors{Stage=a}")]
    [InlineData("Sum(App:Errors)) or true")]
    public void Anything_else_is_not_a_metric(string text) => Assert.Null(MetricQuery.Parse(text));

    [Fact]
    public void What_is_endless_is_refused_at_once()
    {
        Assert.Null(MetricQuery.Parse("Sum(App:Errors{" + string.Join(",", Enumerable.Range(0, 31).Select(i => $"d{i}=v")) + "})"));
        Assert.Null(MetricQuery.Parse("Sum(App:" + new string('=', 5000)));
    }
}
