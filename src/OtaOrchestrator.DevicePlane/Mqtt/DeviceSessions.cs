using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MQTTnet.Protocol;
using OtaOrchestrator.DevicePlane.Jobs;

namespace OtaOrchestrator.DevicePlane.Mqtt;

/// <summary>Who is connected, and the one sender of all that the plane says by itself: answers and notifications keep their order per device.</summary>
internal sealed partial class DeviceSessions(ChannelReader<OutboundMessage> outbox, JobsPayload jobs, ILogger<DeviceSessions> logger)
{
    private readonly ConcurrentDictionary<string, DeviceSession> _sessions = new(StringComparer.Ordinal);

    public int Count => _sessions.Count;

    public bool IsConnected(string clientId) => _sessions.ContainsKey(clientId);

    public void Add(DeviceSession session) => _sessions[session.ClientId] = session;

    /// <returns>Whether it was this very session: after a takeover the newer one stays.</returns>
    public bool Remove(DeviceSession session) => _sessions.TryRemove(new KeyValuePair<string, DeviceSession>(session.ClientId, session));

    /// <summary>Sends until the outbox is completed.</summary>
    public async Task RunAsync()
    {
        await foreach (var message in outbox.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                Send(message);
            }
            catch (Exception e)
            {
                LogSendFailed(e);
            }
        }
    }

    private void Send(OutboundMessage message)
    {
        if (message.Requester is { } requester)
        {
            requester.Enqueue(message.Topic!, message.Payload!(), requester.QualityFor(message.Topic!) ?? MqttQualityOfServiceLevel.AtLeastOnce);
            return;
        }

        if (!_sessions.TryGetValue(message.Thing!.Name, out var session))
        {
            return;
        }

        if (message.Jobs is { } change)
        {
            Notify(session, change.Before, change.After);
        }
        else if (session.QualityFor(message.Topic!) is { } quality)
        {
            session.Enqueue(message.Topic!, message.Payload!(), quality);
        }
    }

    /// <summary>notify when what is pending has changed, notify-next when the first of it has. Starting the first one is neither.</summary>
    private void Notify(DeviceSession session, JobExecution[] before, JobExecution[] after)
    {
        var (was, now) = (JobExecution.Pending(before), JobExecution.Pending(after));
        var topic = $"$aws/things/{session.Name}/jobs/notify";
        if (!was.Select(Identity).ToHashSet().SetEquals(now.Select(Identity)) && session.QualityFor(topic) is { } quality)
        {
            session.Enqueue(topic, jobs.Changed(now), quality);
        }

        topic = $"$aws/things/{session.Name}/jobs/notify-next";
        if (Identity(was.FirstOrDefault()) != Identity(now.FirstOrDefault()) && session.QualityFor(topic) is { } nextQuality)
        {
            session.Enqueue(topic, jobs.Execution(now.FirstOrDefault(), withDocument: true, null), nextQuality);
        }
    }

    private static (string? Job, long Number) Identity(JobExecution? execution) => (execution?.Job.Id, execution?.Number ?? 0);

    [LoggerMessage(Level = LogLevel.Error, Message = "A message to a device couldn't be sent")]
    private partial void LogSendFailed(Exception exception);
}
