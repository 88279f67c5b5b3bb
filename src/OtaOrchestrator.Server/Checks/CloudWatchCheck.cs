using System.Globalization;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.CloudWatch;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Server.Checks;

/// <summary>An alarm of CloudWatch, or the last complete period of a metric. An alarm that does not exist says nothing, and says so.</summary>
internal sealed class CloudWatchCheck(AwsClients aws, TimeProvider time) : ICheckSource
{
    public async Task<CheckReading> ReadAsync(CheckQuestion question, Uri address, CancellationToken cancellation)
    {
        var check = question.Check;
        if (check.Alarm is { Length: > 0 } alarm)
        {
            var (name, region) = alarm.StartsWith("arn:", StringComparison.Ordinal) && alarm.Split(':', 7) is [_, _, _, var at, _, _, var named] ? (named, at) : (alarm, "");
            var found = await new Alarms(aws.CloudWatch(region)).ReadAsync(name, cancellation);
            return found switch
            {
                null => new CheckReading(Answer.Nothing, $"there is no alarm {name}"),
                { State: AlarmCondition.Ok } => new CheckReading(Answer.Passed, $"{name} is OK"),
                { State: AlarmCondition.Alarm } => new CheckReading(Answer.Failed, $"{name} is in alarm: {found.Reason}"),
                _ => new CheckReading(Answer.Nothing, $"{name} has insufficient data"),
            };
        }
        var query = MetricQuery.Parse(check.Query ?? "") ?? throw new InvalidDataException($"{check.Query} is not a metric of CloudWatch");
        return await new Metrics(aws.CloudWatch(""), time).NewestAsync(query, cancellation) is not { } value
            ? new CheckReading(Answer.Nothing, "the metric has no complete period yet")
            : value > check.ValueMax ? new CheckReading(Answer.Failed, string.Create(CultureInfo.InvariantCulture, $"{value} (max {check.ValueMax})"), value)
            : value < check.ValueMin ? new CheckReading(Answer.Failed, string.Create(CultureInfo.InvariantCulture, $"{value} (min {check.ValueMin})"), value)
            : new CheckReading(Answer.Passed, value.ToString(CultureInfo.InvariantCulture), value);
    }
}
