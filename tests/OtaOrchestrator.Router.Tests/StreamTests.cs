using System.Net.WebSockets;
using System.Text;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

/// <summary>gRPC calls and WebSockets through a router process: they end where they began, whatever becomes of the weights and of the router.</summary>
public sealed class StreamTests : IAsyncLifetime
{
    private readonly Pki _pki = new();
    private ToyBackend _old = null!;
    private ToyBackend _new = null!;
    private RouterProcess _router = null!;

    public async ValueTask InitializeAsync()
    {
        _old = await ToyBackend.StartAsync(_pki, "5.0.3");
        _new = await ToyBackend.StartAsync(_pki, "5.1.0");
        _router = await RouterProcess.StartAsync(_pki, "--drain-seconds", "1");
        await _router.Router.SetAsync(TestRouter.Body(1, 1, _old));
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _old.DisposeAsync();
        await _new.DisposeAsync();
        _pki.Dispose();
    }

    [Fact]
    public async Task Grpc_calls_keep_their_status_and_trailers()
    {
        using var channel = Channel();
        var client = new Grpc.Health.V1.Health.HealthClient(channel);
        using var call = client.CheckAsync(new HealthCheckRequest());
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await call).Status);
        Assert.Equal(_old.Version, call.GetTrailers().GetValue(ToyHealth.Trailer));

        var failed = await Assert.ThrowsAsync<RpcException>(async () => await client.CheckAsync(new HealthCheckRequest { Service = ToyHealth.Failing }));
        Assert.Equal((StatusCode.Unavailable, _old.Version), (failed.StatusCode, failed.Status.Detail));
        await TestRouter.UntilAsync(async () => (long?)(await _router.Router.SideAsync("baseline", _old.Release))?["requests"] == 2, "both are counted");
        Assert.Equal(1, (long)(await _router.Router.SideAsync("baseline", _old.Release))!["errors"]!);
    }

    [Fact]
    public async Task A_grpc_stream_goes_on_to_its_end_on_its_side_and_holds_up_the_drain_which_says_so()
    {
        const int Messages = 150;
        using var channel = Channel();
        using var call = new Grpc.Health.V1.Health.HealthClient(channel).Watch(new HealthCheckRequest { Service = $"{Messages}" });
        Assert.True(await call.ResponseStream.MoveNext(default));
        await _router.Router.SetAsync(TestRouter.Body(2, 1, _new));
        Assert.Equal(_new.Version, await _router.Router.VersionAsync());
        await TestRouter.UntilAsync(async () => (bool)(await _router.Router.DestinationAsync(_old))["overdue"]!, "the drain is told of");
        Assert.False((bool)(await _router.Router.RouteAsync())["drained"]!);
        int seen = 1;
        while (await call.ResponseStream.MoveNext(default))
        {
            seen++;
        }
        Assert.Equal(Messages, seen);
        Assert.Equal(_old.Version, call.GetTrailers().GetValue(ToyHealth.Trailer));
        await TestRouter.UntilAsync(async () => (bool)(await _router.Router.RouteAsync())["drained"]!, "drained");
    }

    [Fact]
    public async Task A_web_socket_stays_on_its_side_while_weights_switch_and_while_another_router_takes_over()
    {
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
        {
            chain!.ChainPolicy = _pki.Trust();
            return certificate is System.Security.Cryptography.X509Certificates.X509Certificate2 known && chain.Build(known);
        };
        await socket.ConnectAsync(new Uri(_router.Router.Url.Replace("https:", "wss:", StringComparison.Ordinal) + "/ws"), default);
        Assert.Equal("5.0.3 one", await SayAsync(socket, "one"));
        await _router.Router.SetAsync(TestRouter.Body(2, 1, _new));
        Assert.Equal("5.0.3 two", await SayAsync(socket, "two"));
        await using var second = await RouterProcess.StartAsync(_pki, "--take-over");
        Assert.Equal(_new.Version, await second.Router.VersionAsync());
        Assert.Equal("5.0.3 three", await SayAsync(socket, "three"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        Assert.Equal(0, await _router.ExitAsync());
    }

    private GrpcChannel Channel() => GrpcChannel.ForAddress(_router.Router.Url, new GrpcChannelOptions { HttpClient = _pki.Client(null), DisposeHttpClient = true });

    private static async Task<string> SayAsync(ClientWebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, default);
        byte[] buffer = new byte[1024];
        var answer = await socket.ReceiveAsync(buffer, default).WaitAsync(TimeSpan.FromSeconds(20));
        return Encoding.UTF8.GetString(buffer, 0, answer.Count);
    }
}
