using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OtaOrchestrator.Agent.Tests;

/// <summary>An HTTPS server of images that does as a test says with each request.</summary>
internal sealed class StallingServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _requests;

    private StallingServer(WebApplication app) => _app = app;

    public int Requests => _requests;

    public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal) + "/image";

    /// <param name="answer">Gets the context and the number of the request, from 1.</param>
    public static async Task<StallingServer> StartAsync(FleetBench bench, Func<HttpContext, int, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(bench.ServerCertificate));
        });
        var app = builder.Build();
        var server = new StallingServer(app);
        app.Run(context => answer(context, Interlocked.Increment(ref server._requests)));
        await app.StartAsync();
        return server;
    }

    /// <summary>Sends from the range's start up to a byte, then nothing until the client gives up.</summary>
    public static async Task SendThenStallAsync(HttpContext context, byte[] image, int until)
    {
        int start = Begin(context, image);
        await context.Response.Body.WriteAsync(image.AsMemory(start, Math.Max(0, until - start)), context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    public static async Task SendAsync(HttpContext context, byte[] image, int? cutAfter = null)
    {
        int start = Begin(context, image);
        int length = Math.Min(image.Length - start, cutAfter ?? int.MaxValue);
        await context.Response.Body.WriteAsync(image.AsMemory(start, length));
        if (start + length < image.Length)
        {
            await context.Response.Body.FlushAsync();
            context.Abort();
        }
    }

    private static int Begin(HttpContext context, byte[] image)
    {
        int start = (int)(context.Request.GetTypedHeaders().Range?.Ranges.Single().From ?? 0);
        context.Response.StatusCode = start > 0 ? 206 : 200;
        context.Response.ContentLength = image.Length - start;
        if (start > 0)
        {
            context.Response.Headers.ContentRange = $"bytes {start}-{image.Length - 1}/{image.Length}";
        }
        return start;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
