using System.Text.Json.Nodes;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.CloudFront;

/// <summary>A distribution as a target, against a double that holds every request against AWS's model and misbehaves on request.</summary>
public sealed class CloudFrontTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private AwsDoubles _aws = null!;
    private EdgeFixture _edge = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsDoubles.StartAsync();
        _edge = await EdgeFixture.StartAsync(_aws, "shop");
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(await _aws.ViolationsAsync());
        Assert.Empty(await _aws.BugsAsync());
        await _edge.DisposeAsync();
        await _aws.DisposeAsync();
    }

    [Fact]
    public async Task There_step_by_step_and_back_to_exactly_what_was()
    {
        var before = await _edge.ConfigAsync();
        await _edge.PrepareAsync();
        Assert.Equal(before, await _edge.ConfigAsync());
        await _edge.ExposeAsync(0);
        Assert.Equal(("aws-cf-cd-ota", "autumn"), ((string)(await _edge.PolicyAsync())!["TrafficConfig"]!["SingleHeaderConfig"]!["Header"]!, (string)(await _edge.PolicyAsync())!["TrafficConfig"]!["SingleHeaderConfig"]!["Value"]!));
        foreach (var (step, share) in new[] { (1, 0.05), (2, 0.15) })
        {
            await _edge.ExposeAsync(step);
            Assert.Equal(share, (double)(await _edge.PolicyAsync())!["TrafficConfig"]!["SingleWeightConfig"]!["Weight"]!, 6);
        }

        await _edge.ExposeAsync(3);
        Assert.Equal(before.Replace("/5.0.3", "/5.1.0", StringComparison.Ordinal), WithoutPolicy(await _edge.ConfigAsync()));
        await _edge.Target.PromoteAsync(_edge.Order(3), _cancellation);
        Assert.Equal(before.Replace("/5.0.3", "/5.1.0", StringComparison.Ordinal), await _edge.ConfigAsync());
        await _edge.RestoreAsync(3);
        Assert.Equal(before, await _edge.ConfigAsync());
        Assert.Equal(0, (await _edge.BesideAsync()).Policies);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Back_from_before_the_promotion_is_one_switch_and_leaves_nothing(int step)
    {
        var before = await _edge.ConfigAsync();
        await _edge.PrepareAsync();
        await _edge.ExposeAsync(0);
        await _edge.ExposeAsync(step);
        int calls = (await _aws.CallsAsync()).Count;
        await _edge.RestoreAsync(step);
        Assert.Equal("UpdateContinuousDeploymentPolicy", (await _aws.CallsAsync()).Skip(calls).First(call => call.Operation!.StartsWith("Update", StringComparison.Ordinal)).Operation);
        Assert.Equal(before, await _edge.ConfigAsync());
        await _edge.Target.RestoreAsync(_edge.Order(step), _cancellation);
        var (staging, policies) = await _edge.BesideAsync();
        Assert.Equal((0, 0), (staging.Count, policies));
    }

    [Fact]
    public async Task What_holds_is_not_written_again()
    {
        await _edge.PrepareAsync();
        var order = await _edge.ExposeAsync(1);
        int writes = await WritesAsync();
        await _edge.Target.ExposeAsync(order, _cancellation);
        await _edge.Target.ExposeAsync(order with { Seen = null }, _cancellation);
        await _edge.ExposeAsync(3);
        Assert.Equal(writes + 1, await WritesAsync());
        await _edge.ExposeAsync(3);
        Assert.Equal(writes + 1, await WritesAsync());
    }

    [Theory]
    [InlineData("UpdateContinuousDeploymentPolicy", 2)]
    [InlineData("UpdateDistribution", 0)]
    [InlineData("UpdateDistributionWithStagingConfig", 3)]
    public async Task An_exposure_under_way_does_not_land_after_the_return(string operation, int step)
    {
        var before = await _edge.ConfigAsync();
        await _edge.PrepareAsync();
        if (step > 0)
        {
            await _edge.ExposeAsync(1);
        }

        await _aws.FaultAsync(new AwsFault("hold", "cloudfront", operation, When: "before"));
        var late = _edge.Target;
        var exposing = late.ExposeAsync(_edge.Order(step), _cancellation);
        while ((await _aws.HeldAsync()).Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, _cancellation);
        }

        // Another process: it knows nothing of the call that is under way.
        _edge.NewTarget();
        await _edge.RestoreAsync(step);
        await _aws.ReleaseAsync();
        await Record.ExceptionAsync(() => exposing);
        Assert.Equal(before, await _edge.ConfigAsync());
    }

    [Fact]
    public async Task A_change_of_the_share_by_hand_is_named_with_its_author_and_not_overwritten()
    {
        await _edge.PrepareAsync();
        await _edge.ExposeAsync(1);
        await _edge.Target.RenewAsync(_edge.Order(1), _cancellation);
        await _edge.WeighAsync(0.11);
        var order = _edge.Order(1);
        var found = await Assert.ThrowsAsync<DriftException>(() => _edge.Target.RenewAsync(order, _cancellation));
        Assert.StartsWith($"{_edge.Distribution} sends 11% to the staging distribution", found.Drift.What, StringComparison.Ordinal);
        Assert.Equal(0.11, found.Drift.Share, 6);
        Assert.Equal("night-shift", await AuthorAsync(order, found.Drift));
        await Assert.ThrowsAsync<DriftException>(() => _edge.Target.ExposeAsync(_edge.Order(2), _cancellation));
        Assert.Equal(0.11, (double)(await _edge.PolicyAsync())!["TrafficConfig"]!["SingleWeightConfig"]!["Weight"]!, 6);
        _edge.Take(found.Drift);
        await _edge.ExposeAsync(2);
    }

    [Fact]
    public async Task A_change_of_anything_else_is_a_drift_and_an_accepted_one_survives_the_promotion()
    {
        await _edge.PrepareAsync();
        await _edge.ExposeAsync(1);
        await _edge.ChangeAsync(config => config["DefaultRootObject"] = "index.html");
        var found = await Assert.ThrowsAsync<DriftException>(() => _edge.Target.RenewAsync(_edge.Order(1), _cancellation));
        Assert.Contains("its configuration was changed", found.Drift.What, StringComparison.Ordinal);
        _edge.Take(found.Drift);
        await _edge.ExposeAsync(3);
        Assert.Contains("index.html", await _edge.ConfigAsync(), StringComparison.Ordinal);
        await _edge.RestoreAsync(3);
        Assert.Contains("index.html", await _edge.ConfigAsync(), StringComparison.Ordinal);
        Assert.Contains("/5.0.3", await _edge.ConfigAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("touch", "UpdateDistribution")]
    [InlineData("touch", "UpdateContinuousDeploymentPolicy")]
    [InlineData("touch", "UpdateDistributionWithStagingConfig")]
    [InlineData("stale", "GetDistribution")]
    [InlineData("stale", "GetContinuousDeploymentPolicy")]
    [InlineData("throttle", "GetDistribution")]
    [InlineData("throttle", "UpdateDistribution")]
    [InlineData("lose", "UpdateDistribution")]
    [InlineData("lose", "UpdateContinuousDeploymentPolicy")]
    [InlineData("lose", "UpdateDistributionWithStagingConfig")]
    [InlineData("error", "UpdateDistributionWithStagingConfig")]
    public async Task What_AWS_may_do_at_any_time_is_neither_a_change_nor_a_failure(string kind, string operation)
    {
        var before = await _edge.ConfigAsync();
        await _edge.PrepareAsync();
        await _aws.FaultAsync(new AwsFault(kind, "cloudfront", operation));
        await _edge.ExposeAsync(1);
        await _aws.FaultAsync(new AwsFault(kind, "cloudfront", operation));
        await _edge.ExposeAsync(2);
        await _edge.Target.RenewAsync(_edge.Order(2), _cancellation);
        await _aws.FaultAsync(new AwsFault(kind, "cloudfront", operation));
        await _edge.ExposeAsync(3);
        await _aws.FaultAsync(new AwsFault(kind, "cloudfront", operation));
        await _edge.RestoreAsync(3);
        Assert.Equal(before, await _edge.ConfigAsync());
    }

    [Theory]
    [InlineData("lose", "CopyDistribution")]
    [InlineData("lose", "UpdateDistribution")]
    [InlineData("lose", "CreateContinuousDeploymentPolicy")]
    [InlineData("error", "CreateContinuousDeploymentPolicy")]
    [InlineData("touch", "CopyDistribution")]
    public async Task What_is_made_is_made_once(string kind, string operation)
    {
        await _aws.FaultAsync(new AwsFault(kind, "cloudfront", operation));
        await Record.ExceptionAsync(() => _edge.PrepareAsync());
        await _edge.PrepareAsync();
        var (staging, policies) = await _edge.BesideAsync();
        Assert.Equal((1, 1), (staging.Count, policies));
    }

    [Fact]
    public async Task The_next_rollout_takes_away_what_one_left_that_never_began()
    {
        await _edge.PrepareAsync();
        var next = _edge.Order(-1) with { Rollout = "winter", Fence = new Fence(2, 1) };
        for (int asked = 0; asked < 10; asked++)
        {
            await _edge.Target.PrepareAsync(next, _cancellation);
        }

        var (staging, policies) = await _edge.BesideAsync();
        Assert.Equal(1, policies);
        Assert.Contains("winter", (string)Assert.Single(staging)["config"]!["CallerReference"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_continuous_deployment_does_not_know_is_refused_by_name()
    {
        await using var http3 = await EdgeFixture.StartAsync(_aws, "fast", httpVersion: "http2and3");
        Assert.Contains("HTTP/3", (await http3.Target.PrepareAsync(http3.Order(-1), _cancellation)).Problem, StringComparison.Ordinal);
        Assert.Contains("not to the fallback", (await _edge.Target.PrepareAsync(_edge.Order(-1) with { Fallback = EdgeFixture.Candidate }, _cancellation)).Problem, StringComparison.Ordinal);
        Assert.Contains("the same origin", (await _edge.Target.PrepareAsync(_edge.Order(-1) with { Candidate = EdgeFixture.Fallback }, _cancellation)).Problem, StringComparison.Ordinal);
        Assert.Contains("no groups", (await _edge.Target.PrepareAsync(_edge.Order(-1) with { Steps = [new TargetStep(0, "lab")] }, _cancellation)).Problem, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TargetException>(() => _edge.Target.PrepareAsync(_edge.Order(-1) with { Candidate = EdgeFixture.Candidate with { Artifacts = new Dictionary<string, string> { ["cloudfront"] = "http://api.example.com" } } }, _cancellation));
        await _edge.PrepareAsync();
        await _edge.ExposeAsync(1);
        Assert.Contains("continuous deployment policy", (await _edge.Target.PrepareAsync(_edge.Order(-1) with { Rollout = "winter" }, _cancellation)).Problem, StringComparison.Ordinal);
        Assert.Empty((await http3.BesideAsync()).Staging);
    }

    [Fact]
    public async Task The_sheet_takes_it_back_by_hand_before_and_after_the_promotion()
    {
        var before = await _edge.ConfigAsync();
        await _edge.PrepareAsync();
        var sheet = CloudFrontUndo.Commands(_edge.Distribution, EdgeFixture.Fallback, AwsShell.Quoted).ToList();
        foreach (var step in new[] { 2, 3 })
        {
            await _edge.ExposeAsync(step);
            await AwsShell.RunAsync(_aws, "cloudfront", sheet[0].Command);
            Assert.Equal(before, await _edge.ConfigAsync());
            _edge.Forget();
        }

        await _aws.SetAsync(new { cloudfrontPendingReads = 0 });
        await AwsShell.RunAsync(_aws, "cloudfront", string.Join('\n', sheet.Select(undo => undo.Command)));
        Assert.Equal(before, await _edge.ConfigAsync());
    }

    private static string WithoutPolicy(string config)
    {
        var plain = JsonNode.Parse(config)!;
        plain["ContinuousDeploymentPolicyId"] = "";
        return plain.ToJsonString();
    }

    private async Task<int> WritesAsync() => (await _aws.CallsAsync()).Count(call => call.User == "ota-orchestrator" && call.Operation!.StartsWith("Update", StringComparison.Ordinal));

    private async Task<string> AuthorAsync(TargetOrder order, Drift drift)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        string author;
        while ((author = await _edge.Target.AuthorAsync(order, drift, patience.Token)).Length == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience.Token);
        }

        return author;
    }
}
