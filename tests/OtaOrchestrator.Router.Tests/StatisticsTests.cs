using System.Net;
using OtaOrchestrator.Router.Statistics;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class StatisticsTests : World
{
    [Fact]
    public async Task Errors_are_5xx_and_broken_connections_and_nothing_else()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old, New, 1));
        foreach (var (path, status) in new[] { ("/version", 200), ("/status/404", 404), ("/status/500", 500), ("/status/503", 503), ("/break", 502) })
        {
            using var response = await Router.Public.GetAsync(path);
            Assert.Equal(status, (int)response.StatusCode);
        }
        var side = (await Router.SideAsync("candidate", New.Release))!;
        Assert.Equal(5, (long)side["requests"]!);
        Assert.Equal(3, (long)side["errors"]!);
        Assert.Equal(5, (long)side["latency"]!.AsArray()[^1]!["requests"]!);
    }

    [Fact]
    public async Task A_client_that_goes_away_is_no_error_of_the_back_end()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old));
        using var impatient = new CancellationTokenSource();
        var slow = Router.Public.GetStringAsync("/wait", impatient.Token);
        await Old.WaitingAsync();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow);
        await TestRouter.UntilAsync(async () => (long?)(await Router.SideAsync("baseline", Old.Release))?["clientAborts"] == 1, "the abort is counted");
        var side = (await Router.SideAsync("baseline", Old.Release))!;
        Assert.Equal(0, (long)side["requests"]!);
        Assert.Equal(0, (long)side["errors"]!);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("5", 0)]
    [InlineData("13", 1)]
    [InlineData("14", 1)]
    public async Task A_grpc_status_of_the_server_is_an_error(string status, long errors)
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old));
        using var content = new ByteArrayContent([]);
        content.Headers.ContentType = new("application/grpc");
        using var response = await Router.Public.PostAsync($"/grpc/{status}", content);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(status, response.TrailingHeaders.GetValues("grpc-status").Single());
        await TestRouter.UntilAsync(async () => (long?)(await Router.SideAsync("baseline", Old.Release))?["requests"] == 1, "the call is counted");
        Assert.Equal(errors, (long)(await Router.SideAsync("baseline", Old.Release))!["errors"]!);
    }

    [Fact]
    public async Task A_call_that_is_answered_before_its_request_has_ended_is_counted_as_answered()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old));
        for (int call = 1; call <= 20; call++)
        {
            using var content = new EndlessContent();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/grpc/0") { Content = content, Version = HttpVersion.Version20 };
            using var response = await Router.Public.SendAsync(request);
            Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
            long expected = call;
            await TestRouter.UntilAsync(async () => (long?)(await Router.SideAsync("baseline", Old.Release))?["requests"] == expected, "the call is counted");
        }
        var side = (await Router.SideAsync("baseline", Old.Release))!;
        Assert.Equal((0, 0), ((long)side["errors"]!, (long)side["clientAborts"]!));
    }

    /// <summary>A request that begins and never ends by itself.</summary>
    private sealed class EndlessContent : HttpContent
    {
        public EndlessContent() => Headers.ContentType = new("application/grpc");

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, default);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    [Fact]
    public async Task Failures_of_the_candidate_are_never_masked_by_the_baseline()
    {
        await New.DisposeAsync();
        await Router.SetAsync(TestRouter.Body(1, 1, Old, New, 1));
        using var response = await Router.Public.GetAsync("/version");
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal(1, (long)(await Router.SideAsync("candidate", New.Release))!["errors"]!);
        await TestRouter.UntilAsync(async () => (string?)(await Router.DestinationAsync(New))["health"] == "unhealthy", "unhealthy");
    }

    [Fact]
    public async Task An_unreachable_address_of_the_baseline_costs_no_request_while_there_is_another()
    {
        await New.DisposeAsync();
        var body = TestRouter.Body(1, 1, Old);
        body["baseline"]!["addresses"] = new System.Text.Json.Nodes.JsonArray(New.Url, Old.Url);
        await Router.SetAsync(body);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Router.VersionAsync())), version => Assert.Equal(Old.Version, version));
        var side = (await Router.SideAsync("baseline", Old.Release))!;
        Assert.Equal(60, (long)side["requests"]!);
        Assert.Equal(0, (long)side["errors"]!);
    }

    [Fact]
    public async Task Counters_go_on_when_the_route_changes()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old));
        await Router.VersionAsync();
        await Router.SetAsync(TestRouter.Body(1, 2, New, Old));
        await Router.SetAsync(TestRouter.Body(1, 3, Old, New));
        await Router.VersionAsync();
        Assert.Equal(2, (long)(await Router.SideAsync("baseline", Old.Release))!["requests"]!);
    }

    [Fact]
    public async Task Clients_cannot_pretend_to_be_the_router_or_another_address()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/version") { Version = HttpVersion.Version20 };
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "10.1.2.3");
        using var response = await Router.Public.SendAsync(request);
        Assert.Equal("127.0.0.1", Old.LastHeaders!["X-Forwarded-For"]);
        Assert.Equal("https", Old.LastHeaders["X-Forwarded-Proto"]);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 0)]
    [InlineData(0.51, 1)]
    [InlineData(1, 4)]
    [InlineData(64, 28)]
    [InlineData(70_000, 69)]
    [InlineData(1e9, 69)]
    public void A_latency_falls_into_the_first_bucket_that_bounds_it(double ms, int bucket) => Assert.Equal(bucket, LatencyHistogram.Bucket(ms));

    [Fact]
    public void Counts_are_cumulative_and_bounds_rise()
    {
        var histogram = new LatencyHistogram();
        foreach (double ms in new[] { 0.1, 5, 5, 400 })
        {
            histogram.Add(TimeSpan.FromMilliseconds(ms));
        }
        var counts = histogram.Read();
        Assert.Equal(4, counts[^1].Requests);
        Assert.Equal(3, counts.First(count => count.UpToMs >= 5.2).Requests);
        Assert.All(counts.Zip(counts.Skip(1)), pair => Assert.True(pair.First.UpToMs < pair.Second.UpToMs && pair.First.Requests <= pair.Second.Requests));
    }
}
