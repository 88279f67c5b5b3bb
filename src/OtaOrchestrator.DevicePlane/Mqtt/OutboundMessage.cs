using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Registry;

namespace OtaOrchestrator.DevicePlane.Mqtt;

/// <summary>
/// Something to tell a device, once the change behind it is durable. Payloads are made when they are sent, and only if somebody listens:
/// a job for a million things must not build a million documents at once.
/// </summary>
internal readonly record struct OutboundMessage
{
    /// <summary>The session that asked; answers go to it alone, whether or not it has subscribed.</summary>
    public DeviceSession? Requester { get; private init; }

    public Thing? Thing { get; private init; }

    public string? Topic { get; private init; }

    public Func<byte[]>? Payload { get; private init; }

    /// <summary>The thing's executions before and after, from which notify and notify-next follow.</summary>
    public (JobExecution[] Before, JobExecution[] After)? Jobs { get; private init; }

    public static OutboundMessage Reply(DeviceSession requester, string topic, Func<byte[]> payload) => new() { Requester = requester, Topic = topic, Payload = payload };

    public static OutboundMessage Notify(Thing thing, string topic, Func<byte[]> payload) => new() { Thing = thing, Topic = topic, Payload = payload };

    public static OutboundMessage JobsChanged(Thing thing, JobExecution[] before, JobExecution[] after) => new() { Thing = thing, Jobs = (before, after) };
}
