using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MQTTnet.AspNetCore;
using MQTTnet.Server;
using OtaOrchestrator.DevicePlane.ControlPlane;
using OtaOrchestrator.DevicePlane.Firmware;
using OtaOrchestrator.DevicePlane.Mqtt;

namespace OtaOrchestrator.DevicePlane;

/// <summary>The plane's own web hosts, apart from the host that it runs in: no configuration, environment or port of the one reaches the other.</summary>
internal static class PlaneHosts
{
    public static WebApplication Mqtt(DevicePlaneOptions options, ILoggerFactory logging, MqttFront front)
    {
        var builder = Builder(logging);
        builder.Services.AddHostedMqttServer(mqtt => mqtt
            .WithoutDefaultEndpoint()
            .WithPersistentSessions(false)
            .WithDefaultCommunicationTimeout(TimeSpan.FromSeconds(15))
            .WithMaxPendingMessagesPerClient(250));
        builder.Services.AddMqttConnectionHandler();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(options.MqttEndpoint, listen =>
        {
            listen.UseHttps(PlaneTls.Mutual(options));
            listen.Use(next => connection =>
            {
                connection.Transport = PacketSizeLimit.Wrap(connection.Transport, MqttFront.MaxPacketBytes);
                return next(connection);
            });
            listen.UseMqtt();
        }));
        var app = builder.Build();
        front.Attach(app.Services.GetRequiredService<MqttServer>());
        return app;
    }

    public static WebApplication Firmware(DevicePlaneOptions options, ILoggerFactory logging, FirmwareRoute firmware)
    {
        var builder = Builder(logging);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Listen(options.FirmwareEndpoint, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.UseHttps(PlaneTls.Mutual(options));
            });
        });
        var app = builder.Build();
        app.Run(firmware.HandleAsync);
        return app;
    }

    public static WebApplication ControlPlane(DevicePlaneOptions options, ILoggerFactory logging, InMemoryTransport transport, ControlPlaneRouter router)
    {
        var builder = Builder(logging);
        builder.Services.AddSingleton<IConnectionListenerFactory>(transport);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(transport.EndPoint, listen => listen.Protocols = HttpProtocols.Http1);
            if (options.ControlPlaneEndpoint is { } open)
            {
                kestrel.Listen(open, listen => listen.UseHttps(PlaneTls.ServerOnly(options)));
            }
        });
        var app = builder.Build();
        app.Run(router.HandleAsync);
        return app;
    }

    /// <summary>The address that port 0 turned into.</summary>
    public static IPEndPoint Bound(WebApplication app)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var uri = addresses.Select(a => Microsoft.AspNetCore.Http.BindingAddress.Parse(a)).First(a => a.Port > 0 && !a.Host.StartsWith("in-memory", StringComparison.Ordinal));
        return new IPEndPoint(IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) ? address : uri.Host == "localhost" ? IPAddress.Loopback : IPAddress.Any, uri.Port);
    }

    private static WebApplicationBuilder Builder(ILoggerFactory logging)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "OtaOrchestrator.DevicePlane" });
        builder.Services.AddSingleton(logging);
        builder.Services.AddLogging();
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        return builder;
    }
}
