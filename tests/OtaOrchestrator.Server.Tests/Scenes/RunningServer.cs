using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Hosting;
using OtaOrchestrator.Server.Pki;
using OtaOrchestrator.Server.Reconciling;
using Status = Google.Rpc.Status;

namespace OtaOrchestrator.Server.Tests.Scenes;

/// <summary>A whole server on free ports and a home of its own; traffic targets are files, fleets are those of its device plane.</summary>
public sealed class RunningServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<IDisposable> _clients = [];

    private RunningServer(WebApplication app, Home home)
    {
        _app = app;
        Home = home;
        Address = app.Services.GetRequiredService<ServerAddresses>().Grpc;
        Admin = As("admin");
    }

    public Home Home { get; }
    public string Address { get; }
    public Client Admin { get; }
    public IServiceProvider Services => _app.Services;

    public static async Task<RunningServer> Start(Home? home = null)
    {
        home ??= new Home(Directory.CreateTempSubdirectory("ota-home-").FullName);
        var loopback = new IPEndPoint(IPAddress.Loopback, 0);
        var targets = new FileTargetsOf(home.Root);
        var logs = new LogBook();
        var app = ServerHost.Build(new ServerOptions { Home = home, Listen = loopback, Mqtt = loopback, Firmware = loopback }, TimeProvider.System, services => services.AddSingleton<ITargets>(targets).AddSingleton<ILoggerProvider>(logs));
        await app.StartAsync();
        ServerHost.Announce(app);
        return new RunningServer(app, home) { Logs = logs };
    }

    public LogBook Logs { get; private init; } = null!;

    /// <summary>A client with the certificate of that operator, made when it is missing.</summary>
    public Client As(string name)
    {
        if (!File.Exists(Path.Combine(Home.Client, name + ".crt")))
        {
            using var pki = new ServerPki(Home, TimeProvider.System);
            pki.IssueOperator(name);
        }
        return With(PemFiles.Load(Home.Client, name));
    }

    public Client With(X509Certificate2? certificate)
    {
        var client = new Client(Address, certificate, X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Home.Client, "server-ca.crt")));
        _clients.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await _app.StopAsync();
        await _app.DisposeAsync();
        Logs.HasNoErrors();
        Directory.Delete(Home.Root, recursive: true);
    }
}

/// <summary>One operator's connection.</summary>
public sealed class Client : IDisposable
{
    private readonly GrpcChannel _channel;

    public Client(string address, X509Certificate2? certificate, X509Certificate2 authority)
    {
        Http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
            },
        })
        { BaseAddress = new Uri(address) };
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpClient = Http, MaxReceiveMessageSize = 64 * 1024 * 1024 });
        Environments = new(_channel);
        Releases = new(_channel);
        Rollouts = new(_channel);
        Devices = new(_channel);
        Audit = new(_channel);
    }

    public HttpClient Http { get; }
    public ChannelBase Channel => _channel;
    public Protocol.V1.Environments.EnvironmentsClient Environments { get; }
    public Protocol.V1.Releases.ReleasesClient Releases { get; }
    public Protocol.V1.Rollouts.RolloutsClient Rollouts { get; }
    public Protocol.V1.Devices.DevicesClient Devices { get; }
    public Protocol.V1.Audit.AuditClient Audit { get; }

    public async Task<Release> PublishBackend(string name, string address = "https://127.0.0.1:9001")
    {
        using var call = Releases.PublishRelease();
        await call.RequestStream.WriteAsync(new PublishReleaseRequest { Head = new() { Release = new Release { Name = $"releases/{name}", Backend = new BackendRelease { Addresses = { address } } } } });
        await call.RequestStream.CompleteAsync();
        return await call;
    }

    public static byte[] Image(string name, string version, long counter = 1, int bytes = 1000) => FirmwareImage.Create(name, version, ["thermo-a1"], counter, new byte[bytes]);

    public Task<Release> PublishFirmware(string name, string version, long counter = 1) => PublishImage($"{name}@{version}", Image(name, version, counter));

    public async Task<Release> PublishImage(string release, byte[] image, long? size = null, string requestId = "", string sha256 = "", int chunk = 700)
    {
        using var call = Releases.PublishRelease();
        try
        {
            await call.RequestStream.WriteAsync(new PublishReleaseRequest
            {
                Head = new() { Release = new Release { Name = $"releases/{release}", Firmware = new FirmwareRelease { Size = size ?? image.Length } }, RequestId = requestId, ExpectedSha256 = sha256 },
            });
            foreach (var part in image.Chunk(chunk))
            {
                await call.RequestStream.WriteAsync(new PublishReleaseRequest { Chunk = ByteString.CopyFrom(part) });
            }
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception failure) when (failure is InvalidOperationException or RpcException)
        {
            // Refused before it was sent; the answer says why.
        }
        return await call;
    }

    public void Dispose()
    {
        _channel.Dispose();
        Http.Dispose();
    }
}

/// <summary>What a refusal says.</summary>
public sealed record Refused(StatusCode Code, string Reason, string Text, IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<string> Fields)
{
    public static async Task<Refused> By(Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        var status = error.GetRpcStatus() ?? new Status { Message = error.Status.Detail };
        var info = status.GetDetail<ErrorInfo>();
        return new Refused(error.StatusCode, info?.Reason.Replace("ERROR_REASON_", "", StringComparison.Ordinal) ?? "", status.Message,
            info?.Metadata.ToDictionary() ?? [], [.. status.GetDetail<BadRequest>()?.FieldViolations.Select(violation => violation.Field) ?? []]);
    }
}

/// <summary>A target of a file for each target of each environment.</summary>
public sealed class FileTargetsOf(string directory) : ITargets
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string Environment, string Target), FileTarget> _all = new();

    public Core.Ports.ITarget Of(string environment, string target) =>
        _all.GetOrAdd((environment, target), key => new FileTarget(Path.Combine(directory, $"{key.Environment}.{key.Target}.json"), $"{key.Target}@1.0"));
}
