using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>A back end over TLS that says its version, and does what a path asks for.</summary>
internal sealed class ToyBackend : IAsyncDisposable
{
    private static readonly TimeSpan Slowness = TimeSpan.FromMilliseconds(300);
    private readonly WebApplication _app;
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _waiting = new(0);

    private ToyBackend(WebApplication app) => _app = app;

    public required string Version { get; init; }
    public string Release => "thermostat-api@" + Version;
    public string Url { get; private set; } = "";
    public IReadOnlyDictionary<string, string>? LastHeaders { get; private set; }
    public string LastBody { get; private set; } = "";

    public static async Task<ToyBackend> StartAsync(Pki pki, string version)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new ToyHealth(version));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listener =>
        {
            listener.Protocols = HttpProtocols.Http1AndHttp2;
            listener.UseHttps(pki.Server.Load());
        }));
        var app = builder.Build();
        var backend = new ToyBackend(app) { Version = version };
        app.UseWebSockets();
        app.MapGet("/version", context =>
        {
            backend.LastHeaders = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            return context.Response.WriteAsync(version);
        });
        app.MapGet("/slow", async context =>
        {
            await Task.Delay(Slowness, TimeProvider.System, context.RequestAborted);
            await context.Response.WriteAsync(version);
        });
        app.MapGet("/status/{code:int}", context =>
        {
            context.Response.StatusCode = int.Parse((string)context.Request.RouteValues["code"]!, System.Globalization.CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        app.MapGet("/break", context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        app.MapGet("/wait", async context =>
        {
            backend._waiting.Release();
            await backend._gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync(version);
        });
        app.MapPost("/echo", async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            backend.LastBody = await reader.ReadToEndAsync();
            await context.Response.WriteAsync($"{version} {backend.LastBody}");
        });
        app.Map("/ws", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            byte[] buffer = new byte[1024];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: WebSocketMessageType.Text } message)
            {
                await socket.SendAsync(Encoding.UTF8.GetBytes($"{version} {Encoding.UTF8.GetString(buffer, 0, message.Count)}"), WebSocketMessageType.Text, true, context.RequestAborted);
            }
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        });
        app.MapGrpcService<ToyHealth>();
        app.MapPost("/grpc/{status}", async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.StartAsync();
            context.Response.AppendTrailer("grpc-status", (string)context.Request.RouteValues["status"]!);
        });
        await app.StartAsync();
        backend.Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return backend;
    }

    /// <summary>Returns when another request for <c>/wait</c> is inside.</summary>
    public async Task WaitingAsync() => Assert.True(await _waiting.WaitAsync(TimeSpan.FromSeconds(20)), "no request came");

    public void LetGo() => _gate.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        _gate.TrySetResult();
        await _app.DisposeAsync();
        _waiting.Dispose();
    }
}
