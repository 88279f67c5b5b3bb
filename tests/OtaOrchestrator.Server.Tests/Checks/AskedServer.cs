using System.Net;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.Server.Pki;

namespace OtaOrchestrator.Server.Tests.Checks;

/// <summary>Somebody whom checks ask, over TLS on loopback, well or badly behaved.</summary>
public sealed class AskedServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AskedServer(WebApplication app) => _app = app;

    public string Address { get; private set; } = "";

    /// <summary>What the last webhook was told.</summary>
    public string Told { get; private set; } = "";

    /// <summary>What <c>/hook</c> answers.</summary>
    public string Answer { get; set; } = """{"verdict":"healthy"}""";

    public int Status { get; set; } = 200;

    /// <summary>What <c>/metrics</c> shows.</summary>
    public int Errors { get; set; }

    public static async Task<AskedServer> StartAsync(ServerPki pki)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(pki.Server)));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<HealthOfNamed>();
        var app = builder.Build();
        var server = new AskedServer(app);
        app.MapGrpcService<HealthOfNamed>();
        app.MapGet("/healthz", () => Results.StatusCode(server.Status));
        app.MapGet("/metrics", () => Results.Text($"toy_errors {server.Errors}\n", "text/plain"));
        app.MapGet("/moved", () => Results.Redirect("/healthz"));
        app.MapGet("/reset", (HttpContext context) => context.Abort());
        app.Map("/never", async (HttpContext context) => await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        app.MapPost("/hook", async (HttpContext context) =>
        {
            server.Told = await new StreamReader(context.Request.Body).ReadToEndAsync();
            context.Response.StatusCode = server.Status;
            await context.Response.WriteAsync(server.Answer);
        });
        app.MapPost("/flood", async (HttpContext context) =>
        {
            var block = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(block, context.RequestAborted);
            }
        });
        app.MapPost("/prometheus/api/v1/query", async (HttpContext context) =>
        {
            server.Told = (await context.Request.ReadFormAsync())["query"].ToString();
            context.Response.StatusCode = server.Status;
            await context.Response.WriteAsync(server.Answer);
        });
        await app.StartAsync();
        server.Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private sealed class HealthOfNamed : Health.HealthBase
    {
        public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) => request.Service switch
        {
            "" or "well" => Task.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving }),
            "ill" => Task.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.NotServing }),
            _ => throw new RpcException(new Status(StatusCode.NotFound, "unknown")),
        };
    }
}
