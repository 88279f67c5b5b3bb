using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.CodeDeploy;

/// <summary>A deployment group as a target, on each platform, against a double that misbehaves on request.</summary>
public sealed class CodeDeployTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private AwsDoubles _aws = null!;

    public async ValueTask InitializeAsync() => _aws = await AwsDoubles.StartAsync();

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(await _aws.ViolationsAsync());
        Assert.Empty(await _aws.BugsAsync());
        await _aws.DisposeAsync();
    }

    [Theory]
    [InlineData("Lambda")]
    [InlineData("ECS")]
    [InlineData("Server")]
    public async Task There_and_back_after_success_by_a_deployment_of_what_was(string platform)
    {
        await using var group = await GroupFixture.StartAsync(_aws, platform, "api");
        var before = await group.ServesAsync();
        await group.PrepareAsync();
        await group.ExposeAsync(0);
        Assert.Contains(platform == "ECS" ? "api:1" : before, await group.ServesAsync(), StringComparison.Ordinal);
        await group.ExposeAsync(1);
        await group.Target.PromoteAsync(group.Order(1), _cancellation);
        Assert.NotEqual(before, await group.ServesAsync());
        await group.Target.RenewAsync(group.Order(1), _cancellation);
        Assert.Equal(1, await group.CreatedAsync());

        await group.RestoreAsync(1);
        await group.RestoreAsync(1);
        Assert.Equal(before, await group.ServesAsync());
        Assert.Equal(2, await group.CreatedAsync());
    }

    [Theory]
    [InlineData("Lambda")]
    [InlineData("ECS")]
    public async Task Stopped_under_way_it_is_done_only_when_CodeDeploy_s_own_rollback_is(string platform)
    {
        await using var group = await GroupFixture.StartAsync(_aws, platform, "api", slow: platform == "Lambda");
        var before = await group.ServesAsync();
        await group.PrepareAsync();
        var order = group.Order(platform == "ECS" ? 0 : 1);
        if (platform == "ECS")
        {
            await group.ReachAsync(order);
        }
        else
        {
            await group.Target.ExposeAsync(order, _cancellation);
            while (await group.ServesAsync() == before)
            {
                Assert.False((await group.Target.ReadAsync(order, _cancellation)).Agrees);
            }
        }

        await group.RestoreAsync(1);
        Assert.Equal(before, await group.ServesAsync());
        Assert.Equal(1, await group.CreatedAsync());
    }

    [Theory]
    [InlineData("Lambda", "lose", "CreateDeployment")]
    [InlineData("Lambda", "throttle", "CreateDeployment")]
    [InlineData("Lambda", "throttle", "ListDeployments")]
    [InlineData("Lambda", "error", "BatchGetDeployments")]
    [InlineData("Server", "lose", "CreateDeployment")]
    [InlineData("Server", "error", "BatchGetDeployments")]
    [InlineData("ECS", "lose", "CreateDeployment")]
    [InlineData("ECS", "lose", "ContinueDeployment")]
    [InlineData("ECS", "throttle", "ContinueDeployment")]
    [InlineData("ECS", "lose", "StopDeployment")]
    public async Task A_deployment_is_created_once_whatever_becomes_of_the_answers(string platform, string kind, string operation)
    {
        await using var group = await GroupFixture.StartAsync(_aws, platform, "api");
        var before = await group.ServesAsync();
        await group.PrepareAsync();
        await _aws.FaultAsync(new AwsFault(kind, "codedeploy", operation));
        var order = group.Order(1);
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await group.ReachAsync(order);
                break;
            }
            catch (Exception error) when (attempt < 3 && error is not (TargetException or DriftException or Xunit.Sdk.XunitException))
            {
                // Tried again, as an effect is.
            }
        }

        // Older than the deployment that was just made: neither somebody else's nor a reason for another.
        foreach (var read in (string[])["ListDeployments", "GetDeploymentGroup"])
        {
            await _aws.FaultAsync(new AwsFault("stale", "codedeploy", read));
            await group.ExposeAsync(1);
        }

        await _aws.FaultAsync(new AwsFault("stale", "codedeploy", "GetDeploymentGroup"));
        await group.Target.RenewAsync(group.Order(1), _cancellation);
        await group.RestoreAsync(1);
        Assert.Equal(before, await group.ServesAsync());
        // What waits for its end is stopped, and CodeDeploy itself goes back.
        Assert.Equal(platform == "ECS" ? 1 : 2, (await _aws.CallsAsync()).Count(call => call is { Operation: "CreateDeployment", User: "ota-orchestrator", Error: null }));
    }

    [Theory]
    [InlineData("ListDeployments")]
    [InlineData("GetDeploymentGroup")]
    public async Task Reads_older_than_the_deployment_do_not_pass_for_a_return(string read)
    {
        await using var group = await GroupFixture.StartAsync(_aws, "Lambda", "api");
        var before = await group.ServesAsync();
        await group.PrepareAsync();
        await group.ExposeAsync(1);
        await _aws.FaultAsync(new AwsFault("stale", "codedeploy", read, Times: 4));
        await group.RestoreAsync(1);
        Assert.Equal(before, await group.ServesAsync());
    }

    [Fact]
    public async Task A_deployment_by_hand_is_named_and_nothing_is_put_on_top_of_it()
    {
        await using var group = await GroupFixture.StartAsync(_aws, "Server", "api");
        await group.PrepareAsync();
        await group.ExposeAsync(1);
        await group.DeployAsync(7);
        var found = await Assert.ThrowsAsync<DriftException>(() => group.Target.RenewAsync(group.Order(1), _cancellation));
        Assert.Contains("by hand", found.Drift.What, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DriftException>(() => group.Target.ExposeAsync(group.Order(1) with { Attempt = 2 }, _cancellation));
        Assert.Equal(1, await group.CreatedAsync());
    }

    [Fact]
    public async Task A_deployment_that_fails_is_told_with_its_reason_and_goes_back()
    {
        await using var group = await GroupFixture.StartAsync(_aws, "Server", "api");
        var before = await group.ServesAsync();
        await group.PrepareAsync();
        await _aws.AdminAsync("codedeploy/failing", new { application = "api", group = "all", targets = new[] { "i-1", "i-2" } });
        var failed = await Assert.ThrowsAsync<TargetException>(() => group.ExposeAsync(1));
        Assert.Contains("is Failed", failed.Message, StringComparison.Ordinal);
        await _aws.AdminAsync("codedeploy/failing", new { application = "api", group = "all", targets = Array.Empty<string>() });
        await group.RestoreAsync(1);
        Assert.Equal(before, await group.ServesAsync());
    }

    [Fact]
    public void By_hand_it_goes_back_to_the_very_object_that_was_published()
    {
        TargetRelease Release(string version) => new("api", version, "sha256:1") { Artifacts = new Dictionary<string, string> { ["codedeploy"] = $"s3://releases/{version}.zip?bundleType=tgz&version=v{version}&eTag=e{version}" } };
        var order = new TargetOrder { Environment = "production", Target = "api/all", Rollout = "autumn", Lane = "api", Fence = new Fence(1, 1), Candidate = Release("2"), Fallback = Release("1"), Steps = [new(1, null)], Step = 0 };
        var commands = OtaOrchestrator.Aws.CodeDeploy.CodeDeployUndo.Commands("api", "all", "eu-central-1", order, text => $"'{text}'").Select(command => command.Command).ToList();
        Assert.Equal(2, commands.Count);
        Assert.Contains("""{"revisionType":"S3","s3Location":{"bucket":"releases","key":"1.zip","bundleType":"tgz","version":"v1","eTag":"e1"}}""", commands[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a share", "knows everybody and nobody")]
    [InlineData("no artifact", "no artifact for CodeDeploy")]
    [InlineData("another platform's", "is not s3://bucket/key")]
    [InlineData("another fallback", "not the fallback")]
    [InlineData("under way", "is under way")]
    public async Task Preparation_says_what_is_in_the_way_and_deploys_nothing(string wrong, string expected)
    {
        await using var group = await GroupFixture.StartAsync(_aws, "Server", "api");
        var order = group.Order(-1);
        order = wrong switch
        {
            "a share" => order with { Steps = [new(0.5, null), new(1, null)] },
            "no artifact" => order with { Candidate = order.Candidate with { Artifacts = new Dictionary<string, string>() } },
            "another platform's" => order with { Candidate = order.Candidate with { Artifacts = new Dictionary<string, string> { ["codedeploy"] = "lambda:api:live:2" } } },
            "another fallback" => order with { Fallback = group.Release(9) },
            _ => order,
        };
        if (wrong == "under way")
        {
            await _aws.SetAsync(new { codedeployStepSeconds = 60 });
            await group.DeployAsync(3);
        }

        string problem;
        try
        {
            problem = (await group.Target.PrepareAsync(order, _cancellation)).Problem ?? "";
        }
        catch (TargetException refusal)
        {
            problem = refusal.Message;
        }

        Assert.Contains(expected, problem, StringComparison.Ordinal);
        Assert.Equal(0, await group.CreatedAsync());
    }

    [Fact]
    public Task Whatever_call_it_dies_at_it_ends_right_and_nothing_is_made_twice() => DyingAsync("Lambda", every: 3);

    [Theory]
    [Trait("Gate", "Full")]
    [InlineData("Lambda")]
    [InlineData("ECS")]
    [InlineData("Server")]
    public Task At_each_call_it_may_die_and_it_ends_right_and_nothing_is_made_twice(string platform) => DyingAsync(platform, every: 1);

    private async Task DyingAsync(string platform, int every)
    {
        int calls = await ThereAndBackAsync(platform, "counted", new Crashing());
        Assert.True(calls > 10, $"{calls} calls");
        int died = 0;
        // The number of looks differs from run to run; what comes after the last one is a look more.
        for (int at = 1; at <= calls; at += every)
        {
            foreach (var after in (bool[])[false, true])
            {
                var crashing = new Crashing { At = at, AfterActing = after };
                await ThereAndBackAsync(platform, $"api-{at}-{after}", crashing);
                died += crashing.Calls >= at ? 1 : 0;
            }
        }

        Assert.True(died > calls / every, $"{died} of {2 * calls / every}");
    }

    private async Task<int> ThereAndBackAsync(string platform, string application, Crashing crashing)
    {
        await using var group = await GroupFixture.StartAsync(_aws, platform, application, crashing);
        var before = await group.ServesAsync();
        await Crashing.ResumedAsync(() => group.NewTarget(), async () => group.Keep(await group.Target.PrepareAsync(group.Order(-1), default)));
        foreach (int step in (int[])[0, 1])
        {
            var order = group.Order(step);
            await Crashing.ResumedAsync(() => group.NewTarget(), () => group.ReachAsync(order));
        }

        var promote = group.Order(1);
        await Crashing.ResumedAsync(() => group.NewTarget(), () => group.Target.PromoteAsync(promote, default));
        Assert.NotEqual(before, await group.ServesAsync());
        var restore = group.Order(1);
        await Crashing.ResumedAsync(() => group.NewTarget(), () => group.RestoreAsync(restore));
        Assert.Equal(before, await group.ServesAsync());
        Assert.Equal(2, await group.CreatedAsync());
        return crashing.Calls;
    }
}
