using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Pki;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Tests.Scenes;
using Environment = OtaOrchestrator.Protocol.V1.Environment;

namespace OtaOrchestrator.Server.Tests.Checks;

/// <summary>Whole rollouts that are judged by whom they ask.</summary>
public sealed class CheckedRolloutTests : IAsyncLifetime
{
    private const string Parent = "environments/production";
    private RunningServer _server = null!;
    private ServerPki _pki = null!;
    private AskedServer _asked = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningServer.Start();
        _pki = new ServerPki(_server.Home, TimeProvider.System);
        _asked = await AskedServer.StartAsync(_pki);
        await _server.Admin.PublishBackend("api@1.0");
        await _server.Admin.PublishBackend("api@2.0");
        await _server.Admin.Environments.CreateEnvironmentAsync(new() { EnvironmentId = "production", Environment = new Environment() });
        await _server.Admin.Environments.CreateTargetAsync(new()
        {
            Parent = Parent, TargetId = "api", Target = new Target { CurrentRelease = "releases/api@1.0", Router = new RouterTarget { AdminUrl = "https://127.0.0.1:9443", Route = "api" } },
        });
    }

    [Fact]
    public async Task A_webhook_that_turns_unhealthy_takes_the_rollout_back()
    {
        var rollout = await Start(new CheckPlan { Name = "orders", Source = "webhook", Url = _asked.Address + "/hook" }, pause: true);
        await Until(rollout, RolloutState.AwaitingPromotion);
        _asked.Answer = """{"verdict":"unhealthy","text":"no orders come in"}""";
        var back = await Until(rollout, RolloutState.RolledBack);
        Assert.Contains("orders: no orders come in: 3 in a row (max 2)", back.Cause, StringComparison.Ordinal);
        Assert.Equal("api@1.0", Api.State.Runs);
    }

    [Fact]
    public async Task A_smoke_test_that_fails_keeps_everybody_where_they_are()
    {
        _asked.Status = 500;
        var rollout = await Start(Smoke(), first: new StepPlan { Share = 0, Test = "smoke", BakeMin = Milliseconds(100) });
        var back = await Until(rollout, RolloutState.RolledBack);
        Assert.Contains("smoke: 127.0.0.1", back.Cause, StringComparison.Ordinal);
        Assert.DoesNotContain(Api.State.Changes, change => change.StartsWith("ExposeAsync", StringComparison.Ordinal) && !change.EndsWith(" 0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_smoke_test_that_passes_lets_the_rollout_begin()
    {
        var rollout = await Start(Smoke(), first: new StepPlan { Share = 0, Test = "smoke", BakeMin = Milliseconds(100) });
        await Until(rollout, RolloutState.Succeeded);
        Assert.Equal("api@2.0", Api.State.Runs);
    }

    [Fact]
    public async Task Who_does_not_answer_holds_the_rollout_and_neither_passes_nor_fails_it()
    {
        var check = new CheckPlan { Name = "errors", Source = "prometheus", Url = "https://127.0.0.1:1", Query = "up", ValueMin = 1 };
        var rollout = await Start(check, bakeMax: Milliseconds(600));
        var held = await Until(rollout, RolloutState.Held);
        Assert.Equal("noData", held.Lanes[0].Judgement.Verdict);
        Assert.Equal(0.25, Api.State.Share);
        check.NoData = "rollback";
        await _server.Admin.Rollouts.RollbackRolloutAsync(new() { Name = rollout });
        await Until(rollout, RolloutState.RolledBack);
        await _server.Admin.Releases.UnholdReleaseAsync(new() { Name = "releases/api@2.0", Environment = Parent, Reason = "test" });
        var second = await Start(check, bakeMax: Milliseconds(600));
        Assert.Contains("evidence missing", (await Until(second, RolloutState.RolledBack)).Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_hangs_keeps_nobody_else_from_being_heard()
    {
        Api.ErrorRate = 0.2;
        var rollout = await Start(new CheckPlan { Name = "orders", Source = "webhook", Url = _asked.Address + "/never", Timeout = Milliseconds(50_000) });
        Assert.Contains("router: ", (await Until(rollout, RolloutState.RolledBack)).Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_that_shows_nothing_keeps_nobody_else_from_being_heard()
    {
        var rollout = await Start(new CheckPlan { Name = "orders", Source = "webhook", Url = _asked.Address + "/hook" }, pause: true);
        await Until(rollout, RolloutState.AwaitingPromotion);
        Api.Before = (method, _, _) => method == nameof(Core.Ports.ITarget.ObserveAsync) ? throw new IOException("the counters are away") : Task.CompletedTask;
        _asked.Answer = """{"verdict":"unhealthy","text":"no orders come in"}""";
        Assert.Contains("orders: no orders come in", (await Until(rollout, RolloutState.RolledBack)).Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rate_divided_by_nothing_is_beyond_every_limit()
    {
        var rollout = await Start(new CheckPlan { Name = "rate", Source = "prometheus", Url = _asked.Address + "/prometheus", Query = "a/b", ValueMax = 0.05 }, pause: true);
        _asked.Answer = """{"status":"success","data":{"resultType":"scalar","result":[1,"+Inf"]}}""";
        Assert.Contains("rate: ", (await Until(rollout, RolloutState.RolledBack)).Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everybody_is_asked_at_an_interval_of_their_own()
    {
        var rollout = await Start(new CheckPlan { Name = "orders", Source = "webhook", Url = _asked.Address + "/hook", Interval = Milliseconds(3_600_000) },
            first: new StepPlan { Share = 0.1, BakeMin = Milliseconds(1_000) });
        await Until(rollout, RolloutState.Succeeded);
        Assert.Equal(3, _asked.Asked);
    }

    [Fact]
    public async Task Prometheus_itself_is_asked_and_a_dry_run_of_it_changes_nothing()
    {
        await using var prometheus = PrometheusProcess.Start(_server.Home.Pki, new Uri(_asked.Address));
        var check = new CheckPlan { Name = "toys", Source = "prometheus", Url = prometheus.Address, Query = "max_over_time(toy_errors[1s])", ValueMax = 5 };
        var dry = new CheckPlan(check) { Name = "dry", ValueMax = -1, DryRun = true };
        var rollout = await Start(check, pause: true, more: dry);
        var waiting = await Until(rollout, RolloutState.AwaitingPromotion);
        Assert.Equal([("toys", "healthy", false), ("dry", "inconclusive", true)], waiting.Lanes[0].Judgement.Checks.Where(result => result.Name is "toys" or "dry").Select(result => (result.Name, result.Verdict == "unhealthy" ? "inconclusive" : result.Verdict, result.DryRun)));
        _asked.Errors = 7;
        Assert.Contains("toys: 7 (max 5)", (await Until(rollout, RolloutState.RolledBack)).Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_resumes_what_the_judge_froze_is_not_stopped_by_the_same_evidence_again()
    {
        Api.ErrorRate = 0.05;
        var rollout = await Start(Compared(), unhealthy: "freeze", errorsMax: 0.5);
        var frozen = await Until(rollout, RolloutState.Paused);
        Assert.StartsWith("frozen: api: compared", frozen.Cause, StringComparison.Ordinal);
        Api.ErrorRate = 0;
        await _server.Admin.Rollouts.ResumeRolloutAsync(new() { Name = rollout });
        var ended = await Until(rollout, RolloutState.Succeeded);
        Assert.Equal(("", "api@2.0"), (ended.Cause, Api.State.Runs));
    }

    [Fact]
    public async Task What_is_still_ill_after_it_was_resumed_is_frozen_again()
    {
        Api.ErrorRate = 0.05;
        var rollout = await Start(Compared(), unhealthy: "freeze", errorsMax: 0.5);
        var frozen = await Until(rollout, RolloutState.Paused);
        await _server.Admin.Rollouts.ResumeRolloutAsync(new() { Name = rollout });
        await Until(rollout, RolloutState.Baking);
        Assert.True((await Until(rollout, RolloutState.Paused)).Revision > frozen.Revision);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _asked.DisposeAsync();
        _pki.Dispose();
    }

    private FileTarget Api => (FileTarget)_server.Services.GetRequiredService<ITargets>().Of("production", "api");

    private static CheckPlan Compared() => new() { Name = "compared", Source = "router", Metric = "errors", Against = "baseline", RatioMax = 1.5, SamplesMin = 10 };

    private CheckPlan Smoke() => new() { Name = "smoke", Source = "http", When = "test", Url = _asked.Address + "/healthz" };

    private static Duration Milliseconds(int milliseconds) => Duration.FromTimeSpan(TimeSpan.FromMilliseconds(milliseconds));

    private async Task<string> Start(CheckPlan check, bool pause = false, StepPlan? first = null, Duration? bakeMax = null, CheckPlan? more = null, string unhealthy = "", double errorsMax = 0.01)
    {
        var lane = new LanePlan
        {
            Target = "api",
            Release = "api@2.0",
            Steps = { new StepPlan { Share = 0.25, BakeMin = Milliseconds(200), BakeMax = bakeMax ?? Milliseconds(60_000), Pause = pause }, new StepPlan { Share = 1, BakeMin = Milliseconds(100) } },
            Checks = { new CheckPlan { Name = "router", Source = "router", ErrorsMax = errorsMax, SamplesMin = 10, Interval = Milliseconds(100) }, check },
        };
        if (first is not null)
        {
            lane.Steps.Insert(0, first);
        }
        if (more is not null)
        {
            lane.Checks.Add(more);
        }
        return (await _server.Admin.Rollouts.CreateRolloutAsync(new() { Parent = Parent, Plan = new Plan { Name = "autumn", Lanes = { lane }, Judge = new JudgePlan { Unhealthy = unhealthy } } })).Name;
    }

    private async Task<Rollout> Until(string name, RolloutState state)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var watch = _server.Admin.Rollouts.WatchRollout(new WatchRolloutRequest { Name = name }, cancellationToken: patience.Token);
        var last = "";
        await foreach (var message in watch.ResponseStream.ReadAllAsync(patience.Token))
        {
            last = $"{message.Rollout.State} {message.Rollout.Cause}";
            if (message.Rollout.State == state)
            {
                return message.Rollout;
            }
        }
        throw new InvalidOperationException($"{name} never came to {state}: {last}");
    }
}
