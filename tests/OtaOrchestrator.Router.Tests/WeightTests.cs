using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class WeightTests : World
{
    [Theory]
    [InlineData(0.05)]
    [InlineData(0.25)]
    [InlineData(0.8)]
    public async Task A_weight_is_the_share_of_requests_that_the_candidate_answers(double weight)
    {
        const int Requests = 2000;
        await Router.SetAsync(TestRouter.Body(1, 1, Old, New, weight));
        string[] versions = await Task.WhenAll(Enumerable.Range(0, Requests).Select(_ => Router.VersionAsync()));
        int seen = versions.Count(version => version == New.Version);
        // Five standard deviations: a correct router fails this less than once in a million runs.
        double bound = 5 * Math.Sqrt(Requests * weight * (1 - weight));
        Assert.InRange(seen, Requests * weight - bound, Requests * weight + bound);
        Assert.Equal(Requests, versions.Count(version => version == Old.Version) + seen);
    }

    [Fact]
    public async Task Weight_0_sends_nobody_and_weight_1_everybody_to_the_candidate()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old, New));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => Router.VersionAsync())), version => Assert.Equal(Old.Version, version));
        await Router.SetAsync(TestRouter.Body(1, 2, Old, New, 1));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => Router.VersionAsync())), version => Assert.Equal(New.Version, version));
    }

    [Fact]
    public async Task The_answer_to_a_put_is_what_a_get_shows()
    {
        var body = TestRouter.Body(3, 17, Old, New, 0.25);
        body["lease"] = new System.Text.Json.Nodes.JsonObject { ["seconds"] = 60, ["onLoss"] = "hold" };
        var put = await Router.SetAsync(body);
        var got = await Router.RouteAsync();
        Assert.Equal(0.25, (double)got["effective"]!["candidate"]!);
        Assert.Equal(0.75, (double)got["effective"]!["baseline"]!);
        foreach (string member in new[] { "name", "fence", "baseline", "candidate", "candidateWeight", "lease", "effective" })
        {
            Assert.Equal(put[member]!.ToJsonString(), got[member]!.ToJsonString());
        }
    }

    [Fact]
    public async Task Fifty_switches_under_load_lose_no_request()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old, New));
        using var http1 = Pki.Client(null, System.Net.HttpVersion.Version11);
        using var stop = new CancellationTokenSource();
        int answered = 0;
        var clients = Enumerable.Range(0, 12).Select(number => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var response = number % 2 == 0 ? await Router.Public.GetAsync("/version") : await http1.GetAsync(Router.Url + "/version");
                response.EnsureSuccessStatusCode();
                Assert.Contains(await response.Content.ReadAsStringAsync(), new[] { Old.Version, New.Version });
                Interlocked.Increment(ref answered);
            }
        })).ToList();
        for (int revision = 2; revision < 52; revision++)
        {
            // Sides change places as well, so that destinations leave, drain and come back.
            var body = (revision % 4) switch
            {
                0 => TestRouter.Body(1, revision, New),
                1 => TestRouter.Body(1, revision, New, Old, 0.5),
                2 => TestRouter.Body(1, revision, Old),
                _ => TestRouter.Body(1, revision, Old, New, 1),
            };
            await Router.SetAsync(body);
            int before = Volatile.Read(ref answered);
            await TestRouter.UntilAsync(() => Task.FromResult(Volatile.Read(ref answered) >= before + 20 || clients.Exists(client => client.IsFaulted)), "20 requests since the switch");
        }
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        var sides = (await Router.StatisticsAsync())["sides"]!.AsArray();
        Assert.All(sides, side => Assert.Equal(0, (long)side!["errors"]!));
        Assert.Equal(answered, sides.Sum(side => (long)side!["requests"]!));
        Assert.True(answered >= 1000, $"{answered} requests");
    }
}
