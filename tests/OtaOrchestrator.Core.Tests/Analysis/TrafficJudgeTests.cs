using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Tests.Analysis;

public sealed class TrafficJudgeTests
{
    private static readonly CheckPlan Errors = new() { Name = "errors", Source = "router", ErrorsMax = 0.01, SamplesMin = 200 };
    private static readonly CheckPlan Ratio = new() { Name = "ratio", Source = "router", Against = "baseline", RatioMax = 1.25, SamplesMin = 200 };
    private static readonly CheckPlan P99 = new() { Name = "p99", Source = "router", P99MsMax = 250, SamplesMin = 200 };

    [Theory]
    [InlineData(0, 0, Verdict.NoData)]
    [InlineData(199, 0, Verdict.Inconclusive)]
    [InlineData(200, 0, Verdict.Healthy)]
    [InlineData(200, 2, Verdict.Healthy)]
    [InlineData(200, 3, Verdict.Unhealthy)]
    [InlineData(3, 3, Verdict.Unhealthy)]     // more than 200 requests may hold: waiting for the rest would only harm
    [InlineData(2, 2, Verdict.Inconclusive)]
    [InlineData(10_000, 100, Verdict.Healthy)]
    [InlineData(10_000, 101, Verdict.Unhealthy)]
    public void An_error_limit_needs_its_evidence(long requests, long errors, Verdict verdict) =>
        Assert.Equal(verdict, Look(Errors, new(0, 0), new(0, 0), new(requests, errors), new(0, 0)).Verdict);

    [Fact]
    public void Only_what_came_since_the_step_began_counts()
    {
        Assert.Equal(Verdict.Healthy, Look(Errors, new(1000, 500), new(0, 0), new(1300, 501), new(0, 0)).Verdict);
        Assert.Equal(Verdict.Inconclusive, Look(Errors, new(1000, 0), new(0, 0), new(1100, 0), new(0, 0)).Verdict);
    }

    [Fact]
    public void Counters_that_began_again_are_taken_from_zero() =>
        Assert.Equal(Verdict.Unhealthy, Judge.Of(new Look(Lane(Errors), new StepPlan(), Seen("a", new(1000, 900), new(0, 0)), Seen("b", new(300, 30), new(0, 0)), 0.01)).Verdict);

    [Theory]
    // candidate since the step, baseline since the step, baseline before it
    [InlineData(1000, 10, 1000, 10, 0, 0, Verdict.Healthy)]
    [InlineData(1000, 13, 1000, 10, 0, 0, Verdict.Healthy)]         // over the limit by luck as likely as not
    [InlineData(1000, 30, 1000, 10, 0, 0, Verdict.Inconclusive)]    // over the limit, not proven
    [InlineData(1000, 50, 1000, 10, 0, 0, Verdict.Unhealthy)]
    [InlineData(1000, 4, 1000, 0, 0, 0, Verdict.Healthy)]           // four errors say nothing
    [InlineData(1000, 5, 1000, 0, 0, 0, Verdict.Inconclusive)]      // nor does a spotless baseline pass everything
    [InlineData(1000, 30, 1000, 0, 0, 0, Verdict.Unhealthy)]
    [InlineData(1000, 5, 100, 0, 0, 0, Verdict.Inconclusive)]       // nothing to compare with
    [InlineData(1000, 0, 0, 0, 0, 0, Verdict.Inconclusive)]
    [InlineData(1000, 1000, 0, 0, 0, 0, Verdict.Inconclusive)]
    [InlineData(1000, 10, 0, 0, 50_000, 500, Verdict.Healthy)]      // at 100 % the baseline is what it was before
    [InlineData(1000, 30, 0, 0, 50_000, 500, Verdict.Inconclusive)]
    [InlineData(1000, 60, 0, 0, 50_000, 500, Verdict.Unhealthy)]
    public void A_ratio_is_taken_against_the_baseline_beside_or_before(long requests, long errors, long beside, long besideErrors, long before, long beforeErrors, Verdict verdict) =>
        Assert.Equal(verdict, Look(Ratio, new(0, 0), new(before, beforeErrors), new(requests, errors), new(before + beside, beforeErrors + besideErrors)).Verdict);

