using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using OtaOrchestrator.Simulator.Load;

namespace OtaOrchestrator.Simulator.Backend;

/// <summary>
/// A back end that answers what devices ask: <c>GET /api/temperature</c> with its version, <c>GET /api/history?ms=N</c>, whose answer takes that long, a gRPC
/// stream (<see cref="TemperatureStream"/>), and its health by <c>GET /healthz</c> and <see cref="GrpcHealth"/>. An answer that it was told to spoil says so.
/// Told to stop, it takes no new connections and finishes what it has.
/// </summary>
internal static class BackendProgram
{
    private const int HistoryMsMax = 60_000;
    private static readonly TimeSpan HistoryPiece = TimeSpan.FromMilliseconds(100);

    public static async Task<int> RunAsync(BackendOptions options, TimeProvider time)
    {
        try
        {
            await using var app = Build(options, time);
            await app.StartAsync();
            Announce(app, options);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception error) when (error is IOException or CryptographicException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync("error: " + error.Message);
            return 1;
        }
    }

    private static WebApplication Build(BackendOptions options, TimeProvider time)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "ota-sim" });
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Grace);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Listen, listener =>
            {
                listener.Protocols = HttpProtocols.Http1AndHttp2;
                listener.UseHttps(Identity(options));
            });
        });
        var app = builder.Build();
        app.MapGet("/healthz", context => context.Response.WriteAsJsonAsync(new { status = "serving", version = options.Version }));
        app.MapGet("/api/temperature", async context =>
        {
            if (options.Latency > TimeSpan.Zero)
            {
                await Task.Delay(options.Latency, time, context.RequestAborted);
            }
            if (Random.Shared.NextDouble() < options.ErrorRate)
            {
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                await context.Response.WriteAsJsonAsync(new { error = "the sensor does not answer", version = options.Version, onPurpose = true });
                return;
            }
            double celsius = Math.Round(21 + 2 * Math.Sin(time.GetUtcNow().ToUnixTimeMilliseconds() / 60_000.0), 2);
            await context.Response.WriteAsJsonAsync(new { celsius, version = options.Version });
        });
        app.MapGet("/api/history", context => HistoryAsync(context, options, time));
        app.MapPost(GrpcHealth.Path, GrpcHealth.ServeAsync);
        app.MapPost(TemperatureStream.Path, context => TemperatureStream.ServeAsync(context, options.Version, time));
        return app;
    }

    /// <summary>One JSON document that comes in pieces: whoever changes sides while it is under way must not lose the rest.</summary>
    private static async Task HistoryAsync(HttpContext context, BackendOptions options, TimeProvider time)
    {
        if (!int.TryParse(context.Request.Query["ms"], NumberStyles.None, CultureInfo.InvariantCulture, out int ms) || ms > HistoryMsMax)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        context.Response.ContentType = "application/json";
        long began = time.GetTimestamp();
        await context.Response.WriteAsync($"{{\"version\": {JsonSerializer.Serialize(options.Version)}, \"celsius\": [21", context.RequestAborted);
        using var timer = new PeriodicTimer(HistoryPiece, time);
        while (time.GetElapsedTime(began).TotalMilliseconds < ms)
        {
            await timer.WaitForNextTickAsync(context.RequestAborted);
            await context.Response.WriteAsync(", 21", context.RequestAborted);
        }
        await context.Response.WriteAsync("]}", context.RequestAborted);
    }

    private static X509Certificate2 Identity(BackendOptions options)
    {
        using var loaded = X509Certificate2.CreateFromPemFile(options.Certificate, options.Key);
        return X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pkcs12), null);
    }

    private static void Announce(WebApplication app, BackendOptions options)
    {
        string url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        string line = JsonSerializer.Serialize(new { @event = "ready", pid = Environment.ProcessId, version = options.Version, url });
        if (options.ReadyFile is { } file)
        {
            ReportFile.Replace(file, line);
        }
        Console.Out.WriteLine(line);
    }
}
