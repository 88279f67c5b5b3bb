using System.Net;
using System.Text.Json.Nodes;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class MirrorTests : World
{
    [Fact]
    public async Task Users_get_the_baselines_answers_and_the_candidate_a_copy_of_each_request()
    {
        await Router.SetAsync(Mirrored(1));
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(Old.Version, await Router.Public.GetStringAsync("/version?n=" + i));
        }
        await CopiesAsync(20);
        Assert.Equal("1", New.LastHeaders!["x-ota-mirror"]);
        Assert.False(Old.LastHeaders!.ContainsKey("x-ota-mirror"));
        // Counted apart: no user was on the candidate.
        Assert.Null(await Router.SideAsync("candidate", New.Release));
        Assert.Equal(20, (long)(await Router.SideAsync("baseline", Old.Release))!["requests"]!);
    }

    [Fact]
    public async Task What_the_candidate_answers_to_copies_is_nobodys_error_but_shows()
    {
        await Router.SetAsync(Mirrored(1));
        await New.DisposeAsync();
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(Old.Version, await Router.VersionAsync());
        }
        var copies = await CopiesAsync(5);
        Assert.Equal(5, (long)copies["errors"]!);
        Assert.Equal(0, (long)(await Router.SideAsync("baseline", Old.Release))!["errors"]!);
    }

    [Fact]
    public async Task A_candidate_that_does_not_answer_holds_no_user_up()
    {
        await Router.SetAsync(Mirrored(1));
        Old.LetGo();
        // More than may be under way at once: the rest is left out.
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Router.Public.GetStringAsync("/wait"))), version => Assert.Equal(Old.Version, version));
        await New.WaitingAsync();
        New.LetGo();
        await TestRouter.UntilAsync(async () => await Router.SideAsync("mirror", New.Release) is { } side && (long)side["requests"]! is > 0 and <= 200
            && (long)(await Router.DestinationAsync(New))["concurrentRequests"]! == 0, "the copies end");
    }

    [Fact]
    public async Task Only_safe_methods_are_copied_unless_the_router_is_told_otherwise()
    {
        await Router.SetAsync(Mirrored(1));
        Assert.Equal("5.0.3 hello", await PostAsync("hello"));
        Assert.Equal(Old.Version, await Router.VersionAsync());
        await CopiesAsync(1);
        Assert.Equal("", New.LastBody);

        await Router.DisposeAsync();
        Router = await TestRouter.StartAsync(Pki, TestRouter.Options(Pki) with { MirrorMethods = ["GET", "POST"] });
        Assert.Equal("5.0.3 hello", await PostAsync("hello"));
        await CopiesAsync(1);
        Assert.Equal("hello", New.LastBody);
        // Whole or not at all.
        string large = new('x', 64 * 1024 + 1);
        Assert.Equal("5.0.3 " + large, await PostAsync(large));
        Assert.Equal(Old.Version, await Router.VersionAsync());
        await CopiesAsync(2);
        Assert.Equal("hello", New.LastBody);
    }

    [Fact]
    public async Task The_share_is_the_share_of_requests_that_is_copied()
    {
        await Router.SetAsync(Mirrored(0.25));
        for (int i = 0; i < 400; i++)
        {
            await Router.VersionAsync();
        }
        await TestRouter.UntilAsync(async () => (long)(await Router.DestinationAsync(New))["concurrentRequests"]! == 0, "the copies end");
        // Five standard deviations.
        Assert.InRange((long)(await Router.SideAsync("mirror", New.Release))!["requests"]!, 57, 143);
    }

    private JsonObject Mirrored(double share)
    {
        var body = TestRouter.Body(1, 1, Old, New);
        body["mirror"] = share;
        return body;
    }

    private async Task<string> PostAsync(string text)
    {
        using var response = await Router.Public.PostAsync("/echo", new StringContent(text));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    private async Task<JsonNode> CopiesAsync(long requests)
    {
        await TestRouter.UntilAsync(async () => (long?)(await Router.SideAsync("mirror", New.Release))?["requests"] == requests, $"{requests} copies");
        return (await Router.SideAsync("mirror", New.Release))!;
    }
}
