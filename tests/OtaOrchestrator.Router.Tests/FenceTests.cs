using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class FenceTests : World
{
    [Theory]
    [InlineData(3, 16)]
    [InlineData(2, 99)]
    public async Task A_write_with_a_lower_fence_is_refused_and_changes_nothing(long epoch, long revision)
    {
        await Router.SetAsync(TestRouter.Body(3, 17, Old));
        using var late = await Router.PutAsync(TestRouter.Body(epoch, revision, Old, New, 1));
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        Assert.Equal("application/problem+json", late.Content.Headers.ContentType!.MediaType);
        var problem = (await late.Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal("fence", (string?)problem["error"]);
        Assert.Equal(17, (long)problem["fence"]!["revision"]!);
        Assert.Equal(3, (long)problem["fence"]!["epoch"]!);
        Assert.Null((await Router.RouteAsync())["candidate"]);
        Assert.Equal(Old.Version, await Router.VersionAsync());
    }

    [Fact]
    public async Task A_higher_epoch_counts_before_a_higher_revision()
    {
        await Router.SetAsync(TestRouter.Body(3, 17, Old));
        await Router.SetAsync(TestRouter.Body(4, 1, New));
        Assert.Equal(New.Version, await Router.VersionAsync());
    }

    [Fact]
    public async Task Repeating_a_write_is_accepted_and_changes_nothing()
    {
        await Router.SetAsync(TestRouter.Body(3, 17, Old, New, 0.5));
        var before = await Router.RouteAsync();
        await Router.SetAsync(TestRouter.Body(3, 17, Old, New, 0.5));
        Assert.Equal(before["destinations"]!.AsArray().Count, (await Router.RouteAsync())["destinations"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_same_fence_with_another_body_is_refused()
    {
        await Router.SetAsync(TestRouter.Body(3, 17, Old, New, 0.5));
        using var other = await Router.PutAsync(TestRouter.Body(3, 17, Old, New, 0.6));
        Assert.Equal(HttpStatusCode.Conflict, other.StatusCode);
        Assert.Equal(0.5, (double)(await Router.RouteAsync())["candidateWeight"]!);
    }

    [Fact]
    public async Task Of_many_writes_at_once_the_highest_fence_holds()
    {
        var answers = await Task.WhenAll(Enumerable.Range(1, 40).Select(revision => Router.PutAsync(TestRouter.Body(1, revision, Old, New, revision / 100.0))));
        Assert.All(answers, answer => Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.Conflict }));
        Assert.Equal(0.4, (double)(await Router.RouteAsync())["effective"]!["candidate"]!);
    }
}