    [Theory]
    [InlineData(0, Verdict.Healthy)]
    [InlineData(10, Verdict.Healthy)]
    [InlineData(11, Verdict.Unhealthy)]
    [InlineData(1000, Verdict.Unhealthy)]
    public void The_99th_percentile_has_a_limit(long slow, Verdict verdict)
    {
        SideCounters now = new(1000, 0) { Latency = [new(100, 1000 - slow), new(250, 1000 - slow), new(500, 1000)] };
        Assert.Equal(verdict, Look(P99, new(0, 0), new(0, 0), now, new(0, 0)).Verdict);
    }

    [Fact]
    public void Requests_above_the_largest_bound_are_not_forgotten()
    {
        SideCounters now = new(1000, 0) { Latency = [new(100, 900), new(500, 900)] };
        var judgement = Look(P99, new(0, 0), new(0, 0), now, new(0, 0));
        Assert.Equal(Verdict.Unhealthy, judgement.Verdict);
        Assert.Contains("p99 over 500 ms", judgement.Cause);
        SideCounters small = new(1000, 0) { Latency = [new(100, 900)] };
        Assert.Equal(Verdict.Inconclusive, Look(P99, new(0, 0), new(0, 0), small, new(0, 0)).Verdict);
    }

    [Fact]
    public void A_latency_limit_without_latencies_is_inconclusive() => Assert.Equal(Verdict.Inconclusive, Look(P99, new(0, 0), new(0, 0), new(1000, 0), new(0, 0)).Verdict);

    [Fact]
    public void Latencies_before_the_step_do_not_count()
    {
        SideCounters since = new(1000, 0) { Latency = [new(100, 0), new(500, 1000)] };
        SideCounters now = new(2000, 0) { Latency = [new(100, 1000), new(500, 2000)] };
        Assert.Equal(Verdict.Healthy, Look(P99, since, new(0, 0), now, new(0, 0)).Verdict);
    }

    [Fact]
    public void The_step_is_complete_with_its_requests()
    {
        var short_ = Look(Errors, new(100, 0), new(0, 0), new(599, 0), new(0, 0), new StepPlan { RequestsMin = 500 });
        Assert.Equal((Verdict.Healthy, false, "499 of 500 requests"), (short_.Verdict, short_.Complete, short_.Cause));
        Assert.True(Look(Errors, new(100, 0), new(0, 0), new(600, 0), new(0, 0), new StepPlan { RequestsMin = 500 }).Complete);
    }

    [Fact]
    public void One_bad_check_condemns_and_one_that_knows_nothing_acquits_nobody()
    {
        var seen = Seen("a", new(1000, 30), new(0, 0));
        Assert.Equal(Verdict.Unhealthy, Judge.Of(new Look(Lane(P99, Errors), new StepPlan(), null, seen, 0.01)).Verdict);
        Assert.Equal(Verdict.Inconclusive, Judge.Of(new Look(Lane(P99, Errors with { ErrorsMax = 0.5 }), new StepPlan(), null, seen, 0.01)).Verdict);
    }

    private static LanePlan Lane(params CheckPlan[] checks) => new() { Checks = [.. checks] };

    private static TrafficObservation Seen(string instance, SideCounters candidate, SideCounters baseline) => new(instance, candidate, baseline);

    private static Judgement Look(CheckPlan check, SideCounters since, SideCounters baselineSince, SideCounters now, SideCounters baselineNow, StepPlan? step = null) =>
        Judge.Of(new Look(Lane(check), step ?? new StepPlan(), Seen("a", since, baselineSince), Seen("a", now, baselineNow), 0.01));
}
