using Amazon.IoT;
using Amazon.IoT.Model;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>Counts over AWS fleet indexing: the cost is a number of calls, never a number of devices.</summary>
/// <param name="iot">The account.</param>
/// <param name="bucketsMax">Buckets in one answer; AWS gives 10,000 at most, the fullest ones.</param>
internal sealed class FleetIndex(IAmazonIoT iot, int bucketsMax = 10_000)
{
    public async Task<long> CountAsync(string query, CancellationToken cancellation)
    {
        var answer = await iot.GetStatisticsAsync(new GetStatisticsRequest { QueryString = query }, cancellation);
        return answer.Statistics?.Count ?? 0;
    }

    public async Task<long> CountAsync(IEnumerable<string> disjointQueries, CancellationToken cancellation)
    {
        long count = 0;
        foreach (var query in disjointQueries)
        {
            count += await CountAsync(query, cancellation);
        }

        return count;
    }

    /// <summary>Devices by the second in which they started. When that is more than one answer holds, the time is halved until it fits.</summary>
    public async Task<SortedDictionary<long, long>> ByStartAsync(string query, long from, long to, CancellationToken cancellation)
    {
        var starts = new SortedDictionary<long, long>();
        var pending = new Stack<(long From, long To)>([(from, to)]);
        while (pending.TryPop(out var span))
        {
            var buckets = await BucketsAsync(FleetQuery.All(query, FleetQuery.StartedIn(span.From, span.To)), FleetQuery.StartedAt, bucketsMax, cancellation);
            if (buckets.Count >= bucketsMax && span.From < span.To)
            {
                var middle = span.From + ((span.To - span.From) / 2);
                pending.Push((span.From, middle));
                pending.Push((middle + 1, span.To));
                continue;
            }

            foreach (var (key, count) in buckets)
            {
                if (double.TryParse(key, System.Globalization.CultureInfo.InvariantCulture, out var second))
                {
                    starts[(long)second] = starts.GetValueOrDefault((long)second) + count;
                }
            }
        }

        return starts;
    }

    public async Task<IReadOnlyList<(string Key, long Count)>> BucketsAsync(string query, string field, int max, CancellationToken cancellation)
    {
        var request = new GetBucketsAggregationRequest
        {
            QueryString = query,
            AggregationField = field,
            BucketsAggregationType = new BucketsAggregationType { TermsAggregation = new TermsAggregation { MaxBuckets = max } },
        };
        var answer = await iot.GetBucketsAggregationAsync(request, cancellation);
        return [.. (answer.Buckets ?? []).Select(b => (b.KeyValue ?? "", (long)(b.Count ?? 0)))];
    }
}
