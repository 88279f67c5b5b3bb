using System.Net;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using OtaOrchestrator.Router.Admin;
using OtaOrchestrator.Router.Forwarding;
using OtaOrchestrator.Router.Health;
using OtaOrchestrator.Router.Leases;
using OtaOrchestrator.Router.Routes;
using OtaOrchestrator.Router.State;
using OtaOrchestrator.Router.TakingOver;
using OtaOrchestrator.Router.Tls;

namespace OtaOrchestrator.Router.Hosting;

/// <summary>Puts the router together: two listeners, one for clients and one for the orchestrator, that share nothing but the table of routes.</summary>
internal static class RouterHost
{
    public static WebApplication Build(RouterOptions options, TimeProvider time, Predecessor? predecessor = null)
    {
        var listeners = new Listeners(options, predecessor?.Listeners ?? []);
        listeners.Check();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "OtaOrchestrator.Router" });
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).AddFilter("Yarp", LogLevel.Warning).AddFilter("Microsoft", LogLevel.Warning);
        // Standard output carries the one line that says where the router listens.
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Grace);
        builder.Services.AddRoutingCore().AddHttpForwarder();
        builder.Services.AddSingleton(options).AddSingleton(time).AddSingleton(Instance.New(time));
        builder.Services.AddSingleton(new RouteValidator(options.AllowPlaintextBackends));
        builder.Services.AddSingleton(_ => new StateFile(options.State));
        builder.Services.AddSingleton(_ => new DestinationClients(new BackendAuthority(options.BackendCa), options.ConnectTimeout));
        builder.Services.AddSingleton(services => new RouteTable(
            services.GetRequiredService<StateFile>(), services.GetRequiredService<DestinationClients>(), options.Matches, options.PreviewToken, time,
            services.GetRequiredService<ILogger<RouteTable>>()) { DrainPatience = options.DrainPatience });
        builder.Services.AddSingleton<Mirror>().AddSingleton<PublicTraffic>().AddSingleton<AdminApi>();
        builder.Services.AddHostedService<DestinationProbe>().AddHostedService<LeaseWatch>();
        builder.Services.AddSingleton(listeners).AddSingleton<Departure>().AddSingleton<Successor>();
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = listeners.Bind);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options, time));

        var app = builder.Build();
        // As late as can be, as nobody accepts a write from here until this process serves.
        predecessor?.AskForState();
        var traffic = app.Services.GetRequiredService<PublicTraffic>();
        var admin = app.Services.GetRequiredService<AdminApi>();
        var departure = app.Services.GetRequiredService<Departure>();
        app.Use(next => context => departure.InvokeAsync(context, next));
        // By the connection, not by host or path: no request on the public listener can reach the administration.
        app.MapWhen(context => context.Features.Get<AdminConnection>() is not null, branch => branch.UseRouting().UseEndpoints(admin.Map));
        app.Run(traffic.InvokeAsync);
        return app;
    }

    /// <summary>Adds the routes to begin with. <exception cref="StateFileException">One could not be stored or collides.</exception></summary>
    public static async Task BeginAsync(WebApplication app, RouterOptions options, CancellationToken cancellation)
    {
        var routes = app.Services.GetRequiredService<RouteTable>();
        foreach (var (name, variant) in options.Baselines.Where(baseline => !routes.Routes.ContainsKey(baseline.Key)))
        {
            var result = await routes.PutAsync(name, new RouteSpec { Fence = new Fence(0, 0), Baseline = variant }, cancellation);
            if (result.Route is null)
            {
                throw new StateFileException($"--baseline {name}: {result.Detail}");
            }
        }
    }

    private static void Listen(KestrelServerOptions kestrel, RouterOptions options, TimeProvider time)
    {
        kestrel.AddServerHeader = false;
        // Streams may be idle for long; the activity timeout of the forwarder is what ends them.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MaxRequestBodySize = options.RequestBodyBytesMax;
        var identity = PemIdentity.Load(options.TlsCert, options.TlsKey);
        kestrel.Listen(options.Listen, listener =>
        {
            listener.Protocols = HttpProtocols.Http1AndHttp2;
            listener.UseHttps(https => Serve(https, identity));
            listener.Use(next => Linger.After(next, time));
        });
        var adminIdentity = options.AdminCert is { } cert ? PemIdentity.Load(cert, options.AdminKey!) : identity;
        var authority = new AdminAuthority(options.AdminCa, options.AdminNames);
        kestrel.Listen(options.AdminListen, listener =>
        {
            listener.Protocols = HttpProtocols.Http1AndHttp2;
            listener.UseHttps(https =>
            {
                Serve(https, adminIdentity);
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (certificate, _, _) => authority.Accepts(certificate);
            });
            listener.Use(next => connection =>
            {
                connection.Features.Set(new AdminConnection());
                return next(connection);
            });
        });
    }

    private static void Serve(HttpsConnectionAdapterOptions https, System.Net.Security.SslStreamCertificateContext identity)
    {
        https.ServerCertificate = identity.TargetCertificate;
        https.ServerCertificateChain = [.. identity.IntermediateCertificates];
        https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        https.CheckCertificateRevocation = false;
    }

    /// <summary>Marks a connection whose client has shown an accepted certificate.</summary>
    private sealed class AdminConnection;
}
