using OtaOrchestrator.Aws.Lambda;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.Lambda;

/// <summary>An alias as a target, against a double that holds every request against AWS's model and misbehaves on request.</summary>
public sealed class LambdaAliasTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private AwsDoubles _aws = null!;
    private AliasFixture _alias = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsDoubles.StartAsync();
        _alias = await AliasFixture.StartAsync(_aws, "api");
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(await _aws.ViolationsAsync());
        Assert.Empty(await _aws.BugsAsync());
        await _alias.DisposeAsync();
        await _aws.DisposeAsync();
    }

    [Fact]
    public async Task There_step_by_step_and_back_to_exactly_what_was()
    {
        var before = await _alias.ServesAsync();
        await _alias.PrepareAsync();
        Assert.Equal(before, await _alias.ServesAsync());
        foreach (var (step, serves) in new[] { (0, ""), (1, "0.05"), (2, "0.5"), (3, "\"FunctionVersion\":\"2\"") })
        {
            await _alias.ExposeAsync(step);
            Assert.True(step == 0 ? await _alias.ServesAsync() == before : (await _alias.ServesAsync()).Contains(serves, StringComparison.Ordinal), await _alias.ServesAsync());
        }

        await _alias.Target.PromoteAsync(_alias.Order(3), _cancellation);
        await _alias.RestoreAsync(3);
        Assert.Equal(before, await _alias.ServesAsync());
    }

    [Fact]
    public async Task What_holds_is_not_written_again()
    {
        await _alias.PrepareAsync();
        var order = await _alias.ExposeAsync(1);
        await _alias.Target.ExposeAsync(order, _cancellation);
        await _alias.Target.ExposeAsync(order with { Seen = null }, _cancellation);
        Assert.Equal(1, await _alias.CallsAsync("UpdateAlias"));
        await _alias.RestoreAsync(1);
        await _alias.RestoreAsync(1);
        Assert.Equal(2, await _alias.CallsAsync("UpdateAlias"));
    }

    [Fact]
    public async Task A_change_by_hand_is_named_and_not_overwritten()
    {
        await _alias.PrepareAsync();
        var order = await _alias.ExposeAsync(1);
        await _alias.Target.RenewAsync(_alias.Order(1), _cancellation);
        await _alias.MoveAsync("1", "2", 0.4);
        var found = await Assert.ThrowsAsync<DriftException>(() => _alias.Target.RenewAsync(_alias.Order(1), _cancellation));
        Assert.Equal(("api:live sends 60% to 1, 40% to 2; it was 95% to 1, 5% to 2", 0.4), (found.Drift.What, found.Drift.Share));
        await Assert.ThrowsAsync<DriftException>(() => _alias.Target.ExposeAsync(_alias.Order(2), _cancellation));
        Assert.Contains("0.4", await _alias.ServesAsync(), StringComparison.Ordinal);

        // Who has seen it may take it.
        _alias.Take(found.Drift);
        await _alias.ExposeAsync(2);

        // Going back asks nobody.
        await _alias.MoveAsync("2");
        await _alias.RestoreAsync(2);
    }

    [Fact]
    public async Task Who_changed_it_is_known_when_CloudTrail_knows_it()
    {
        await _aws.SetAsync(new { cloudtrailDelaySeconds = 3600 });
        await _alias.PrepareAsync();
        await _alias.ExposeAsync(1);
        await _alias.MoveAsync("1", "2", 0.4);
        var found = await Assert.ThrowsAsync<DriftException>(() => _alias.Target.RenewAsync(_alias.Order(1), _cancellation));
        Assert.Equal("", await _alias.Target.AuthorAsync(_alias.Order(1), found.Drift, _cancellation));
        await _aws.SetAsync(new { cloudtrailDelaySeconds = 0 });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        string author;
        while ((author = await _alias.Target.AuthorAsync(_alias.Order(1), found.Drift, patience.Token)).Length == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience.Token);
        }

        Assert.Equal("night-shift", author);
    }

    [Theory]
    [InlineData("touch", "UpdateAlias")]
    [InlineData("stale", "GetAlias")]
    [InlineData("throttle", "UpdateAlias")]
    [InlineData("throttle", "GetAlias")]
    [InlineData("lose", "UpdateAlias")]
    [InlineData("error", "UpdateAlias")]
    public async Task What_AWS_may_do_at_any_time_is_neither_a_change_nor_a_failure(string kind, string operation)
    {
        await _alias.PrepareAsync();
        await _alias.ExposeAsync(1);
        await _aws.FaultAsync(new AwsFault(kind, "lambda", operation, Times: 2));
        await _alias.ExposeAsync(2);
        await _aws.FaultAsync(new AwsFault(kind, "lambda", operation, Times: 2));
        await _alias.Target.RenewAsync(_alias.Order(2), _cancellation);
        await _alias.RestoreAsync(2);
    }

    [Fact]
    public async Task Reads_older_than_the_exposure_do_not_pass_for_a_return()
    {
        var before = await _alias.ServesAsync();
        await _alias.PrepareAsync();
        await _alias.ExposeAsync(1);
        await _aws.FaultAsync(new AwsFault("stale", "lambda", "GetAlias", Times: 3));
        await _alias.RestoreAsync(1);
        Assert.Equal(before, await _alias.ServesAsync());
    }

    [Fact]
    public async Task An_exposure_under_way_does_not_land_after_the_return()
    {
        var before = await _alias.ServesAsync();
        await _alias.PrepareAsync();
        var fault = await _aws.FaultAsync(new AwsFault("hold", "lambda", "UpdateAlias", When: "before"));
        var late = _alias.Target.ExposeAsync(_alias.Order(1), _cancellation);
        while ((await _aws.HeldAsync()).Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, _cancellation);
        }

        await _alias.RestoreAsync(1);
        await _aws.ReleaseAsync(fault.Id);
        await Assert.ThrowsAsync<TargetException>(() => late);
        Assert.Equal(before, await _alias.ServesAsync());
    }

    [Fact]
    public async Task A_change_between_two_reads_is_not_overwritten()
    {
        await _alias.PrepareAsync();
        await _alias.ExposeAsync(1);
        await _aws.FaultAsync(new AwsFault("stale", "lambda", "GetAlias"));
        await _aws.FaultAsync(new AwsFault("move", "lambda", "GetAlias", Skip: 2, Change: new AwsChange("UpdateAlias", new
        {
            FunctionName = "api", Name = "live", FunctionVersion = "1", RoutingConfig = new { AdditionalVersionWeights = new Dictionary<string, double> { ["2"] = 0.4 } },
        }), User: "night-shift"));
        await Assert.ThrowsAsync<DriftException>(() => _alias.Target.ExposeAsync(_alias.Order(2), _cancellation));
        Assert.Contains("0.4", await _alias.ServesAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_taken_over_counts_once_however_often_it_was_brought()
    {
        await _alias.PrepareAsync();
        await _aws.ActAsync("lambda", "UpdateFunctionCode", new { FunctionName = "api", S3Bucket = "builds", S3Key = "somebody-s.zip", Publish = true });
        await _alias.MoveAsync("3", "2", 0.5);
        var twice = new Predecessor("spring", "api", AliasFixture.Candidate.ToString(), AliasFixture.Candidate.Digest, 1, []);
        var order = _alias.Order(-1) with { Seen = null, Candidate = AliasFixture.Release("5.2.0", $"s3://builds/api-5.2.0.zip?sha256={AliasFixture.Sha256("builds/api-5.2.0.zip//")}"), Predecessors = [twice, twice with { Rollout = "summer" }] };
        Assert.Contains("not everything to the fallback", (await _alias.Target.PrepareAsync(order, _cancellation)).Problem, StringComparison.Ordinal);

        // What it took over is known by what was seen, whatever published it.
        await _alias.MoveAsync("1", "3", 0.5);
        Assert.Contains("not everything", (await _alias.Target.PrepareAsync(order, _cancellation)).Problem, StringComparison.Ordinal);
        var seen = new AliasState("1", "3", 0.5, "", 0).ToJson();
        Assert.Null((await _alias.Target.PrepareAsync(order with { Seen = seen }, _cancellation)).Problem);
    }

    [Theory]
    [InlineData("lose", "PublishVersion")]
    [InlineData("lose", "UpdateFunctionCode")]
    [InlineData("touch", "PublishVersion")]
    [InlineData("touch", "UpdateFunctionCode")]
    [InlineData("throttle", "PublishVersion")]
    public async Task A_release_is_published_once_whatever_becomes_of_the_answers(string kind, string operation)
    {
        await _aws.FaultAsync(new AwsFault(kind, "lambda", operation));
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await _alias.PrepareAsync();
                break;
            }
            catch (Exception error) when (attempt < 3 && error is not TargetException)
            {
                // Tried again, as an effect is.
            }
        }

        await _alias.ExposeAsync(1);
        Assert.Contains("\"2\":0.05", await _alias.ServesAsync(), StringComparison.Ordinal);
        var versions = System.Text.Json.Nodes.JsonNode.Parse(await _aws.SnapshotAsync("lambda"))!["lambda"]!["functions"]!["api"]!["versions"]!.AsObject();
        Assert.Equal(["1", "2"], versions.Select(version => version.Key));
    }

    [Fact]
    public async Task What_was_published_as_this_release_is_found_again_by_another_process()
    {
        await _alias.PrepareAsync();
        _alias.NewTarget();
        await _alias.PrepareAsync();
        Assert.Equal(1, await _alias.CallsAsync("PublishVersion"));
    }

    [Theory]
    [InlineData("no artifact", "has no artifact for Lambda")]
    [InlineData("a tag", "has no digest")]
    [InlineData("not a URI", "is not a URI")]
    [InlineData("ftp", "is neither s3://")]
    [InlineData("no hash", "is not s3://bucket/key?sha256=HEX")]
    [InlineData("other bytes", "is not what was published")]
    [InlineData("the ARN of no version", "is not the ARN of a function's version")]
    [InlineData("no way back", "there would be no way back")]
    [InlineData("elsewhere", "not everything to the fallback")]
    [InlineData("another role", "differ in role")]
    [InlineData("the same version", "are the same version 1")]
    [InlineData("groups", "has no groups")]
    public async Task Preparation_says_what_is_in_the_way_and_exposes_nobody(string wrong, string expected)
    {
        var order = _alias.Order(-1);
        TargetOrder With(string artifact) => order with { Candidate = AliasFixture.Release("5.1.0", artifact) };
        order = wrong switch
        {
            "no artifact" => order with { Candidate = order.Candidate with { Artifacts = new Dictionary<string, string>() } },
            "a tag" => With("docker://registry.example/api:latest"),
            "not a URI" => With("nonsense"),
            "ftp" => With("ftp://host/file"),
            "no hash" => With("s3://builds/api-5.1.0.zip"),
            "other bytes" => With($"s3://builds/api-5.1.0.zip?sha256={AliasFixture.Sha256("other")}"),
            "the ARN of no version" => With("arn:aws:lambda:eu-central-1:111122223333:function:api"),
            "no way back" => order with { Fallback = AliasFixture.Release("4.0.0", $"s3://builds/old.zip?sha256={AliasFixture.Sha256("unheard of")}") },
            "the same version" => With("arn:aws:lambda:eu-central-1:111122223333:function:api:1"),
            "groups" => order with { Steps = [new TargetStep(0, "lab")] },
            _ => order,
        };
        if (wrong == "elsewhere")
        {
            await _alias.PrepareAsync();
            await _alias.MoveAsync("1", "2", 0.3);
            order = _alias.Order(-1);
        }
        else if (wrong == "another role")
        {
            await _aws.ActAsync("lambda", "UpdateFunctionConfiguration", new { FunctionName = "api", Role = "arn:aws:iam::111122223333:role/other" });
        }

        var before = await _alias.ServesAsync();
        string problem;
        try
        {
            problem = (await _alias.Target.PrepareAsync(order, _cancellation)).Problem ?? "";
        }
        catch (TargetException refusal)
        {
            problem = refusal.Message;
        }

        Assert.Contains(expected, problem, StringComparison.Ordinal);
        Assert.Equal(before, await _alias.ServesAsync());
    }

    [Fact]
    public async Task A_function_that_does_not_exist_is_a_refusal()
    {
        await using var nobody = new AliasFixture(_aws, "nobody");
        await Assert.ThrowsAsync<TargetException>(() => nobody.Target.PrepareAsync(nobody.Order(-1), _cancellation));
    }

    [Fact]
    public async Task Each_version_shows_its_own_requests_and_errors()
    {
        await _alias.PrepareAsync();
        await _aws.LoadAsync(new AwsLoad("lambda", "api:live", 400, new() { ["2"] = 0.5 }));
        await _alias.ExposeAsync(2);
        var split = await SeenAsync(seen => seen.Candidate.Requests > 200 && seen.Baseline.Requests > 200);
        Assert.Equal(0, split.Baseline.Errors);
        Assert.InRange(split.Candidate.Errors / (double)split.Candidate.Requests, 0.4, 0.6);

        // Alone, a version is no longer counted by its number.
        await _alias.ExposeAsync(3);
        var whole = await SeenAsync(seen => seen.Candidate.Requests > split.Candidate.Requests + 800);
        Assert.Equal(split.Instance, whole.Instance);
        Assert.InRange(whole.Candidate.Errors / (double)whole.Candidate.Requests, 0.4, 0.6);
    }

    private async Task<TrafficObservation> SeenAsync(Func<TrafficObservation, bool> enough)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var seen = Assert.IsType<TrafficObservation>(await _alias.Target.ObserveAsync(_alias.Order(2), patience.Token));
            if (enough(seen))
            {
                return seen;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience.Token);
        }
    }
}
