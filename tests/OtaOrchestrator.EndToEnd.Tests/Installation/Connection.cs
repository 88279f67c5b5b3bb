using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Grpc.Net.Client;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>Mutual TLS to the server's API as its administrator, and to the router's administration as the orchestrator.</summary>
internal sealed class Connection : IDisposable
{
    private readonly HttpClient _asAdmin;
    private readonly HttpClient _asOrchestrator;
    private readonly GrpcChannel _channel;

    public Connection(string home, string address)
    {
        var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(home, "client", "server-ca.crt"));
        _asAdmin = Client(Path.Combine(home, "client", "admin"), authority);
        _asOrchestrator = Client(Path.Combine(home, "server", "pki", "orchestrator"), authority);
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpClient = _asAdmin, MaxReceiveMessageSize = 64 * 1024 * 1024 });
        Environments = new(_channel);
        Releases = new(_channel);
        Rollouts = new(_channel);
        Devices = new(_channel);
        Audit = new(_channel);
    }

    public Protocol.V1.Environments.EnvironmentsClient Environments { get; }
    public Protocol.V1.Releases.ReleasesClient Releases { get; }
    public Protocol.V1.Rollouts.RolloutsClient Rollouts { get; }
    public Protocol.V1.Devices.DevicesClient Devices { get; }
    public Protocol.V1.Audit.AuditClient Audit { get; }

    public async Task<JsonElement> RouteAsync(string adminUrl, string route) => await _asOrchestrator.GetFromJsonAsync<JsonElement>($"{adminUrl}/v1/routes/{route}");

    public async Task PublishAsync(Release release, FileInfo? image)
    {
        using var call = Releases.PublishRelease();
        await call.RequestStream.WriteAsync(new PublishReleaseRequest { Head = new() { Release = release } });
        if (image is not null)
        {
            await using var stream = image.OpenRead();
            var chunk = new byte[512 * 1024];
            for (int read; (read = await stream.ReadAsync(chunk)) > 0;)
            {
                await call.RequestStream.WriteAsync(new PublishReleaseRequest { Chunk = Google.Protobuf.ByteString.CopyFrom(chunk, 0, read) });
            }
        }
        await call.RequestStream.CompleteAsync();
        await call;
    }

    public void Dispose()
    {
        _channel.Dispose();
        _asAdmin.Dispose();
        _asOrchestrator.Dispose();
    }

    private static HttpClient Client(string identity, X509Certificate2 authority) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(identity + ".crt", identity + ".key"), null, offline: true),
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
        },
    });
}
