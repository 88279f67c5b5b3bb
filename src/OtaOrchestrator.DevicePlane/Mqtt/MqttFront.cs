using System.Collections;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using MQTTnet.Protocol;
using MQTTnet.Server;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Mqtt;

/// <summary>
/// The MQTT side: who may connect, what they may subscribe to, and what a publish does. Nothing that a client publishes reaches another
/// client. It is a Jobs endpoint, not a broker.
/// </summary>
internal sealed partial class MqttFront(
    PlaneState state, PlaneWriter writer, DeviceSessions sessions, DeviceTopics devices, ClaimTopics claims, SteadyClock clock, ILogger<MqttFront> logger)
{
    public const int MaxPayloadBytes = 128 * 1024;

    /// <summary>A payload with its topic, properties and headers.</summary>
    public const int MaxPacketBytes = MaxPayloadBytes + 8 * 1024;

    private static readonly object SessionKey = new();
    private MqttServer? _server;

    public void Attach(MqttServer server)
    {
        _server = server;

        // Revoked here or through the control plane: the connection ends either way.
        state.Active.Ended += name => _ = EndAsync(name);
        server.ValidatingConnectionAsync += ValidateAsync;
        server.ClientConnectedAsync += ConnectedAsync;
        server.ClientDisconnectedAsync += DisconnectedAsync;
        server.InterceptingSubscriptionAsync += SubscribeAsync;
        server.InterceptingUnsubscriptionAsync += UnsubscribeAsync;
        server.InterceptingPublishAsync += PublishAsync;
    }

    /// <summary>Ends the client's connection, if it has one.</summary>
    public Task DropAsync(string clientId) => _server is { IsStarted: true } server && sessions.IsConnected(clientId)
        ? server.DisconnectClientAsync(clientId, new MqttServerClientDisconnectOptions { ReasonCode = MqttDisconnectReasonCode.NotAuthorized })
        : Task.CompletedTask;

    /// <summary>Says goodbye to all clients; else the host would wait for them to leave by themselves.</summary>
    public Task StopAsync() => _server is { IsStarted: true } server
        ? server.StopAsync(new MqttServerStopOptions { DefaultClientDisconnectOptions = new MqttServerClientDisconnectOptions { ReasonCode = MqttDisconnectReasonCode.ServerShuttingDown } })
        : Task.CompletedTask;

    private async Task EndAsync(string clientId)
    {
        try
        {
            await DropAsync(clientId).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            LogDropFailed(e, clientId);
        }
    }

    private Task ValidateAsync(ValidatingConnectionEventArgs args)
    {
        var (standing, name) = state.Active.Judge(args.ClientCertificate);
        args.ReasonCode = standing switch
        {
            Standing.Refused => MqttConnectReasonCode.NotAuthorized,
            Standing.Device when args.ClientId != name => MqttConnectReasonCode.ClientIdentifierNotValid,

            // A claim may have any client id, but not one that takes over a device's session.
            Standing.Claim when !Names.IsThing(args.ClientId) || sessions.IsConnected(args.ClientId) => MqttConnectReasonCode.ClientIdentifierNotValid,
            _ => MqttConnectReasonCode.Success,
        };
        if (args.ReasonCode == MqttConnectReasonCode.Success)
        {
            args.SessionItems[SessionKey] = new DeviceSession(args.ClientId, standing, name);
        }
        else
        {
            LogRefused(args.ClientId.Length <= 128 ? args.ClientId : args.ClientId[..128], args.ReasonCode);
        }

        return Task.CompletedTask;
    }

    private async Task ConnectedAsync(ClientConnectedEventArgs args)
    {
        if (SessionOf(args.SessionItems) is not { } session)
        {
            return;
        }

        session.Status = await _server!.GetSessionAsync(args.ClientId).ConfigureAwait(false);
        if (session.Standing != Standing.Device)
        {
            return;
        }

        sessions.Add(session);
        await RecordAsync(session, connected: true).ConfigureAwait(false);

        // A revocation may have come between the check and now, when there was no session to drop yet.
        if (await writer.RunAsync(_ => IsRevoked(session.Name)).ConfigureAwait(false))
        {
            await DropAsync(session.ClientId).ConfigureAwait(false);
        }
    }

    private Task DisconnectedAsync(ClientDisconnectedEventArgs args) =>
        SessionOf(args.SessionItems) is { } session && sessions.Remove(session) ? RecordAsync(session, connected: false) : Task.CompletedTask;

    private Task SubscribeAsync(InterceptingSubscriptionEventArgs args)
    {
        var session = SessionOf(args.SessionItems);
        var filter = args.TopicFilter.Topic;
        var allowed = session is not null
            && (session.Standing == Standing.Device ? TopicFilter.AllowedForDevice(filter, session.Name) : TopicFilter.AllowedForClaim(filter, session.Name));
        if (!allowed)
        {
            args.ProcessSubscription = false;
            args.Response.ReasonCode = MqttSubscribeReasonCode.NotAuthorized;
            return Task.CompletedTask;
        }

        session!.Status ??= args.Session;
        var quality = args.TopicFilter.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce ? MqttQualityOfServiceLevel.AtMostOnce : MqttQualityOfServiceLevel.AtLeastOnce;
        if (!session.Subscribe(filter, quality))
        {
            args.ProcessSubscription = false;
            args.Response.ReasonCode = MqttSubscribeReasonCode.QuotaExceeded;
            return Task.CompletedTask;
        }

        args.TopicFilter.QualityOfServiceLevel = quality;
        args.Response.ReasonCode = quality == MqttQualityOfServiceLevel.AtMostOnce ? MqttSubscribeReasonCode.GrantedQoS0 : MqttSubscribeReasonCode.GrantedQoS1;
        return Task.CompletedTask;
    }

    private Task UnsubscribeAsync(InterceptingUnsubscriptionEventArgs args)
    {
        SessionOf(args.SessionItems)?.Unsubscribe(args.Topic);
        return Task.CompletedTask;
    }

    private async Task PublishAsync(InterceptingPublishEventArgs args)
    {
        args.ProcessPublish = false;
        var message = args.ApplicationMessage;
        if (SessionOf(args.SessionItems) is not { } session || message.QualityOfServiceLevel == MqttQualityOfServiceLevel.ExactlyOnce || message.Payload.Length > MaxPayloadBytes)
        {
            args.Response.ReasonCode = MqttPubAckReasonCode.ImplementationSpecificError;
            args.CloseConnection = true;
            return;
        }

        try
        {
            session.Status ??= await _server!.GetSessionAsync(session.ClientId).ConfigureAwait(false);
            var handled = session.Standing == Standing.Device
                ? await devices.HandleAsync(session, message.Topic, message.Payload, args.CancellationToken).ConfigureAwait(false)
                : await claims.HandleAsync(session, message.Topic, message.Payload, args.CancellationToken).ConfigureAwait(false);
            if (!handled)
            {
                // As AWS does when a policy forbids the topic.
                LogForbiddenTopic(session.ClientId);
                args.Response.ReasonCode = MqttPubAckReasonCode.NotAuthorized;
                args.CloseConnection = true;
            }
        }
        catch (OperationCanceledException) when (args.CancellationToken.IsCancellationRequested)
        {
            args.CloseConnection = true;
        }
        catch (Exception e)
        {
            LogPublishFailed(e, session.ClientId);
            args.Response.ReasonCode = MqttPubAckReasonCode.UnspecifiedError;
            args.CloseConnection = true;
        }
    }

    private bool IsRevoked(string thingName) =>
        !state.Things.TryGetValue(thingName, out var thing) || thing.Record.CertificateId is not { } id || state.Certificates[id].Status != CertificateStatus.ACTIVE;

    private async Task RecordAsync(DeviceSession session, bool connected)
    {
        try
        {
            await writer.RunAsync(tx =>
            {
                // A connection that began while its end was on the way stays connected.
                if (!state.Things.TryGetValue(session.Name, out var thing) || (!connected && sessions.IsConnected(session.ClientId)))
                {
                    return;
                }

                var before = thing.Connected;
                thing.Connected = connected;
                tx.Undo(() => thing.Connected = before);
                RegistryOperations.Update(state, tx, thing, thing.Record with { SeenMs = clock.WallMs });
            }).ConfigureAwait(false);
        }
        catch (RefusedException e)
        {
            // The connection stands whether or not the store can take its time of day.
            LogConnectivityNotStored(session.ClientId, e.Message);
        }
    }

    private static DeviceSession? SessionOf(IDictionary items) => items[SessionKey] as DeviceSession;

    [LoggerMessage(Level = LogLevel.Information, Message = "Connection of {ClientId} refused: {Reason}")]
    private partial void LogRefused(string clientId, MqttConnectReasonCode reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{ClientId} published to a topic that isn't its own; disconnected")]
    private partial void LogForbiddenTopic(string clientId);

    [LoggerMessage(Level = LogLevel.Error, Message = "The connection of {ClientId} couldn't be ended")]
    private partial void LogDropFailed(Exception exception, string clientId);

    [LoggerMessage(Level = LogLevel.Error, Message = "A publish of {ClientId} failed")]
    private partial void LogPublishFailed(Exception exception, string clientId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The connection state of {ClientId} wasn't stored: {Reason}")]
    private partial void LogConnectivityNotStored(string clientId, string reason);
}
