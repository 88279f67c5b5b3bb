using System.Net;
using System.Text.Json.Nodes;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class StickyTests : World
{
    private const string Name = "__Secure-ota-api";

    [Fact]
    public async Task The_cookie_is_the_routes_and_tells_nobody_apart()
    {
        await Router.SetAsync(Sticky(1, 1, 0.5));
        string cookie = Assert.Single((await AskAsync(null)).Given!);
        Assert.Matches("^__Secure-ota-api=[0-9a-f]{4}[A-Za-z0-9_-]{11}; max-age=3600; path=/; secure; samesite=lax; httponly$", cookie);
    }

    [Fact]
    public async Task A_client_keeps_its_side_while_the_weight_rises_and_a_return_moves_everybody()
    {
        const int Clients = 300;
        await Router.SetAsync(Sticky(1, 1, 0.25));
        var cookies = (await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => AskAsync(null)))).Select(answer => answer.Cookie!).ToArray();
        var before = await SidesAsync(cookies);
        Assert.Equal(before, await SidesAsync(cookies));
        // Five standard deviations.
        Assert.InRange(before.Count(side => side == New.Version), 37, 113);

        await Router.SetAsync(Sticky(1, 2, 0.75));
        var after = await SidesAsync(cookies);
        Assert.All(before.Zip(after), sides => Assert.False(sides.First == New.Version && sides.Second == Old.Version, "a client left the candidate"));
        Assert.InRange(after.Count(side => side == New.Version), 187, 263);

        await Router.SetAsync(Sticky(1, 3, 0));
        Assert.All(await SidesAsync(cookies), side => Assert.Equal(Old.Version, side));
    }

    [Fact]
    public async Task Only_a_valid_cookie_counts_and_a_client_that_has_one_gets_no_other()
    {
        await Router.SetAsync(Sticky(1, 1, 0.5));
        var first = await AskAsync(null);
        Assert.Null((await AskAsync(first.Cookie)).Given);
        foreach (string forged in new[] { $"{Name}=0000AAAAAAAAAAA", $"{Name}=", $"{Name}=zzzz", first.Cookie![..^1], first.Cookie + "x", $"{Name}={new string('a', 2000)}" })
        {
            var answer = await AskAsync(forged);
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.NotNull(answer.Cookie);
        }
    }

    [Fact]
    public async Task The_next_rollout_draws_anew_and_without_stickiness_nothing_is_given()
    {
        await Router.SetAsync(Sticky(1, 1, 0.5));
        var first = await AskAsync(null);
        await Router.SetAsync(Sticky(2, 1, 0.5));
        Assert.NotNull((await AskAsync(first.Cookie)).Cookie);
        await Router.SetAsync(TestRouter.Body(3, 1, Old, New, 0.5));
        Assert.Null((await AskAsync(null)).Given);
    }

    [Fact]
    public async Task A_restart_keeps_clients_where_they_are()
    {
        await Router.SetAsync(Sticky(1, 1, 0.5));
        var cookies = (await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => AskAsync(null)))).Select(answer => answer.Cookie!).ToArray();
        var before = await SidesAsync(cookies);
        await Router.DisposeAsync();
        Router = await TestRouter.StartAsync(Pki);
        Assert.Equal(before, await SidesAsync(cookies));
    }

    private JsonObject Sticky(long epoch, long revision, double weight)
    {
        var body = TestRouter.Body(epoch, revision, Old, New, weight);
        body["stickySeconds"] = 3600;
        return body;
    }

    private async Task<string[]> SidesAsync(IEnumerable<string> cookies) => [.. (await Task.WhenAll(cookies.Select(AskAsync))).Select(answer => answer.Version)];

    private async Task<(HttpStatusCode Status, string Version, string[]? Given, string? Cookie)> AskAsync(string? cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/version") { Version = HttpVersion.Version20 };
        if (cookie is not null)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookie);
        }
        using var response = await Router.Public.SendAsync(request);
        string[]? given = response.Headers.TryGetValues("Set-Cookie", out var values) ? [.. values] : null;
        return (response.StatusCode, await response.Content.ReadAsStringAsync(), given, given?[0].Split(';')[0]);
    }
}
