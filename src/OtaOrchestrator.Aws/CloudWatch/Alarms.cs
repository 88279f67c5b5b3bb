using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;

namespace OtaOrchestrator.Aws.CloudWatch;

public enum AlarmCondition { Ok, Alarm, InsufficientData }

/// <param name="Reason">In the words of CloudWatch.</param>
public sealed record AlarmReading(AlarmCondition State, string Reason);

/// <summary>Alarms, of metrics and composite ones. Asked for always with both types, or CloudWatch would leave the composite ones out.</summary>
public sealed class Alarms(IAmazonCloudWatch cloudWatch)
{
    /// <summary>Null when there is no such alarm.</summary>
    public async Task<AlarmReading?> ReadAsync(string name, CancellationToken cancellation)
    {
        var found = await cloudWatch.DescribeAlarmsAsync(new DescribeAlarmsRequest { AlarmNames = [name], AlarmTypes = ["MetricAlarm", "CompositeAlarm"] }, cancellation);
        var metric = (found.MetricAlarms ?? []).Find(alarm => alarm.AlarmName == name);
        var composite = (found.CompositeAlarms ?? []).Find(alarm => alarm.AlarmName == name);
        return (metric?.StateValue ?? composite?.StateValue)?.Value switch
        {
            null => null,
            "OK" => new AlarmReading(AlarmCondition.Ok, ""),
            "ALARM" => new AlarmReading(AlarmCondition.Alarm, metric?.StateReason ?? composite?.StateReason ?? ""),
            _ => new AlarmReading(AlarmCondition.InsufficientData, ""),
        };
    }
}
