using System.Security.Cryptography.X509Certificates;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Router.Tests.Parts;
using OtaOrchestrator.Server.Targets.Router;
using Fence = OtaOrchestrator.Core.Ports.Fence;
using Lease = OtaOrchestrator.Core.Ports.Lease;

namespace OtaOrchestrator.Router.Tests.Target;

/// <summary>The orchestrator's adapter against a real router, over mutual TLS.</summary>
public sealed class RouterTargetTests : World
{
    private HttpClient _http = null!;
    private RouterTarget _target = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Pki.AuthorityFile);
        _http = RouterHttp.Create(Pki.Orchestrator.Load(), X509CertificateLoader.LoadCertificate(authority.RawData));
        _target = new RouterTarget(_http, new Uri(Router.AdminUrl), "api", TimeProvider.System);
    }

    [Fact]
    public async Task A_rollout_goes_forward_step_by_step_and_each_step_is_read_back()
    {
        Assert.Null((await _target.PrepareAsync(Order(1, -1), default)).Problem);
        Assert.Equal(Old.Version, await Router.VersionAsync());

        for (int step = 0; step < 3; step++)
        {
            var order = Order(2 + step, step);
            Assert.False((await _target.ReadAsync(order, default)).Agrees);
            await _target.ExposeAsync(order, default);
            var reading = await _target.ReadAsync(order, default);
            Assert.True(reading.Agrees, reading.Detail);
            Assert.Equal(order.Share, reading.Share, 9);
        }
        var promotion = Order(9, 2);
        await _target.PromoteAsync(promotion, default);
        Assert.True((await _target.ReadAsync(promotion, default)).Agrees);
        Assert.Equal(New.Version, await Router.VersionAsync());
    }

    [Fact]
    public async Task A_restored_route_sends_everybody_to_the_fallback_and_no_late_write_brings_the_candidate_back()
    {
        await _target.PrepareAsync(Order(1, -1), default);
        await _target.ExposeAsync(Order(2, 2), default);
        Assert.False((await _target.ReadRestorationAsync(Order(5, 2), default)).Agrees);
        await _target.RestoreAsync(Order(5, 2), default);
        Assert.True((await _target.ReadRestorationAsync(Order(5, 2), default)).Agrees);

        await Assert.ThrowsAsync<TargetException>(() => _target.ExposeAsync(Order(4, 2), default));
        await Assert.ThrowsAsync<TargetException>(() => _target.PromoteAsync(Order(4, 2), default));
        Assert.True((await _target.ReadRestorationAsync(Order(5, 2), default)).Agrees);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Router.VersionAsync())), version => Assert.Equal(Old.Version, version));
    }

    [Fact]
    public async Task A_slow_request_on_the_candidate_neither_is_lost_nor_holds_up_the_return()
    {
        await _target.PrepareAsync(Order(1, -1), default);
        await _target.ExposeAsync(Order(2, 2), default);
        var slow = Router.Public.GetStringAsync("/wait");
        await New.WaitingAsync();
        await _target.RestoreAsync(Order(3, 2), default);
        var restoration = await _target.ReadRestorationAsync(Order(3, 2), default);
        Assert.True(restoration.Agrees);
        Assert.Contains("1 requests end", restoration.Detail, StringComparison.Ordinal);
        New.LetGo();
        Assert.Equal(New.Version, await slow);
    }

    [Fact]
    public async Task A_return_by_hand_is_accepted_as_done()
    {
        await _target.PrepareAsync(Order(1, -1), default);
        await _target.ExposeAsync(Order(2, 2), default);
        var sheet = TestRouter.Body(1, 1_000_000_000, Old);
        await Router.SetAsync(sheet);
        await _target.RestoreAsync(Order(3, 2), default);
        Assert.True((await _target.ReadRestorationAsync(Order(3, 2), default)).Agrees);
    }

    [Fact]
    public async Task A_return_that_somebody_else_overtook_otherwise_is_refused()
    {
        await _target.PrepareAsync(Order(1, -1), default);
        await Router.SetAsync(TestRouter.Body(2, 1, New));
        await Assert.ThrowsAsync<TargetException>(() => _target.RestoreAsync(Order(3, 2), default));
        Assert.False((await _target.ReadRestorationAsync(Order(3, 2), default)).Agrees);
    }

    [Fact]
    public async Task Preparing_is_refused_without_a_write_when_users_are_not_on_the_fallback()
    {
        await Router.SetAsync(TestRouter.Body(0, 1, New));
        var preparation = await _target.PrepareAsync(Order(1, -1), default);
        Assert.Contains("not everything to the fallback thermostat-api@5.0.3", preparation.Problem, StringComparison.Ordinal);
        Assert.Equal(New.Version, await Router.VersionAsync());
    }

    [Fact]
    public async Task The_next_rollout_starts_from_what_the_last_one_left()
    {
        await _target.PrepareAsync(Order(1, -1), default);
        await _target.PromoteAsync(Order(2, 2), default);
        await using var newest = await ToyBackend.StartAsync(Pki, "5.2.0");
        var next = Order(1, -1) with { Fence = new Fence(2, 1), Fallback = Release(New), Candidate = Release(newest) };
        Assert.Null((await _target.PrepareAsync(next, default)).Problem);
        Assert.Equal(New.Version, await Router.VersionAsync());
        await _target.ExposeAsync(next with { Fence = new Fence(2, 2), Step = 2 }, default);
        Assert.Equal(newest.Version, await Router.VersionAsync());
    }

    [Fact]
    public async Task A_rollout_that_supersedes_another_takes_over_what_that_one_had_exposed_and_returns_to_the_same()
    {
        await _target.PrepareAsync(Order(1, -1), default);
        await _target.ExposeAsync(Order(2, 1), default);
        await using var fix = await ToyBackend.StartAsync(Pki, "5.1.1");
        var successor = Order(1, -1) with { Rollout = "r2", Fence = new Fence(2, 1), Candidate = Release(fix) };
        Assert.Contains("not everything to the fallback", (await _target.PrepareAsync(successor, default)).Problem, StringComparison.Ordinal);
        successor = successor with { Predecessors = [new Predecessor("earlier", "api", Release(New).ToString(), "sha256:0", 1, [])] };
        Assert.Null((await _target.PrepareAsync(successor, default)).Problem);
        Assert.Equal(Old.Version, await Router.VersionAsync());
        await _target.ExposeAsync(successor with { Fence = new Fence(2, 2), Step = 2 }, default);
        Assert.Equal(fix.Version, await Router.VersionAsync());
        await _target.RestoreAsync(successor with { Fence = new Fence(2, 3), Step = 2 }, default);
        Assert.Equal(Old.Version, await Router.VersionAsync());
    }

    [Fact]
    public async Task A_partial_exposure_has_a_lease_that_looking_renews_and_no_other_has()
    {
        var order = Order(1, -1) with { Lease = new Lease(TimeSpan.FromSeconds(60), Return: true) };
        await _target.PrepareAsync(order, default);
        Assert.Null((await Router.RouteAsync())["lease"]);
        var exposed = order with { Fence = new Fence(1, 2), Step = 1 };
        await _target.ExposeAsync(exposed, default);
        Assert.Equal("""{"seconds":60,"onLoss":"return"}""", (await Router.RouteAsync())["lease"]!.ToJsonString());
        await _target.RenewAsync(exposed with { Fence = new Fence(1, 5) }, default);
        await Assert.ThrowsAsync<TargetException>(() => _target.RenewAsync(exposed with { Fence = new Fence(2, 5) }, default));
        await _target.PromoteAsync(order with { Fence = new Fence(1, 6), Step = 2 }, default);
        Assert.Null((await Router.RouteAsync())["lease"]);
        await _target.RestoreAsync(order with { Fence = new Fence(1, 7), Step = 2 }, default);
        Assert.Null((await Router.RouteAsync())["lease"]);
    }

    [Fact]
    public async Task A_lost_lease_is_read_as_an_exposure_that_does_not_hold_and_as_no_data()
    {
        await _target.PrepareAsync(Order(1, -1), default);
        var exposed = Order(2, 1) with { Lease = new Lease(TimeSpan.FromSeconds(1), Return: true) };
        await _target.ExposeAsync(exposed, default);
        await TestRouter.UntilAsync(async () => (bool)(await Router.RouteAsync())["leaseLost"]!, "the lease runs out");
        var reading = await _target.ReadAsync(exposed, default);
        Assert.False(reading.Agrees);
        Assert.Equal(0, reading.Share);
        Assert.Contains("the lease ran out", reading.Detail, StringComparison.Ordinal);
        var error = await Assert.ThrowsAsync<TargetException>(() => _target.RenewAsync(exposed, default));
        Assert.Contains("lease ran out", error.Message, StringComparison.Ordinal);
        await _target.ExposeAsync(exposed with { Fence = new Fence(1, 3) }, default);
        Assert.True((await _target.ReadAsync(exposed with { Fence = new Fence(1, 3) }, default)).Agrees);
    }

    [Fact]
    public async Task Stickiness_and_copies_are_written_with_the_step_that_has_them()
    {
        var order = Order(1, -1) with { StickyFor = TimeSpan.FromHours(1), Steps = [new TargetStep(0, null) { Mirror = 0.1 }, new TargetStep(0.25, null)] };
        await _target.PrepareAsync(order, default);
        var copying = order with { Fence = new Fence(1, 2), Step = 0 };
        Assert.False((await _target.ReadAsync(copying with { Fence = new Fence(1, 1) }, default)).Agrees);
        await _target.ExposeAsync(copying, default);
        Assert.True((await _target.ReadAsync(copying, default)).Agrees);
        var route = await Router.RouteAsync();
        Assert.Equal((0.1, 3600), ((double)route["mirror"]!, (int)route["stickySeconds"]!));
        await _target.ExposeAsync(order with { Fence = new Fence(1, 3), Step = 1 }, default);
        Assert.Null((await Router.RouteAsync())["mirror"]);
        Assert.Superset(new HashSet<string> { PlanFeatures.StickyFor, PlanFeatures.Lease, PlanFeatures.Mirror }, _target.Capabilities.Features.ToHashSet());
    }

    [Fact]
    public async Task A_forecast_says_which_requests_each_step_reaches()
    {
        var forecast = await _target.ForecastAsync(Order(1, -1) with { Steps = [new TargetStep(0, null), new TargetStep(0, null) { Mirror = 0.1 }, new TargetStep(0.25, null)] }, default);
        Assert.Equal(["nobody; with the preview header only", "nobody; copies of 10 % of the requests", "25 % of the requests of route api"], forecast.Steps.Select(step => step.Who));
    }

    [Fact]
    public async Task A_candidate_that_does_not_answer_is_not_ready_and_gets_no_user()
    {
        await New.DisposeAsync();
        var error = await Assert.ThrowsAsync<IOException>(() => _target.PrepareAsync(Order(1, -1), default));
        Assert.Contains("thermostat-api@5.1.0", error.Message, StringComparison.Ordinal);
        Assert.Equal(Old.Version, await Router.VersionAsync());
    }

    [Fact]
    public async Task What_users_see_is_observed_per_side()
    {
        await _target.PrepareAsync(Order(1, -1), default);
        await Router.VersionAsync();
        await _target.ExposeAsync(Order(2, 2), default);
        await Router.VersionAsync();
        using (await Router.Public.GetAsync("/status/500"))
        {
        }
        var observation = Assert.IsType<TrafficObservation>(await _target.ObserveAsync(Order(2, 2), default));
        Assert.Equal((2, 1), (observation.Candidate.Requests, observation.Candidate.Errors));
        Assert.Equal((1, 0), (observation.Baseline.Requests, observation.Baseline.Errors));
        Assert.Equal(2, observation.Candidate.Latency[^1].Requests);
        Assert.NotEmpty(observation.Instance);
    }

    [Fact]
    public async Task Groups_and_releases_without_an_address_are_problems_of_the_plan()
    {
        var grouped = Order(1, -1) with { Steps = [new TargetStep(0, "lab")] };
        Assert.NotNull((await _target.PrepareAsync(grouped, default)).Problem);
        var nowhere = Order(1, 0) with { Candidate = Release(New) with { Addresses = [] } };
        Assert.NotNull((await _target.PrepareAsync(nowhere, default)).Problem);
        await Assert.ThrowsAsync<TargetException>(() => _target.ExposeAsync(nowhere, default));
    }

    [Fact]
    public async Task A_router_that_is_away_is_an_error_that_may_pass()
    {
        await Router.DisposeAsync();
        var error = await Record.ExceptionAsync(() => _target.ReadAsync(Order(1, 0), default));
        Assert.IsNotType<TargetException>(error);
        Assert.IsType<HttpRequestException>(error);
        Router = await TestRouter.StartAsync(Pki);
    }

    private static TargetRelease Release(ToyBackend backend) =>
        new("thermostat-api", backend.Version, "sha256:" + new string('0', 64)) { Addresses = [backend.Url] };

    private TargetOrder Order(long revision, int step) => new()
    {
        Environment = "demo",
        Target = "thermostat-api",
        Rollout = "r1",
        Lane = "backend",
        Fence = new Fence(1, revision),
        Candidate = Release(New),
        Fallback = Release(Old),
        Steps = [new TargetStep(0.05, null), new TargetStep(0.25, null), new TargetStep(1, null)],
        Step = step,
    };
}
