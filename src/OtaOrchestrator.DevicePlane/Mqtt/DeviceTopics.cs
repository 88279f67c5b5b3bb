using System.Buffers;
using System.Text.Json;
using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Shadows;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Mqtt;

/// <summary>What each topic that a device may publish to does. Answers are sent once they are durable.</summary>
internal sealed class DeviceTopics(PlaneState state, PlaneWriter writer, JobsPayload jobs, ShadowPayload shadows, DevicePlaneOptions options)
{
    /// <returns>False when the topic isn't the device's to publish to.</returns>
    public async Task<bool> HandleAsync(DeviceSession session, string topic, ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        var prefix = $"$aws/things/{session.Name}/";
        if (!topic.StartsWith(prefix, StringComparison.Ordinal) || topic.Length > TopicFilter.MaxChars)
        {
            return false;
        }

        switch (topic[prefix.Length..].Split('/'))
        {
            case ["jobs", ..]:
                await HandleJobsAsync(session, topic, topic[(prefix.Length + 5)..].Split('/'), payload, cancellationToken).ConfigureAwait(false);
                return true;
            case ["shadow", "name", var name, "update" or "get" or "delete"] when Names.IsShadow(name):
                await HandleShadowAsync(session, topic, name, payload, cancellationToken).ConfigureAwait(false);
                return true;
            default:
                return false;
        }
    }

    private async Task HandleJobsAsync(DeviceSession session, string topic, string[] path, ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        string? token = null;
        try
        {
            var body = PlaneJson.ParseObject(payload);
            token = JobsRequest.TokenOf(body);
            switch (path)
            {
                case ["get"]:
                    await ReplyAsync((_, _) => DeviceJobs.GetPending(state, session.Name), (pending, r) => jobs.Pending(pending, r.ClientToken), documentByDefault: false).ConfigureAwait(false);
                    break;
                case ["start-next"]:
                    await ReplyAsync((tx, r) => DeviceJobs.StartNext(state, tx, session.Name, r), (e, r) => jobs.Execution(e, true, r.ClientToken), documentByDefault: true).ConfigureAwait(false);
                    break;
                case [var job, "get"]:
                    await ReplyAsync((_, r) => DeviceJobs.Describe(state, session.Name, job, r), (e, r) => jobs.Execution(e, r.IncludeJobDocument, r.ClientToken), documentByDefault: true).ConfigureAwait(false);
                    break;
                case [var job, "update"] when job != "$next":
                    await ReplyAsync(
                        (tx, r) => DeviceJobs.Update(state, tx, session.Name, job, r, options.ReportTerminalStateOnUpdate), (e, r) => jobs.Updated(e, r), documentByDefault: false).ConfigureAwait(false);
                    break;
                default:
                    throw new RefusedException(Refusal.InvalidTopic, "the topic maps to no operation of the Jobs API");
            }

            Task ReplyAsync<T>(Func<PlaneTransaction, JobsRequest, T> operation, Func<T, JobsRequest, byte[]> answer, bool documentByDefault)
            {
                var request = JobsRequest.Parse(body, documentByDefault);
                return writer.RunAsync(
                    tx =>
                    {
                        var result = operation(tx, request);

                        // The list must be the one of this moment; executions never change.
                        tx.Send(OutboundMessage.Reply(session, topic + "/accepted", () => answer(result, request)));
                    },
                    cancellationToken);
            }
        }
        catch (RefusedException e)
        {
            // The code that a body which can't be read gets carries no token, since there is none to read.
            await RejectAsync(session, topic, () => jobs.Rejected(Code(e.Reason), e.Message, token, e.Execution), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task HandleShadowAsync(DeviceSession session, string topic, string name, ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        string? token = null;
        var operation = topic[(topic.LastIndexOf('/') + 1)..];
        var root = topic[..^operation.Length];
        try
        {
            var body = PlaneJson.ParseObject(payload);
            token = JobsRequest.TokenOf(body);
            await writer.RunAsync(
                tx =>
                {
                    switch (operation)
                    {
                        case "update":
                            var change = DeviceShadows.Update(state, tx, session.Name, name, body);
                            tx.Send(OutboundMessage.Reply(session, topic + "/accepted", () => shadows.Accepted(body, change.After, token)));
                            if (change.After.HasDelta)
                            {
                                tx.Send(OutboundMessage.Notify(change.Thing, root + "update/delta", () => shadows.Delta(change.After)));
                            }

                            tx.Send(OutboundMessage.Notify(change.Thing, root + "update/documents", () => shadows.Documents(change, token)));
                            break;
                        case "get":
                            var shadow = DeviceShadows.Get(state, session.Name, name);
                            tx.Send(OutboundMessage.Reply(session, topic + "/accepted", () => shadows.Got(shadow, token)));
                            break;
                        default:
                            var version = DeviceShadows.Delete(state, tx, session.Name, name, body);
                            tx.Send(OutboundMessage.Reply(session, topic + "/accepted", () => shadows.Deleted(version, token)));
                            break;
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException e)
        {
            await RejectAsync(session, topic, () => shadows.Rejected(e, token), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A refusal takes the way of the answers, so that it can't overtake an earlier one.</summary>
    private async Task RejectAsync(DeviceSession session, string topic, Func<byte[]> payload, CancellationToken cancellationToken)
    {
        try
        {
            await writer.RunAsync(tx => tx.Send(OutboundMessage.Reply(session, topic + "/rejected", payload)), cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException)
        {
            // The plane is stopping, and so is the connection.
        }
    }

    private static string Code(Refusal reason) => reason switch
    {
        Refusal.InvalidTopic => "InvalidTopic",
        Refusal.InvalidJson => "InvalidJson",
        Refusal.InvalidStateTransition => "InvalidStateTransition",
        Refusal.TerminalStateReached => "TerminalStateReached",
        Refusal.NotFound => "ResourceNotFound",
        Refusal.VersionConflict => "VersionMismatch",
        Refusal.LimitExceeded => "RequestThrottled",
        Refusal.Internal or Refusal.Unavailable => "InternalError",
        _ => "InvalidRequest",
    };
}
