using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OtaOrchestrator.Cli.Tests.TestHost;

/// <summary>The services over real mutual TLS on a port of their own, with a home in the layout that the server writes.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly Authority _operators = new("operators");
    private readonly Authority _servers = new("server");
    private WebApplication? _app;

    private TestServer(string home) => Home = home;

    public string Home { get; }
    public Scene Scene { get; } = new();
    public string Address { get; private set; } = "";

    public static async Task<TestServer> Start()
    {
        var server = new TestServer(Directory.CreateTempSubdirectory("ota-cli-").FullName);
        Directory.CreateDirectory(Path.Combine(server.Home, "client"));
        Directory.CreateDirectory(Path.Combine(server.Home, "server"));
        File.WriteAllText(Path.Combine(server.Home, "client", "server-ca.crt"), server._servers.Pem);
        server.Issue("admin");
        await server.Listen();
        return server;
    }

    /// <summary>An operator's certificate in the home.</summary>
    public void Issue(string actor, bool ofStrangers = false)
    {
        var (certificate, key) = (ofStrangers ? new Authority("strangers") : _operators).Issue(actor);
        File.WriteAllText(Path.Combine(Home, "client", actor + ".crt"), certificate);
        File.WriteAllText(Path.Combine(Home, "client", actor + ".key"), key);
    }

    /// <summary>The server trusts itself with another authority than the one in the home.</summary>
    public void PinAnotherAuthority() => File.WriteAllText(Path.Combine(Home, "client", "server-ca.crt"), new Authority("another").Pem);

    public async Task Listen()
    {
        var (certificate, key) = _servers.Issue("localhost");
        using var loaded = X509Certificate2.CreateFromPem(certificate, key);
        var identity = X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(Scene);
        builder.Services.AddGrpc(options => options.Interceptors.Add<Faults>());
        builder.Services.AddSingleton<HealthServiceImpl>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(https =>
            {
                https.ServerCertificate = identity;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (shown, _, _) => Trusts(shown);
            });
        }));
        // Deadlines of seconds would hide what a test waits for.
        builder.WebHost.UseShutdownTimeout(TimeSpan.FromMilliseconds(100));
        _app = builder.Build();
        _app.MapGrpcService<RolloutsOfScene>();
        _app.MapGrpcService<ReleasesOfScene>();
        _app.MapPut("/v1/releases/{release}", ReleasesOfScene.PutAsync);
        _app.MapGrpcService<EnvironmentsOfScene>();
        _app.MapGrpcService<DevicesOfScene>();
        _app.MapGrpcService<AuditOfScene>();
        _app.Services.GetRequiredService<HealthServiceImpl>().SetStatus("", Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving);
        _app.MapGrpcService<HealthServiceImpl>();
        await _app.StartAsync();
        Address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        File.WriteAllText(Path.Combine(Home, "server", "endpoint.json"), $$"""{"pid":{{Environment.ProcessId}},"startId":"s1","grpc":"{{Address}}","mqtt":"127.0.0.1:1","firmware":"https://127.0.0.1:2","controlPlane":null}""");
    }

    /// <summary>Gone as after a crash: the endpoint file stays, nobody listens.</summary>
    public async Task Crash()
    {
        await _app!.DisposeAsync();
        _app = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
        Directory.Delete(Home, recursive: true);
    }

    private bool Trusts(X509Certificate2 shown)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_operators.Certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(shown);
    }
}

/// <summary>Fails calls on request: before the service acts, or after it has acted so that only the answer is lost.</summary>
internal sealed class Faults(Scene scene) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        scene.Calls.Enqueue((context.Method[(context.Method.LastIndexOf('/') + 1)..], (Google.Protobuf.IMessage)request));
        if (scene.FailBefore.TryDequeue(out var before))
        {
            throw before;
        }
        var answer = await continuation(request, context);
        if (scene.FailAfter.TryDequeue(out var after))
        {
            throw after;
        }
        return answer;
    }
}
