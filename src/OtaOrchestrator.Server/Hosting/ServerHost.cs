using System.Net.Security;
using System.Security.Authentication;
using System.Text.Json;
using Amazon.IoT;
using Amazon.Runtime;
using Grpc.Health.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Microsoft.Extensions.Options;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.Doctor;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.DevicePlane;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Audit;
using OtaOrchestrator.Server.Checks;
using OtaOrchestrator.Server.Devices;
using OtaOrchestrator.Server.Environments;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Pki;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Releases;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Targets;
using OtaOrchestrator.Server.Targets.Router;
using OtaOrchestrator.Server.Telemetry;
using Scalar.AspNetCore;

namespace OtaOrchestrator.Server.Hosting;

/// <summary>Puts the server together.</summary>
public static class ServerHost
{
    private const int MessageBytesMax = 2 * 1024 * 1024;

    /// <param name="compose">Called last, for those who compose other targets.</param>
    public static WebApplication Build(ServerOptions options, TimeProvider time, Action<IServiceCollection>? compose = null)
    {
        var home = options.Home;
        var pki = new ServerPki(home, time);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().AddSimpleConsole(console => { console.SingleLine = true; console.TimestampFormat = "HH:mm:ss.fff "; console.UseUtcTimestamp = true; })
            .SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Grpc", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            // What is published besides an image stands in the line of its request.
            kestrel.Limits.MaxRequestLineSize = 32 * 1024;
            // Images come in as one stream: with small windows the round trips would set its speed.
            kestrel.Limits.Http2.InitialStreamWindowSize = 8 * 1024 * 1024;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 16 * 1024 * 1024;
            kestrel.Listen(options.Listen, listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = pki.Server;
                https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (certificate, _, _) => pki.IsOperator(certificate) && !pki.IsOrchestrator(certificate);
            }));
        });
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, LargeBlocks>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(15));
        builder.Services.AddSingleton(time).AddSingleton(home).AddSingleton(pki).AddSingleton(options);
        builder.Services.AddStore(home, options).AddDevices(home, pki, options).AddRollouts(options).AddApi().AddTelemetry();
        compose?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseStrictJson();
        app.MapGrpcService<EnvironmentService>();
        app.MapGrpcService<ReleaseService>();
        app.MapGrpcService<RolloutService>();
        app.MapGrpcService<DeviceService>();
        app.MapPublish();
        app.MapGrpcService<AuditService>();
        app.MapGrpcHealthChecksService();
        app.MapGrpcReflectionService();
        app.MapPrometheusScrapingEndpoint();
        app.MapOpenApi();
        app.MapScalarApiReference("/docs", page => page.WithTitle("OtaOrchestrator").WithOpenApiRoutePattern(OpenApi.Path).DisableDefaultFonts());
        return app;
    }

    /// <summary>Says where the server is reached, in memory and in <c>endpoint.json</c>; call it once started.</summary>
    public static void Announce(WebApplication app)
    {
        var options = app.Services.GetRequiredService<ServerOptions>();
        var plane = app.Services.GetRequiredService<EmbeddedDevicePlane>();
        var addresses = app.Services.GetRequiredService<ServerAddresses>();
        addresses.Grpc = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        addresses.Mqtt = plane.MqttEndpoint.ToString();
        addresses.Firmware = $"https://{plane.FirmwareEndpoint}";
        addresses.ControlPlane = plane.ControlPlaneEndpoint is { } open ? $"https://{open}" : null;
        PemFiles.WriteWhole(options.Home.Endpoint, JsonSerializer.Serialize(
            new EndpointFile(Environment.ProcessId, addresses.StartId, addresses.Grpc, addresses.Mqtt, addresses.Firmware, addresses.ControlPlane), HostingJson.Default.EndpointFile));
    }

    private static IServiceCollection AddStore(this IServiceCollection services, Home home, ServerOptions options) => services
        .AddSingleton(provider => new Database(home.Database, provider.GetRequiredService<TimeProvider>()) { Probe = CrashPoints.Of(options) })
        .AddSingleton<Changes>().AddSingleton<Ledger>().AddSingleton<ProgressBoard>().AddSingleton<Metering>().AddSingleton<ServerAddresses>()
        .AddSingleton<FirmwareStore>().AddSingleton<Publishing>()
        .AddSingleton(_ =>
        {
            var key = SigningKey.Open(home.Pki, "release-key");
            key.WarmUp();
            return key;
        });

    /// <summary>The embedded device plane, and the one client of AWS IoT that everything else speaks to it by.</summary>
    private static IServiceCollection AddDevices(this IServiceCollection services, Home home, ServerPki pki, ServerOptions options)
    {
        services.AddDevicePlane(plane =>
        {
            plane.DataDirectory = home.Server;
            plane.FirmwareRoot = home.Firmware;
            plane.MqttEndpoint = options.Mqtt;
            plane.FirmwareEndpoint = options.Firmware;
            plane.ServerCertificate = pki.Server;
            plane.DevicesAuthority = pki.Devices.Certificate;
            plane.PublicHost = options.PublicHost ?? options.Firmware.Address.ToString();
            if (options.ControlPlane is { } open)
            {
                var key = ControlPlaneKey.Open(home);
                plane.ControlPlaneEndpoint = open;
                plane.Region = key.Region;
                plane.ControlPlaneCredentials[key.AccessKeyId] = key.SecretAccessKey;
            }
        });
        return services
            .AddSingleton<IAmazonIoT>(provider =>
            {
                var plane = provider.GetRequiredService<EmbeddedDevicePlane>();
                // Inside the process nobody checks a signature; the listener outside does.
                return new AmazonIoTClient(new BasicAWSCredentials("in-process", "in-process"), new AmazonIoTConfig
                {
                    ServiceURL = plane.ControlPlaneUri.ToString(),
                    AuthenticationRegion = "local-1",
                    HttpClientFactory = plane.ControlPlaneClientFactory,
                });
            })
            .AddSingleton<FleetPlaces>()
            .AddSingleton(provider => new IotFleet(
                provider.GetRequiredService<IAmazonIoT>(), new IotFleetOptions { WithdrawalGrace = TimeSpan.FromMinutes(2) }, provider.GetRequiredService<TimeProvider>()));
    }

    private static IServiceCollection AddRollouts(this IServiceCollection services, ServerOptions options)
    {
        services.AddOptions<ReconcilerOptions>().Configure(reconciler => reconciler.Probe = CrashPoints.Of(options)).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AwsClientsOptions>().BindConfiguration("Aws").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AwsTargetsOptions>().BindConfiguration("Aws").ValidateDataAnnotations().ValidateOnStart();
        return services
            .AddSingleton<ITargets>(provider => new TargetDirectory(
                provider.GetRequiredService<Database>(), provider.GetRequiredService<FleetPlaces>(),
                RouterHttp.Create(provider.GetRequiredService<ServerPki>().Orchestrator, provider.GetRequiredService<ServerPki>().Servers.Certificate),
                provider.GetRequiredService<AwsClients>(), provider.GetRequiredService<IOptions<AwsTargetsOptions>>(), provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<AccountDoctor>()
            .AddSingleton(provider => new AwsClients(provider.GetRequiredService<IOptions<AwsClientsOptions>>().Value, provider.GetRequiredService<TimeProvider>()))
            .AddSingleton(provider => new CheckReadings(
                CheckHttp.Create(provider.GetRequiredService<ServerPki>().Orchestrator, provider.GetRequiredService<ServerPki>().Servers.Certificate),
                provider.GetRequiredService<AwsClients>(), provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<EffectRunner>().AddSingleton<RolloutCreation>().AddSingleton<ImpactAnalysis>().AddSingleton<RolloutView>().AddSingleton<ConsistencyCheck>()
            .AddHostedService<Housekeeping>()
            .AddHostedService<Reconciler>();
    }

    private static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.AddSingleton<StatusMapping>().AddSingleton<RequestTurns>();
        services.AddGrpc(grpc =>
        {
            grpc.Interceptors.Add<StatusMapping>();
            grpc.Interceptors.Add<RequestTurns>();
            grpc.MaxReceiveMessageSize = MessageBytesMax;
            grpc.EnableDetailedErrors = false;
        }).AddJsonTranscoding(json =>
        {
            json.TypeRegistry = StatusMapping.Details;
            json.JsonSettings.WriteInt64sAsStrings = true;
        });
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks().AddCheck("store", () => Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckResult.Healthy());
        return services;
    }

    private static IServiceCollection AddTelemetry(this IServiceCollection services)
    {
        services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter(Metering.Name).AddAspNetCoreInstrumentation().AddRuntimeInstrumentation().AddPrometheusExporter())
            .WithTracing(traces =>
            {
                traces.AddSource(Metering.Name).AddAspNetCoreInstrumentation();
                if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 })
                {
                    traces.AddOtlpExporter();
                }
            });
        return services;
    }
}
