using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

/// <summary>The router's own upgrade: a new process takes over from the one that serves.</summary>
public sealed class TakeOverTests : TwoBackends
{
    [Fact]
    public async Task Two_take_overs_in_a_row_under_load_lose_no_request_and_change_nothing()
    {
        await using var first = await RouterProcess.StartAsync(Pki);
        await first.Router.SetAsync(TestRouter.Body(3, 17, Old, New, 0.25));
        await using var load = new Load(Pki, first.Router.Url, clients: 12);
        await load.MoreAsync(500);
        var serving = first;
        for (int round = 0; round < 2; round++)
        {
            var next = await RouterProcess.StartAsync(Pki, "--take-over");
            Assert.Equal(first.Router.Url, next.Router.Url);
            Assert.Equal(first.Router.AdminUrl, next.Router.AdminUrl);
            Assert.Equal(0, await serving.ExitAsync());
            if (round > 0)
            {
                await serving.DisposeAsync();
            }
            serving = next;
            await load.MoreAsync(500);
        }
        await using var last = serving;
        await load.EndAsync();
        var route = await last.Router.RouteAsync();
        Assert.Equal(0.25, (double)route["effective"]!["candidate"]!);
        using var late = await last.Router.PutAsync(TestRouter.Body(3, 16, Old));
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        Assert.Equal((string)last.ReadyLine["instance"]!, (string)(await last.Router.StatisticsAsync())["instance"]!);
    }

    [Fact]
    public async Task What_is_under_way_ends_where_it_began()
    {
        await using var first = await RouterProcess.StartAsync(Pki, "--baseline", $"api={Old.Release}={Old.Url}");
        var slow = first.Router.Public.GetStringAsync("/wait");
        await Old.WaitingAsync();
        await using var second = await RouterProcess.StartAsync(Pki, "--take-over");
        Assert.Equal(Old.Version, await second.Router.VersionAsync());
        Assert.False(slow.IsCompleted);
        Old.LetGo();
        Assert.Equal(Old.Version, await slow);
        Assert.Equal(0, await first.ExitAsync());
        // The one that went had the same listeners: they are still open.
        using var later = Pki.Client(null);
        Assert.Equal(Old.Version, await later.GetStringAsync(second.Router.Url + "/version"));
    }

    [Fact]
    public async Task A_client_that_is_told_goodbye_is_given_time_to_leave_by_itself()
    {
        const byte GoAway = 7;
        await using var first = await RouterProcess.StartAsync(Pki, "--baseline", $"api={Old.Release}={Old.Url}");
        var at = new Uri(first.Router.Url);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(at.Host, at.Port);
        await using var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = at.Host, ApplicationProtocols = [SslApplicationProtocol.Http2], CertificateChainPolicy = Pki.Trust() });
        // The preface of HTTP/2, and settings that ask for nothing.
        await tls.WriteAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0]);
        await using var second = await RouterProcess.StartAsync(Pki, "--take-over");
        byte[] frame = new byte[9];
        do
        {
            await tls.ReadExactlyAsync(frame).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            await tls.ReadExactlyAsync(new byte[(frame[0] << 16) | (frame[1] << 8) | frame[2]]);
        }
        while (frame[3] != GoAway);
        // A connection that ends with its goodbye takes requests along that were about to be sent on it.
        var end = tls.ReadAsync(new byte[1]).AsTask();
        Assert.NotSame(end, await Task.WhenAny(end, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System)));
        tcp.Close();
        Assert.Equal(0, await first.ExitAsync());
    }

    [Fact]
    public async Task One_that_can_not_start_leaves_the_other_serving_and_accepting_writes()
    {
        await using var first = await RouterProcess.StartAsync(Pki);
        await first.Router.SetAsync(TestRouter.Body(1, 1, Old));
        string broken = Path.Combine(Pki.Folder, "broken.key");
        File.WriteAllText(broken, "no key");
        var (code, errors) = await RouterProcess.RunAsync(Pki, "--take-over", "--admin-cert", Pki.Server.CertificateFile, "--admin-key", broken);
        Assert.Equal(1, code);
        Assert.StartsWith("error: ", errors, StringComparison.Ordinal);
        await AcceptsAsync(first, TestRouter.Body(1, 2, New));
        Assert.Equal(New.Version, await first.Router.VersionAsync());
        // And it can still be taken over from.
        await using var second = await RouterProcess.StartAsync(Pki, "--take-over");
        Assert.Equal(New.Version, await second.Router.VersionAsync());
        Assert.Equal(0, await first.ExitAsync());
    }

    [Fact]
    public async Task One_that_dies_with_the_state_in_its_hands_is_as_if_it_had_never_come()
    {
        await using var first = await RouterProcess.StartAsync(Pki);
        await first.Router.SetAsync(TestRouter.Body(1, 1, Old));
        using (var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await other.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(Pki.Folder, "state.json.successor")));
            await other.SendAsync("W"u8.ToArray());
            byte[] heard = new byte[2];
            Assert.Equal(1, await other.ReceiveAsync(heard));
            Assert.Equal(1, await other.ReceiveAsync(heard));
            Assert.Equal((byte)'F', heard[0]);
            using var refused = await first.Router.PutAsync(TestRouter.Body(1, 2, New));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal(Old.Version, await first.Router.VersionAsync());
        }
        await AcceptsAsync(first, TestRouter.Body(1, 2, New));
        Assert.Equal(New.Version, await first.Router.VersionAsync());
    }

    [Fact]
    public async Task With_nobody_to_take_over_from_it_just_starts()
    {
        await using var router = await RouterProcess.StartAsync(Pki, "--take-over", "--baseline", $"api={Old.Release}={Old.Url}");
        Assert.Equal(Old.Version, await router.Router.VersionAsync());
    }

    private static Task AcceptsAsync(RouterProcess router, System.Text.Json.Nodes.JsonNode body) => TestRouter.UntilAsync(async () =>
    {
        using var response = await router.Router.PutAsync(body);
        Assert.Contains(response.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable });
        return response.StatusCode == HttpStatusCode.OK;
    }, "writes are accepted again");
}
