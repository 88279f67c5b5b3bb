using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using MQTTnet.AspNetCore;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace OtaOrchestrator.Agent.Tests.Mqtt;

/// <summary>A message to a device.</summary>
internal sealed record Message(string Topic, string Payload);

/// <summary>
/// What a device talks to when the service misbehaves: answers like Jobs and shadows with nothing to do, until a test puts something else in its mouth.
/// </summary>
internal sealed class UntrustworthyService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly MqttServer _server;

    private UntrustworthyService(WebApplication app, X509Certificate2 certificate)
    {
        (_app, _server, Certificate) = (app, app.Services.GetRequiredService<MqttServer>(), certificate);
        _server.InterceptingPublishAsync += HearAsync;
        _server.ClientConnectedAsync += _ =>
        {
            Interlocked.Increment(ref _connections);
            return Task.CompletedTask;
        };
    }

    private int _connections;

    public X509Certificate2 Certificate { get; }

    public int Connections => Volatile.Read(ref _connections);

    public ConcurrentQueue<Message> Heard { get; } = new();

    /// <summary>Answers a request (topic, body); null for the usual answer.</summary>
    public Func<string, JsonObject, IEnumerable<Message>?>? Answer { get; set; }

    /// <summary>Whether a publish (topic, body) is refused.</summary>
    public Func<string, JsonObject, bool>? Refuses { get; set; }

    public static async Task<UntrustworthyService> StartAsync(string certificateFor = "localhost")
    {
        var certificate = Certificates.Server(certificateFor);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddLogging();
        builder.WebHost.UseKestrelCore();
        builder.Services.AddHostedMqttServer(mqtt => mqtt.WithoutDefaultEndpoint());
        builder.Services.AddMqttConnectionHandler();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = certificate, ClientCertificateMode = ClientCertificateMode.RequireCertificate, ClientCertificateValidation = (_, _, _) => true,
            });
            listen.UseMqtt();
        }));
        var service = new UntrustworthyService(builder.Build(), certificate);
        await service._app.StartAsync();
        return service;
    }

    public DnsEndPoint Endpoint => new("localhost", new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port);

    public Task SayAsync(Message message) => _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(
        new MqttApplicationMessage { Topic = message.Topic, PayloadSegment = Encoding.UTF8.GetBytes(message.Payload), QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce })
    {
        SenderClientId = "service",
    });

    public static Message Accepted(string topic, JsonObject body, JsonObject? answer = null)
    {
        var reply = answer ?? [];
        reply["clientToken"] = body["clientToken"]?.DeepClone();
        reply["timestamp"] = 1;
        return new Message(topic + "/accepted", reply.ToJsonString());
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Certificate.Dispose();
    }

    private async Task HearAsync(InterceptingPublishEventArgs args)
    {
        if (args.ClientId == "service")
        {
            return;
        }
        args.ProcessPublish = false;
        var topic = args.ApplicationMessage.Topic;
        var text = Encoding.UTF8.GetString(args.ApplicationMessage.Payload);
        var body = JsonNode.Parse(text)!.AsObject();
        if (Refuses?.Invoke(topic, body) == true)
        {
            args.Response.ReasonCode = MqttPubAckReasonCode.QuotaExceeded;
            return;
        }
        Heard.Enqueue(new Message(topic, text));
        foreach (var answer in Answer?.Invoke(topic, body) ?? [Accepted(topic, body)])
        {
            await SayAsync(answer);
        }
    }
}
