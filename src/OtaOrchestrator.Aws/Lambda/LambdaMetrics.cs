using System.Globalization;
using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Lambda;

/// <summary>
/// Requests and errors of two versions behind an alias, as CloudWatch counts them, from the moment before the rollout to the last period that is complete. Lambda counts by
/// version only while the alias splits its traffic; when it does not, everything is the one version's.
/// </summary>
/// <param name="period">60 seconds on AWS. The newest period is incomplete and left out.</param>
public sealed class LambdaMetrics(IAmazonCloudWatch cloudWatch, TimeSpan period, TimeProvider time)
{
    private const string Requests = "Invocations";
    private const string Errors = "Errors";

    internal async Task<Observation> ReadAsync(string function, string alias, string candidate, string baseline, AliasState before, AliasState? now, CancellationToken cancellation)
    {
        // An ARN's last part is the name that metrics go by.
        var name = function.StartsWith("arn:", StringComparison.Ordinal) ? function.Split(':')[6] : function;
        var (start, end) = (Floor(DateTimeOffset.FromUnixTimeSeconds(before.Since)), Floor(time.GetUtcNow()));
        var instance = $"{name}:{alias} since {start:O}";
        List<MetricDataQuery> queries =
        [
            Query("candidate_requests", Requests, candidate), Query("candidate_errors", Errors, candidate),
            Query("baseline_requests", Requests, baseline), Query("baseline_errors", Errors, baseline),
        ];
        var sums = await SumsAsync(queries, start, end, cancellation);
        if (now is { Added: null } whole && Floor(DateTimeOffset.FromUnixTimeSeconds(whole.Since)) + period is var since && since < end && (whole.Version == candidate || whole.Version == baseline))
        {
            var all = await SumsAsync([Query("all_requests", Requests, null), Query("all_errors", Errors, null)], since, end, cancellation);
            var side = whole.Version == candidate ? "candidate" : "baseline";
            sums[side + "_requests"] = sums.GetValueOrDefault(side + "_requests") + all.GetValueOrDefault("all_requests");
            sums[side + "_errors"] = sums.GetValueOrDefault(side + "_errors") + all.GetValueOrDefault("all_errors");
        }

        return new TrafficObservation(instance, Counters("candidate"), Counters("baseline"));

        SideCounters Counters(string side) => new((long)sums.GetValueOrDefault(side + "_requests"), (long)sums.GetValueOrDefault(side + "_errors"));

        MetricDataQuery Query(string id, string metric, string? version) => new()
        {
            Id = id,
            MetricStat = new MetricStat
            {
                Stat = "Sum",
                Period = (int)period.TotalSeconds,
                Metric = new Metric
                {
                    Namespace = "AWS/Lambda",
                    MetricName = metric,
                    Dimensions =
                    [
                        new Dimension { Name = "FunctionName", Value = name },
                        new Dimension { Name = "Resource", Value = $"{name}:{alias}" },
                        .. version is null ? Array.Empty<Dimension>() : [new Dimension { Name = "ExecutedVersion", Value = version }],
                    ],
                },
            },
        };
    }

    private async Task<Dictionary<string, double>> SumsAsync(List<MetricDataQuery> queries, DateTimeOffset start, DateTimeOffset end, CancellationToken cancellation)
    {
        var sums = new Dictionary<string, double>(StringComparer.Ordinal);
        if (start >= end)
        {
            return sums;
        }

        string? next = null;
        do
        {
            var request = new GetMetricDataRequest { MetricDataQueries = queries, StartTime = start.UtcDateTime, EndTime = end.UtcDateTime, NextToken = next };
            var page = await cloudWatch.GetMetricDataAsync(request, cancellation);
            foreach (var result in page.MetricDataResults ?? [])
            {
                if (result.StatusCode == StatusCode.InternalError || result.StatusCode == StatusCode.Forbidden)
                {
                    throw new IOException(string.Create(CultureInfo.InvariantCulture, $"CloudWatch has no {result.Id}: {result.StatusCode}"));
                }

                sums[result.Id] = sums.GetValueOrDefault(result.Id) + (result.Values ?? []).Sum();
            }

            next = page.NextToken;
        }
        while (!string.IsNullOrEmpty(next));
        return sums;
    }

    private DateTimeOffset Floor(DateTimeOffset at) => new(at.Ticks - (at.Ticks % period.Ticks), TimeSpan.Zero);
}
