using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>A device as the plane sees one: its own key, mutual TLS, MQTT. It does and says what a test tells it.</summary>
internal sealed class MqttThing : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly IMqttClient _client;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonObject>> _awaited = new(StringComparer.Ordinal);

    private MqttThing(string name, IMqttClient client)
    {
        Name = name;
        _client = client;
        _client.ApplicationMessageReceivedAsync += args =>
        {
            if (_awaited.TryGetValue(args.ApplicationMessage.Topic, out var awaited))
            {
                awaited.TrySetResult(JsonNode.Parse(args.ApplicationMessage.ConvertPayloadToString())!.AsObject());
            }

            return Task.CompletedTask;
        };
    }

    public string Name { get; }

    public bool Connected => _client.IsConnected;

    /// <summary>Enrols by claim and connects with the certificate that it got.</summary>
    public static async Task<MqttThing> EnrolAsync(IPEndPoint plane, string claimPem, string claimKeyPem, string fleet, string serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = $"{fleet}-{serial}";
        string pem;
        await using (var claim = await ConnectAsync($"claim-{Guid.NewGuid():N}", plane, claimPem, claimKeyPem))
        {
            const string Csr = "$aws/certificates/create-from-csr/json";
            var provision = $"$aws/provisioning-templates/{fleet}/provision/json";
            await claim.SubscribeAsync(Csr + "/+", provision + "/+");
            var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
            var issued = await claim.AskAsync(Csr, new { certificateSigningRequest = request });
            pem = (string)issued["certificatePem"]!;
            await claim.AskAsync(provision, new
            {
                certificateOwnershipToken = (string)issued["certificateOwnershipToken"]!,
                parameters = new { SerialNumber = serial, HardwareId = "thermo-a1" },
            });
        }

        var thing = await ConnectAsync(name, plane, pem, key.ExportPkcs8PrivateKeyPem());
        await thing.SubscribeAsync($"$aws/things/{name}/#");
        return thing;
    }

    /// <summary>Starts its next job; null when there is none.</summary>
    public async Task<JsonObject?> StartNextAsync() => (await AskAsync($"$aws/things/{Name}/jobs/start-next", new { }))["execution"]?.AsObject();

    /// <summary>What is queued for it, without starting any.</summary>
    public async Task<IReadOnlyList<string>> QueuedAsync() =>
        [.. (await AskAsync($"$aws/things/{Name}/jobs/get", new { }))["queuedJobs"]!.AsArray().Select(j => (string)j!["jobId"]!)];

    public Task EndAsync(string job, string status) => AskAsync($"$aws/things/{Name}/jobs/{job}/update", new { status });

    /// <summary>Writes into the reported part of its shadow <c>ota</c>.</summary>
    public Task ReportAsync(object reported) => AskAsync($"$aws/things/{Name}/shadow/name/ota/update", new { state = new { reported } });

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected)
        {
            await _client.DisconnectAsync();
        }

        _client.Dispose();
    }

    private static async Task<MqttThing> ConnectAsync(string id, IPEndPoint plane, string pem, string keyPem)
    {
        using var bare = X509Certificate2.CreateFromPem(pem, keyPem);
        var certificate = X509CertificateLoader.LoadPkcs12(bare.Export(X509ContentType.Pkcs12), null);
        var thing = new MqttThing(id, new MqttClientFactory().CreateMqttClient());
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer(plane.Address.ToString(), plane.Port)
            .WithProtocolVersion(MqttProtocolVersion.V311)
            .WithClientId(id)
            .WithTlsOptions(tls => tls.WithClientCertificates([certificate]).WithCertificateValidationHandler(_ => true))
            .Build();
        using var patience = new CancellationTokenSource(Patience);
        await thing._client.ConnectAsync(options, patience.Token);
        return thing;
    }

    private async Task SubscribeAsync(params string[] filters)
    {
        foreach (var filter in filters)
        {
            await _client.SubscribeAsync(filter, MqttQualityOfServiceLevel.AtLeastOnce);
        }
    }

    private async Task<JsonObject> AskAsync(string topic, object request)
    {
        var accepted = _awaited[topic + "/accepted"] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var rejected = _awaited[topic + "/rejected"] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _client.PublishStringAsync(topic, JsonSerializer.Serialize(request), MqttQualityOfServiceLevel.AtLeastOnce);
        var answer = await Task.WhenAny(accepted.Task, rejected.Task).WaitAsync(Patience);
        return answer == accepted.Task ? await accepted.Task : throw new InvalidOperationException($"{topic}: {await rejected.Task}");
    }
}
