using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace OtaOrchestrator.Agent.Mqtt;

/// <summary>One MQTT 5 connection over mutual TLS, with requests that wait for their answer. Not reused after it broke.</summary>
public sealed class DeviceConnection : IAsyncDisposable
{
    private const int PayloadBytesMax = 256 * 1024;
    private readonly IMqttClient _client;
    private readonly AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<Reply>> _pending = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _lost = new();
    private readonly string _tokens = Guid.NewGuid().ToString("n")[..12];
    private int _token;

    private DeviceConnection(AgentOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _client = new MqttClientFactory().CreateMqttClient();
        _client.ApplicationMessageReceivedAsync += Receive;
        _client.DisconnectedAsync += _ =>
        {
            _lost.Cancel();
            return Task.CompletedTask;
        };
    }

    /// <summary>Cancelled when the connection is gone.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Messages that nobody asked for: topic and JSON object. Called on the receiving thread, one at a time.</summary>
    public Action<string, JsonElement>? Notified { get; set; }

    /// <exception cref="ConnectionException">No connection, or the server refused it.</exception>
    public static async Task<DeviceConnection> OpenAsync(AgentOptions options, string clientId, X509Certificate2 identity, TimeProvider time, CancellationToken cancellation)
    {
        var connection = new DeviceConnection(options, time);
        var mqtt = new MqttClientOptionsBuilder()
            .WithTcpServer(options.Endpoint.Host, options.Endpoint.Port)
            .WithClientId(clientId)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTimeout(options.ReplyTimeout)
            .WithCleanStart()
            .WithTlsOptions(tls => tls
                .WithTargetHost(options.Endpoint.Host)
                .WithRevocationMode(X509RevocationMode.NoCheck)
                .WithTrustChain(options.ServerAuthorities)
                .WithClientCertificates([identity]))
            .Build();
        try
        {
            var result = await connection._client.ConnectAsync(mqtt, cancellation);
            if (result.ResultCode == MqttClientConnectResultCode.Success)
            {
                return connection;
            }
            throw new ConnectionException($"the server refused the connection: {result.ResultCode}");
        }
        catch (Exception error)
        {
            await connection.DisposeAsync();
            if (error is ConnectionException || cancellation.IsCancellationRequested)
            {
                throw;
            }
            throw new ConnectionException(Innermost(error));
        }
    }

    public async Task SubscribeAsync(IEnumerable<string> filters, CancellationToken cancellation)
    {
        var builder = new MqttClientSubscribeOptionsBuilder();
        foreach (var filter in filters)
        {
            builder.WithTopicFilter(filter, MqttQualityOfServiceLevel.AtLeastOnce);
        }
        var result = await Guard(token => _client.SubscribeAsync(builder.Build(), token), cancellation);
        if (result.Items.FirstOrDefault(item => item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2) is { } refused)
        {
            throw new ConnectionException($"the server refused to subscribe {refused.TopicFilter.Topic}: {refused.ResultCode}");
        }
    }

    /// <summary>Sends, and waits until the server has it.</summary>
    public async Task PublishAsync(string topic, JsonObject body, CancellationToken cancellation)
    {
        var message = new MqttApplicationMessage { Topic = topic, PayloadSegment = Encoding.UTF8.GetBytes(body.ToJsonString()), QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce };
        var result = await Guard(token => _client.PublishAsync(message, token), cancellation);
        if (!result.IsSuccess)
        {
            throw new ConnectionException($"the server refused {topic}: {result.ReasonCode}");
        }
    }

    /// <summary>Sends with a client token and waits for <c>/accepted</c> or <c>/rejected</c>, whichever comes with that token.</summary>
    /// <exception cref="ConnectionException">No answer in time, or the connection went.</exception>
    public async Task<Reply> RequestAsync(string topic, JsonObject body, CancellationToken cancellation, bool hasToken = true)
    {
        // The provisioning topics know no client token; there one request is under way at a time.
        var token = hasToken ? $"{_tokens}-{Interlocked.Increment(ref _token)}" : topic;
        if (hasToken)
        {
            body["clientToken"] = token;
        }
        var pending = new TaskCompletionSource<Reply>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[token] = pending;
        try
        {
            await PublishAsync(topic, body, cancellation);
            return await Guard(abort => pending.Task.WaitAsync(_options.ReplyTimeout, _time, abort), cancellation);
        }
        finally
        {
            _pending.TryRemove(token, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Notified = null;
        if (_client.IsConnected)
        {
            try
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), _time);
                await _client.DisconnectAsync(new MqttClientDisconnectOptions(), patience.Token);
            }
            catch (Exception)
            {
                // Gone is gone.
            }
        }
        _client.Dispose();
    }

    private Task Receive(MqttApplicationMessageReceivedEventArgs args)
    {
        var topic = args.ApplicationMessage.Topic;
        if (args.ApplicationMessage.Payload.Length > PayloadBytesMax)
        {
            return Task.CompletedTask;
        }
        JsonElement json;
        try
        {
            using var document = JsonDocument.Parse(args.ApplicationMessage.Payload);
            json = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return Task.CompletedTask;
        }
        if (json.ValueKind != JsonValueKind.Object)
        {
            return Task.CompletedTask;
        }
        bool accepted = topic.EndsWith("/accepted", StringComparison.Ordinal);
        if (accepted || topic.EndsWith("/rejected", StringComparison.Ordinal))
        {
            var asked = topic[..topic.LastIndexOf('/')];
            var token = json.TryGetProperty("clientToken", out var echoed) && echoed.ValueKind == JsonValueKind.String ? echoed.GetString()! : asked;
            if (_pending.TryGetValue(token, out var pending))
            {
                pending.TrySetResult(new Reply(accepted, json));
            }
            return Task.CompletedTask;
        }
        Notified?.Invoke(topic, json);
        return Task.CompletedTask;
    }

    /// <summary>Whatever ends a call other than its caller is a lost connection.</summary>
    private async Task<T> Guard<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _lost.Token);
            return await call(either.Token);
        }
        catch (Exception error) when (error is not ConnectionException && !cancellation.IsCancellationRequested)
        {
            throw new ConnectionException(error is TimeoutException ? "the server did not answer in time" : Innermost(error));
        }
    }

    private static string Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error.Message;
}

/// <summary>An answer to a request.</summary>
public sealed record Reply(bool Accepted, JsonElement Json)
{
    /// <summary>The error code of a rejection, as Jobs, shadows and provisioning name it.</summary>
    public string Code => Text("code") ?? Text("errorCode") ?? "";

    public string Message => Text("message") ?? Text("errorMessage") ?? "";

    public string? Text(string name) => Json.TryGetProperty(name, out var value) ? value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText() : null;
}

public sealed class ConnectionException(string message) : Exception(message);
