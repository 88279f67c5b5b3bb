using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace OtaOrchestrator.DevicePlane.Tests;

internal sealed record Received(string Topic, string Payload)
{
    public JsonElement Json => JsonElement.Parse(Payload);

    public string Text(string name) => Json.GetProperty(name).GetString()!;
}

/// <summary>A device as the plane sees it: an MQTT client over mutual TLS that remembers all it gets, in order.</summary>
internal sealed class Device : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly IMqttClient _client;
    private readonly ConcurrentQueue<Received> _received = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly List<Received> _seen = [];
    private readonly TaskCompletionSource _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Device(IMqttClient client, string clientId)
    {
        (_client, ClientId) = (client, clientId);
        client.ApplicationMessageReceivedAsync += e =>
        {
            _received.Enqueue(new Received(e.ApplicationMessage.Topic, Encoding.UTF8.GetString(e.ApplicationMessage.Payload.ToArray())));
            _arrived.Release();
            return Task.CompletedTask;
        };
        client.DisconnectedAsync += _ =>
        {
            _disconnected.TrySetResult();
            return Task.CompletedTask;
        };
    }

    public string ClientId { get; }

    public bool IsConnected => _client.IsConnected;

    public string Jobs => $"$aws/things/{ClientId}/jobs/";

    public string Shadow(string name) => $"$aws/things/{ClientId}/shadow/name/{name}/";

    public static async Task<Device> ConnectAsync(PlaneBench bench, X509Certificate2 certificate, string clientId, MqttProtocolVersion version = MqttProtocolVersion.V500)
    {
        var client = new MqttClientFactory().CreateMqttClient();
        var device = new Device(client, clientId);
        var options = new MqttClientOptionsBuilder()
            .WithEndPoint(bench.Plane.MqttEndpoint)
            .WithClientId(clientId)
            .WithProtocolVersion(version)
            .WithTimeout(Patience)
            .WithCredentials("?SDK=test", "")
            .WithTlsOptions(tls => tls
                .WithTargetHost("localhost")
                .WithClientCertificates([certificate])
                .WithCertificateValidationHandler(e => e.Certificate.GetCertHashString() == bench.ServerCertificate.GetCertHashString()))
            .Build();
        var result = await client.ConnectAsync(options);
        if (result.ResultCode != MqttClientConnectResultCode.Success)
        {
            throw new InvalidOperationException(result.ResultCode.ToString());
        }

        return device;
    }

    public async Task<MqttClientSubscribeResultCode> SubscribeAsync(string filter, MqttQualityOfServiceLevel quality = MqttQualityOfServiceLevel.AtLeastOnce)
    {
        var result = await _client.SubscribeAsync(filter, quality);
        return result.Items.Single().ResultCode;
    }

    public Task PublishAsync(string topic, object body) => PublishRawAsync(topic, JsonSerializer.SerializeToUtf8Bytes(body));

    public async Task<MqttClientPublishReasonCode> PublishRawAsync(string topic, byte[] payload, MqttQualityOfServiceLevel quality = MqttQualityOfServiceLevel.AtLeastOnce)
    {
        var result = await _client.PublishAsync(new MqttApplicationMessage { Topic = topic, PayloadSegment = payload, QualityOfServiceLevel = quality });
        return result.ReasonCode;
    }

    /// <summary>The answer to one request, accepted or rejected.</summary>
    public Task<Received> RequestAsync(string topic, object body) => RequestRawAsync(topic, JsonSerializer.SerializeToUtf8Bytes(body));

    public async Task<Received> RequestRawAsync(string topic, byte[] payload)
    {
        await PublishRawAsync(topic, payload);
        return await NextAsync(r => r.Topic == topic + "/accepted" || r.Topic == topic + "/rejected");
    }

    public async Task<Received> AcceptedAsync(string topic, object body)
    {
        var answer = await RequestAsync(topic, body);
        Assert.True(answer.Topic == topic + "/accepted", answer.Payload);
        return answer;
    }

    public async Task<Received> RejectedAsync(string topic, object body)
    {
        var answer = await RequestAsync(topic, body);
        Assert.True(answer.Topic == topic + "/rejected", answer.Payload);
        return answer;
    }

    /// <summary>The next message that wasn't taken yet and matches; fails when none comes.</summary>
    public async Task<Received> NextAsync(Func<Received, bool> wanted)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (true)
        {
            while (_received.TryDequeue(out var received))
            {
                _seen.Add(received);
            }

            var at = _seen.FindIndex(r => wanted(r));
            if (at >= 0)
            {
                var found = _seen[at];
                _seen.RemoveAt(at);
                return found;
            }

            try
            {
                await _arrived.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail("nothing of the kind came; waiting are: " + string.Join(", ", _seen.Select(r => r.Topic)));
            }
        }
    }

    public Task<Received> NextAsync(string topic) => NextAsync(r => r.Topic == topic);

    /// <summary>
    /// All that has come so far. Asks for something at the end and waits for its answer: what the plane had to say before, it has said.
    /// </summary>
    public async Task<List<Received>> DrainAsync()
    {
        var token = Guid.NewGuid().ToString("N");
        await PublishAsync(Jobs + "get", new { clientToken = token });
        await NextAsync(r => r.Topic == Jobs + "get/accepted" && r.Payload.Contains(token, StringComparison.Ordinal));
        var all = _seen.ToList();
        _seen.Clear();
        return all;
    }

    public Task WaitForDisconnectAsync() => _disconnected.Task.WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected)
        {
            await _client.DisconnectAsync();
        }

        _client.Dispose();
        _arrived.Dispose();
    }
}
