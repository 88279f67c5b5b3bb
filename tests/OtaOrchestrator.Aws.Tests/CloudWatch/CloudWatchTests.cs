using Amazon.CloudWatch;
using Amazon.Runtime;
using OtaOrchestrator.Aws.CloudWatch;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Aws.Tests.CloudWatch;

public sealed class CloudWatchTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private AwsDoubles _aws = null!;
    private AmazonCloudWatchClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsDoubles.StartAsync();
        _client = new AmazonCloudWatchClient(new BasicAWSCredentials("AKIDORCHESTRATOR", "orchestrator-secret"), new AmazonCloudWatchConfig { ServiceURL = _aws.Url.ToString(), AuthenticationRegion = "eu-central-1" });
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(await _aws.ViolationsAsync());
        Assert.Empty(await _aws.BugsAsync());
        _client.Dispose();
        await _aws.DisposeAsync();
    }

    [Theory]
    [InlineData("OK", AlarmCondition.Ok)]
    [InlineData("ALARM", AlarmCondition.Alarm)]
    [InlineData("INSUFFICIENT_DATA", AlarmCondition.InsufficientData)]
    public async Task An_alarm_is_read_whatever_its_kind(string state, AlarmCondition expected)
    {
        await _aws.ActAsync("cloudwatch", "PutMetricAlarm", new { AlarmName = "errors", Namespace = "App", MetricName = "Errors", Statistic = "Sum", Period = 60, EvaluationPeriods = 1, Threshold = 1, ComparisonOperator = "GreaterThanThreshold" });
        await _aws.ActAsync("cloudwatch", "PutCompositeAlarm", new { AlarmName = "all", AlarmRule = "ALARM(errors)" });
        await _aws.ActAsync("cloudwatch", "SetAlarmState", new { AlarmName = "errors", StateValue = state, StateReason = "by hand" });
        var errors = await new Alarms(_client).ReadAsync("errors", _cancellation);
        Assert.Equal(expected, errors?.State);
        Assert.True(expected != AlarmCondition.Alarm || errors!.Reason == "by hand");
        Assert.NotNull(await new Alarms(_client).ReadAsync("all", _cancellation));
    }

    [Fact]
    public async Task An_alarm_that_does_not_exist_is_not_OK() => Assert.Null(await new Alarms(_client).ReadAsync("errors", _cancellation));

    [Fact]
    public async Task The_newest_complete_period_counts_and_the_one_under_way_does_not()
    {
        var minute = TimeProvider.System.GetUtcNow();
        minute = minute.AddTicks(-(minute.Ticks % TimeSpan.FromMinutes(1).Ticks));
        foreach (var (at, value) in new[] { (minute.AddSeconds(-90), 3.0), (minute.AddSeconds(-30), 5.0), (minute.AddSeconds(1), 100.0) })
        {
            await _aws.ActAsync("cloudwatch", "PutMetricData", new { Namespace = "App", MetricData = new[] { new { MetricName = "Errors", Dimensions = new[] { new { Name = "Stage", Value = "live" } }, Timestamp = at.ToString("O"), Value = value } } });
        }

        var metrics = new Metrics(_client, new At(minute.AddSeconds(20)));
        Assert.Equal(5, await metrics.NewestAsync(MetricQuery.Parse("Sum(App:Errors{Stage=live})")!, _cancellation));
        Assert.Null(await metrics.NewestAsync(MetricQuery.Parse("Sum(App:Errors{Stage=other})")!, _cancellation));
    }

    private sealed class At(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
