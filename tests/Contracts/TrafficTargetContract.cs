using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Contracts;

/// <summary>What every traffic target keeps, whatever is behind it: the router and AWS's services pass the same tests.</summary>
public abstract class TrafficTargetContract
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    /// <summary>A target whose users are all on the fallback, with a candidate to go to.</summary>
    protected abstract Task<TrafficLane> StartAsync();

    [Fact]
    public async Task A_forecast_has_a_word_for_each_step_and_changes_nothing()
    {
        await using var lane = await StartAsync();
        var before = await lane.ServesAsync();
        var forecast = await lane.Adapter.ForecastAsync(lane.Order(-1), _cancellation);
        Assert.Equal(lane.Order(-1).Steps.Count, forecast.Steps.Count);
        Assert.All(forecast.Steps, step => Assert.NotEmpty(step.Who));
        Assert.Equal(before, await lane.ServesAsync());
    }

    [Fact]
    public async Task Steps_are_what_the_target_says_that_it_can_hold()
    {
        await using var lane = await StartAsync();
        Assert.All(lane.Order(-1).Steps, step => Assert.True(step.Share is 0 or 1 || step.Share <= lane.Adapter.Capabilities.PartialShareMax));
        Assert.Equal(1, lane.Order(-1).Steps[^1].Share);
    }

    [Fact]
    public async Task Preparation_exposes_nobody_and_can_be_repeated()
    {
        await using var lane = await StartAsync();
        var before = await lane.ServesAsync();
        await lane.PrepareAsync();
        await lane.PrepareAsync();
        lane.Restart();
        await lane.PrepareAsync();
        Assert.Equal(before, await lane.ServesAsync());
    }

    [Fact]
    public async Task Each_step_holds_when_it_is_read_back_whoever_reads_and_however_often_it_is_asked_for()
    {
        await using var lane = await StartAsync();
        var before = await lane.ServesAsync();
        await lane.PrepareAsync();
        List<string> served = [before];
        for (int step = 0; step < lane.Order(-1).Steps.Count; step++)
        {
            var order = await lane.ExposeAsync(step);
            var serves = await lane.ServesAsync();
            await lane.ReachAsync(order);
            lane.Restart();
            var reading = await lane.Adapter.ReadAsync(order, _cancellation);
            Assert.True(reading.Agrees, $"step {step}: {reading.Detail}");
            await lane.Adapter.HoldAsync(order, _cancellation);
            await lane.Adapter.RenewAsync(order, _cancellation);
            Assert.Equal(serves, await lane.ServesAsync());
            Assert.True(order.Share == 0 || !served.Contains(serves), $"step {step} changed nothing: {serves}");
            served.Add(serves);
        }

        await lane.PromoteAsync();
        await lane.PromoteAsync();
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(-2, false)]
    [InlineData(-2, true)]
    public async Task The_way_back_leads_from_everywhere_to_exactly_what_was(int reached, bool promoted)
    {
        await using var lane = await StartAsync();
        var before = await lane.ServesAsync();
        await lane.PrepareAsync();
        int last = reached == -2 ? lane.Order(-1).Steps.Count - 1 : reached;
        for (int step = 0; step <= last; step++)
        {
            await lane.ExposeAsync(step);
        }

        if (promoted)
        {
            await lane.PromoteAsync();
        }

        lane.Restart();
        await lane.RestoreAsync(last);
        Assert.Equal(before, await lane.ServesAsync());
        lane.Restart();
        await lane.RestoreAsync(last);
        Assert.Equal(before, await lane.ServesAsync());
    }

    [Fact]
    public async Task A_return_that_was_not_ordered_is_not_read_as_one()
    {
        await using var lane = await StartAsync();
        await lane.PrepareAsync();
        var order = await lane.ExposeAsync(lane.Order(-1).Steps.Count - 1);
        Assert.False((await lane.Adapter.ReadRestorationAsync(order, _cancellation)).Agrees);
    }

    [Fact]
    public async Task A_late_exposure_brings_nothing_back()
    {
        await using var lane = await StartAsync();
        var before = await lane.ServesAsync();
        await lane.PrepareAsync();
        var late = await lane.ExposeAsync(lane.Order(-1).Steps.Count - 1);
        await lane.RestoreAsync(late.Step);
        await RefusedAsync(() => lane.Adapter.ExposeAsync(late, _cancellation));
        await RefusedAsync(() => lane.Adapter.PromoteAsync(late, _cancellation));
        Assert.Equal(before, await lane.ServesAsync());
    }

    [Fact]
    public async Task A_late_call_of_an_earlier_step_lowers_nothing()
    {
        await using var lane = await StartAsync();
        await lane.PrepareAsync();
        var early = await lane.ExposeAsync(0);
        await lane.ExposeAsync(lane.Order(-1).Steps.Count - 1);
        var serves = await lane.ServesAsync();
        await RefusedAsync(() => lane.Adapter.ExposeAsync(early, _cancellation));
        Assert.Equal(serves, await lane.ServesAsync());
    }

    /// <summary>A target that fences all writes, others' too, refuses whoever is late; of another, somebody else's change is a drift, and the way back goes on.</summary>
    [Fact]
    public async Task What_somebody_else_did_is_never_overwritten_by_an_exposure()
    {
        await using var lane = await StartAsync();
        var before = await lane.ServesAsync();
        await lane.PrepareAsync();
        await lane.ExposeAsync(1);
        await lane.MoveAsync();
        var moved = await lane.ServesAsync();
        var last = lane.Order(lane.Order(-1).Steps.Count - 1);
        if (lane.Fenced)
        {
            await Assert.ThrowsAsync<TargetException>(() => lane.Adapter.ExposeAsync(last, _cancellation));
            await Assert.ThrowsAsync<TargetException>(() => lane.Adapter.RestoreAsync(last, _cancellation));
            Assert.Equal(moved, await lane.ServesAsync());
            return;
        }

        Assert.NotEmpty((await Assert.ThrowsAsync<DriftException>(() => lane.Adapter.RenewAsync(last, _cancellation))).Drift.What);
        await Assert.ThrowsAsync<DriftException>(() => lane.Adapter.ExposeAsync(last with { Attempt = 2 }, _cancellation));
        Assert.Equal(moved, await lane.ServesAsync());
        await lane.RestoreAsync(last);
        Assert.Equal(before, await lane.ServesAsync());
    }

    [Fact]
    public async Task A_call_that_was_given_up_writes_nothing()
    {
        await using var lane = await StartAsync();
        await lane.PrepareAsync();
        var before = await lane.ServesAsync();
        var order = lane.Order(lane.Order(-1).Steps.Count - 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lane.Adapter.ExposeAsync(order, new CancellationToken(canceled: true)));
        Assert.Equal(before, await lane.ServesAsync());
    }

    [Fact]
    public async Task Groups_and_releases_that_are_nothing_here_are_problems_of_the_plan()
    {
        await using var lane = await StartAsync();
        var before = await lane.ServesAsync();
        var order = lane.Order(-1);
        Assert.NotEmpty(await ProblemAsync(order with { Steps = [new TargetStep(0, "lab"), new TargetStep(1, null)] }));
        Assert.NotEmpty(await ProblemAsync(order with { Candidate = order.Candidate with { Addresses = [], Artifacts = new Dictionary<string, string>() } }));
        Assert.Equal(before, await lane.ServesAsync());

        async Task<string> ProblemAsync(TargetOrder wrong)
        {
            try
            {
                return (await lane.Adapter.PrepareAsync(wrong, _cancellation)).Problem ?? "";
            }
            catch (TargetException refusal)
            {
                return refusal.Message;
            }
        }
    }

    /// <summary>It may say why not, or see that there is nothing to do.</summary>
    private static async Task RefusedAsync(Func<Task> call)
    {
        var refusal = await Record.ExceptionAsync(call);
        Assert.True(refusal is null or TargetException or DriftException, $"{refusal}");
    }
}
