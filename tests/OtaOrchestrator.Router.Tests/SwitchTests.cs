using System.Diagnostics;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

/// <summary>Switches of a router process under a constant rate, with slow requests and a gRPC stream under way, and each back end stopped when it is drained.</summary>
public sealed class SwitchTests : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);
    private readonly Pki _pki = new();
    private int _sent;
    private int _answered;
    private int _underWay;
    private string? _failure;

    public void Dispose() => _pki.Dispose();

    [Fact]
    public Task Switches_lose_no_request() => RunAsync(switches: 20, ratePerSecond: 200);

    [Fact]
    [Trait("Gate", "Full")]
    public Task Two_hundred_switches_at_a_thousand_requests_a_second_lose_no_request() => RunAsync(switches: 200, ratePerSecond: 1000);

    private async Task RunAsync(int switches, int ratePerSecond)
    {
        await using var router = await RouterProcess.StartAsync(_pki);
        var serving = await ToyBackend.StartAsync(_pki, "1.0.0");
        await router.Router.SetAsync(TestRouter.Body(1, 1, serving));
        using var client = _pki.Client(null);
        using var channel = GrpcChannel.ForAddress(router.Router.Url, new GrpcChannelOptions { HttpClient = _pki.Client(null), DisposeHttpClient = true });
        using var stop = new CancellationTokenSource();
        var load = SendAsync(client, router.Router.Url, ratePerSecond, stop.Token);
        var streams = StreamAsync(channel, stop.Token);
        for (int number = 1; number <= switches; number++)
        {
            var next = await ToyBackend.StartAsync(_pki, $"1.0.{number}");
            long revision = 10L * number;
            foreach (double weight in new[] { 0, 0.5, 1 })
            {
                await router.Router.SetAsync(TestRouter.Body(1, ++revision, serving, next, weight));
                await AnsweredAsync(20);
            }
            await router.Router.SetAsync(TestRouter.Body(1, ++revision, next));
            await TestRouter.UntilAsync(async () => (bool)(await router.Router.RouteAsync())["drained"]! || _failure is not null, "drained");
            await serving.DisposeAsync();
            serving = next;
            Assert.Null(_failure);
        }
        await AnsweredAsync(20);
        await stop.CancelAsync();
        await load;
        int ended = await streams;
        await TestRouter.UntilAsync(() => Task.FromResult(Volatile.Read(ref _underWay) == 0), "the last answers");
        Assert.Null(_failure);
        Assert.Equal(_sent, _answered);
        Assert.True(ended > 0, "no gRPC stream came to its end");
        var sides = (await router.Router.StatisticsAsync())["sides"]!.AsArray();
        Assert.All(sides, side => Assert.Equal(0, (long)side!["errors"]!));
        await serving.DisposeAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"{_answered} requests, {switches} switches, {ended} streams, 0 failed");
    }

    private async Task AnsweredAsync(int requests)
    {
        int before = Volatile.Read(ref _answered);
        await TestRouter.UntilAsync(() => Task.FromResult(Volatile.Read(ref _answered) >= before + requests || _failure is not null), $"{requests} more requests");
        Assert.Null(_failure);
    }

    /// <summary>An open loop: a request is due whether or not the one before was answered. One in fifty is slow.</summary>
    private async Task SendAsync(HttpClient client, string url, int ratePerSecond, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        while (!stop.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            for (long due = (long)(Stopwatch.GetElapsedTime(began).TotalSeconds * ratePerSecond); _sent < due; _sent++)
            {
                Interlocked.Increment(ref _underWay);
                _ = AskAsync(client, url + (_sent % 50 == 0 ? "/slow" : "/version"));
            }
        }
    }

    private async Task AskAsync(HttpClient client, string url)
    {
        try
        {
            using var response = await client.GetAsync(url);
            response.EnsureSuccessStatusCode();
            Interlocked.Increment(ref _answered);
        }
        catch (Exception error)
        {
            _failure ??= error.ToString();
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    /// <returns>How many streams ended, each with all its messages.</returns>
    private async Task<int> StreamAsync(GrpcChannel channel, CancellationToken stop)
    {
        int ended = 0;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                using var call = new Grpc.Health.V1.Health.HealthClient(channel).Watch(new HealthCheckRequest { Service = "25" }, cancellationToken: CancellationToken.None);
                int seen = 0;
                while (await call.ResponseStream.MoveNext(CancellationToken.None))
                {
                    seen++;
                }
                Assert.Equal(25, seen);
                ended++;
            }
        }
        catch (Exception error)
        {
            _failure ??= error.ToString();
        }
        return ended;
    }
}
