using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Aws.CloudWatch;

/// <summary>One metric of CloudWatch. The newest period is not complete and left out.</summary>
public sealed class Metrics(IAmazonCloudWatch cloudWatch, TimeProvider time)
{
    private const int PeriodSeconds = 60;

    /// <summary>Metrics arrive late: how far back the newest complete period may lie.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>The newest complete period's value; null when there is none.</summary>
    public async Task<double?> NewestAsync(MetricQuery query, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var end = now.AddTicks(-(now.Ticks % TimeSpan.FromSeconds(PeriodSeconds).Ticks));
        var found = await cloudWatch.GetMetricDataAsync(
            new GetMetricDataRequest
            {
                StartTime = (end - Window).UtcDateTime,
                EndTime = end.UtcDateTime,
                ScanBy = ScanBy.TimestampDescending,
                MetricDataQueries =
                [
                    new MetricDataQuery
                    {
                        Id = "asked",
                        MetricStat = new MetricStat
                        {
                            Stat = query.Statistic,
                            Period = PeriodSeconds,
                            Metric = new Metric { Namespace = query.Namespace, MetricName = query.Metric, Dimensions = [.. query.Dimensions.Select(one => new Dimension { Name = one.Name, Value = one.Value })] },
                        },
                    },
                ],
            },
            cancellation);
        return (found.MetricDataResults ?? []).Find(result => result.Id == "asked")?.Values is [var newest, ..] ? newest : null;
    }
}
