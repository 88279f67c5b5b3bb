using System.Net;
using System.Text.Json.Nodes;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

/// <summary>What is only true of a process: that it can be killed, and carry on.</summary>
public sealed class ProcessTests : TwoBackends
{
    [Fact]
    public async Task A_killed_router_comes_back_with_its_weights_and_its_fence()
    {
        string instance;
        await using (var first = await RouterProcess.StartAsync(Pki))
        {
            await first.Router.SetAsync(TestRouter.Body(3, 17, Old, New, 0.25));
            instance = (string)first.ReadyLine["instance"]!;
            await first.KillAsync();
        }
        await using var second = await RouterProcess.StartAsync(Pki);
        var route = await second.Router.RouteAsync();
        Assert.Equal(0.25, (double)route["effective"]!["candidate"]!);
        using var late = await second.Router.PutAsync(TestRouter.Body(3, 16, Old));
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        var statistics = await second.Router.StatisticsAsync();
        Assert.NotEqual(instance, (string)statistics["instance"]!);
        string[] versions = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => second.Router.VersionAsync()));
        Assert.Equal(2, versions.Distinct().Count());
    }

    [Fact]
    public async Task A_router_whose_orchestrator_is_silent_keeps_answering_with_its_weights()
    {
        await using var router = await RouterProcess.StartAsync(Pki);
        await router.Router.SetAsync(TestRouter.Body(3, 17, Old, New, 1));
        // The only administrator goes away for good.
        router.Router.Admin.Dispose();
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => router.Router.VersionAsync())), version => Assert.Equal(New.Version, version));
    }

    [Fact]
    public async Task Told_to_stop_it_finishes_what_it_has()
    {
        await using var router = await RouterProcess.StartAsync(Pki, "--baseline", $"api={Old.Release}={Old.Url}");
        var slow = router.Router.Public.GetStringAsync("/wait");
        await Old.WaitingAsync();
        router.Terminate();
        using var other = Pki.Client(null);
        await TestRouter.UntilAsync(async () =>
        {
            try
            {
                await other.GetStringAsync(router.Router.Url + "/version");
                return false;
            }
            catch (HttpRequestException)
            {
                return true;
            }
        }, "it takes no new connections");
        Assert.False(slow.IsCompleted);
        Old.LetGo();
        Assert.Equal(Old.Version, await slow);
        Assert.Equal(0, await router.ExitAsync());
    }

    [Fact]
    public async Task The_ready_file_says_where_it_listens_and_the_baseline_is_only_a_beginning()
    {
        string ready = Path.Combine(Pki.Folder, "ready.json");
        string[] arguments = ["--ready-file", ready, "--baseline", $"api={Old.Release}={Old.Url}"];
        await using (var first = await RouterProcess.StartAsync(Pki, arguments))
        {
            Assert.Equal(first.Router.Url, (string?)JsonNode.Parse(File.ReadAllText(ready))!["url"]);
            Assert.Equal(Old.Version, await first.Router.VersionAsync());
            await first.Router.SetAsync(TestRouter.Body(1, 1, New));
            await first.KillAsync();
        }
        await using var second = await RouterProcess.StartAsync(Pki, arguments);
        Assert.Equal(New.Version, await second.Router.VersionAsync());
    }

    [Fact]
    public async Task It_does_not_start_with_a_damaged_state()
    {
        File.WriteAllText(Path.Combine(Pki.Folder, "state.json"), """{"format":1,"sha256":"00","routes":[]}""");
        var (code, errors) = await RouterProcess.RunAsync(Pki);
        Assert.Equal(1, code);
        Assert.StartsWith("error: ", errors, StringComparison.Ordinal);
        Assert.Contains("does not start without its weights and fences", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_routers_do_not_share_a_state()
    {
        await using var first = await RouterProcess.StartAsync(Pki);
        var (code, errors) = await RouterProcess.RunAsync(Pki);
        Assert.Equal(1, code);
        Assert.Contains("another router", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_options_are_all_told_at_once()
    {
        var (code, errors) = await RouterProcess.RunAsync(Pki, "--surprise", "--grace-seconds", "-1", "--match", "=x", "--preview-token-file", "/nowhere");
        Assert.Equal(2, code);
        Assert.Equal(4, errors.Split('\n').Count(line => line.StartsWith("error: ", StringComparison.Ordinal)));
    }
}
