using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class PreviewTests : World
{
    private const string Token = "preview-token-0123456789";

    [Fact]
    public async Task Only_the_token_shows_the_candidate_at_weight_0()
    {
        var body = TestRouter.Body(1, 1, Old, New);
        body["previewToken"] = Token;
        var put = await Router.SetAsync(body);
        Assert.True((bool)put["preview"]!);
        Assert.DoesNotContain(Token, put.ToJsonString(), StringComparison.Ordinal);

        Assert.Equal(New.Version, await AskAsync(Token));
        Assert.False(New.LastHeaders!.ContainsKey("x-ota-preview"), "the token was passed on");
        Assert.Equal(Old.Version, await AskAsync("candidate"));
        Assert.Equal(Old.Version, await AskAsync(Token + "x"));
        Assert.Equal(Old.Version, await Router.VersionAsync());
    }

    [Fact]
    public async Task Preview_requests_are_counted_apart_from_the_users()
    {
        var body = TestRouter.Body(1, 1, Old, New);
        body["previewToken"] = Token;
        await Router.SetAsync(body);
        await AskAsync(Token);
        Assert.Equal(1, (long)(await Router.SideAsync("preview", New.Release))!["requests"]!);
        Assert.Null(await Router.SideAsync("candidate", New.Release));
    }

    [Fact]
    public async Task Without_a_token_nobody_previews()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old, New));
        Assert.Equal(Old.Version, await AskAsync(""));
        Assert.Equal(Old.Version, await AskAsync("candidate"));
    }

    private async Task<string> AskAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/version") { Version = System.Net.HttpVersion.Version20 };
        request.Headers.TryAddWithoutValidation("x-ota-preview", token);
        using var response = await Router.Public.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}
