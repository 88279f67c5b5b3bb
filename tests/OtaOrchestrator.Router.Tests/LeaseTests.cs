using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OtaOrchestrator.Router.Forwarding;
using OtaOrchestrator.Router.Routes;
using OtaOrchestrator.Router.State;
using OtaOrchestrator.Router.Tls;

namespace OtaOrchestrator.Router.Tests;

public sealed class LeaseTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("router-lease-").FullName;
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_lost_lease_with_return_gives_everything_back_to_the_baseline()
    {
        using var state = State();
        using var routes = Table(state);
        await routes.PutAsync("api", Spec(1, OnLoss.Return), default);
        _time.Advance(TimeSpan.FromSeconds(59));
        await routes.ReturnLostAsync(default);
        Assert.Equal(0.25, routes.Routes["api"].CandidateWeight);
        _time.Advance(TimeSpan.FromSeconds(1));
        await routes.ReturnLostAsync(default);
        Assert.Equal(0, routes.Routes["api"].CandidateWeight);
    }

    [Fact]
    public async Task A_lost_lease_with_hold_keeps_the_weights()
    {
        using var state = State();
        using var routes = Table(state);
        await routes.PutAsync("api", Spec(1, OnLoss.Hold), default);
        _time.Advance(TimeSpan.FromHours(5));
        await routes.ReturnLostAsync(default);
        Assert.Equal(0.25, routes.Routes["api"].CandidateWeight);
    }

    [Fact]
    public async Task Repeating_the_write_renews_the_lease()
    {
        using var state = State();
        using var routes = Table(state);
        for (int i = 0; i < 10; i++)
        {
            await routes.PutAsync("api", Spec(1, OnLoss.Return), default);
            _time.Advance(TimeSpan.FromSeconds(40));
            await routes.ReturnLostAsync(default);
        }
        Assert.Equal(0.25, routes.Routes["api"].CandidateWeight);
    }

    [Fact]
    public async Task Only_who_holds_the_route_renews_its_lease_and_nobody_a_lost_one()
    {
        using var state = State();
        using var routes = Table(state);
        await routes.PutAsync("api", Spec(1, OnLoss.Return), default);
        for (int i = 0; i < 10; i++)
        {
            Assert.NotNull((await routes.RenewAsync("api", 1, default)).Route);
            Assert.Equal(PutRefusal.LowerFence, (await routes.RenewAsync("api", 2, default)).Refusal);
            Assert.Equal(PutRefusal.UnknownRoute, (await routes.RenewAsync("web", 1, default)).Refusal);
            _time.Advance(TimeSpan.FromSeconds(40));
            await routes.ReturnLostAsync(default);
            Assert.Equal(0.25, routes.Routes["api"].CandidateWeight);
        }
        Assert.Equal(PutRefusal.LowerFence, (await routes.RenewAsync("api", 0, default)).Refusal);
        _time.Advance(TimeSpan.FromSeconds(20));
        await routes.ReturnLostAsync(default);
        Assert.Equal(PutRefusal.LeaseLost, (await routes.RenewAsync("api", 1, default)).Refusal);
        Assert.Equal(0, routes.Routes["api"].CandidateWeight);
    }

    [Fact]
    public async Task Once_lost_only_a_newer_decision_exposes_again_also_after_a_restart()
    {
        using (var state = State())
        using (var routes = Table(state))
        {
            await routes.PutAsync("api", Spec(1, OnLoss.Return), default);
            _time.Advance(TimeSpan.FromMinutes(2));
            await routes.ReturnLostAsync(default);
        }
        using var again = State();
        using var table = Table(again);
        Assert.Equal(0, table.Routes["api"].CandidateWeight);
        var late = await table.PutAsync("api", Spec(1, OnLoss.Return), default);
        Assert.True(late.Route!.LeaseLost);
        Assert.Equal(0, table.Routes["api"].CandidateWeight);
        await table.PutAsync("api", Spec(2, OnLoss.Return), default);
        Assert.Equal(0.25, table.Routes["api"].CandidateWeight);
    }

    [Fact]
    public async Task A_clock_that_jumps_takes_no_lease_away()
    {
        using var state = State();
        var time = new JumpingTime();
        using var routes = new RouteTable(state, Clients(), new Dictionary<string, RouteMatch>(), null, time, NullLogger<RouteTable>.Instance);
        await routes.PutAsync("api", Spec(1, OnLoss.Return), default);
        time.Jump = TimeSpan.FromDays(1);
        await routes.ReturnLostAsync(default);
        Assert.Equal(0.25, routes.Routes["api"].CandidateWeight);
    }

    [Fact]
    public async Task A_configuration_that_can_not_be_stored_is_not_applied()
    {
        using var state = State();
        using var routes = Table(state);
        await routes.PutAsync("api", Spec(1, OnLoss.Hold), default);
        Directory.CreateDirectory(Path.Combine(_folder, "state.json.new"));
        var refused = await routes.PutAsync("api", Spec(2, OnLoss.Hold) with { CandidateWeight = 1 }, default);
        Assert.Equal(PutRefusal.NotStored, refused.Refusal);
        Assert.Equal(0.25, routes.Routes["api"].CandidateWeight);
        Directory.Delete(Path.Combine(_folder, "state.json.new"));
        Assert.NotNull((await routes.PutAsync("api", Spec(2, OnLoss.Hold) with { CandidateWeight = 1 }, default)).Route);
        Assert.Equal(1, routes.Routes["api"].CandidateWeight);
    }

    [Fact]
    public async Task Routes_are_limited_in_number()
    {
        using var state = State();
        var matches = Enumerable.Range(0, RouteValidator.RoutesMax + 1).ToDictionary(number => $"r{number}", number => new RouteMatch(null, $"/{number}"));
        using var routes = new RouteTable(state, Clients(), matches, null, _time, NullLogger<RouteTable>.Instance);
        for (int number = 0; number < RouteValidator.RoutesMax; number++)
        {
            Assert.NotNull((await routes.PutAsync($"r{number}", Spec(1, OnLoss.Hold), default)).Route);
        }
        Assert.Equal(PutRefusal.TooManyRoutes, (await routes.PutAsync($"r{RouteValidator.RoutesMax}", Spec(1, OnLoss.Hold), default)).Refusal);
        Assert.Equal("r7", routes.Match("any", "/7/x")!.Name);
        Assert.Null(routes.Match("any", "/7x"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static DestinationClients Clients() => new(new BackendAuthority(null), TimeSpan.FromSeconds(1));

    private static RouteSpec Spec(long revision, OnLoss onLoss) => new()
    {
        Fence = new Fence(1, revision),
        Baseline = new Variant("api@1", ["https://127.0.0.1:1"]),
        Candidate = new Variant("api@2", ["https://127.0.0.1:2"]),
        CandidateWeight = 0.25,
        Lease = new Lease(60, onLoss),
    };

    private StateFile State() => new(Path.Combine(_folder, "state.json"));

    private RouteTable Table(StateFile state) => new(state, Clients(), new Dictionary<string, RouteMatch>(), null, _time, NullLogger<RouteTable>.Instance);

    private sealed class JumpingTime : TimeProvider
    {
        public TimeSpan Jump { get; set; }
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Jump;
    }
}
