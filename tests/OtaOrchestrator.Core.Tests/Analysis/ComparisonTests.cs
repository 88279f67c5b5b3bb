using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Tests.Analysis;

/// <summary>The candidate beside the baseline, in latency as in errors, and alone.</summary>
public sealed class ComparisonTests
{
    [Fact]
    public void What_falls_ill_late_is_caught_in_spite_of_its_good_hours()
    {
        long ErrorsUntilCaught(int goodLooks)
        {
            var looks = new Looks(Looks.Ratio).Step(0.1);
            for (int look = 0; look < goodLooks; look++)
            {
                Assert.NotEqual(Verdict.Unhealthy, looks.Look(1000, 2, 9000, 18).Verdict);
            }
            for (long errors = 0; ; errors += 5)
            {
                if (looks.Look(1000, 5, 9000, 9).Verdict == Verdict.Unhealthy)
                {
                    return errors + 5;
                }
                Assert.True(errors < 1000, "never caught");
            }
        }
        // Without stakes that are placed later, each good hour would have to be made up for: about half as many bad ones.
        Assert.InRange(ErrorsUntilCaught(1000), 1, ErrorsUntilCaught(0) * 3);
    }

    [Fact]
    public void Trouble_that_both_sides_share_condemns_nobody()
    {
        var looks = new Looks(Looks.Ratio).Step(0.1);
        looks.Look(1000, 2, 9000, 18);
        var judgement = looks.Look(1000, 500, 9000, 4500);
        Assert.Equal(Verdict.Healthy, judgement.Verdict);
        Assert.Equal("25.1 % of 2000 requests failed, baseline 25.1 % of 18000", judgement.Checks[0].Text);
    }

    [Fact]
    public void Alone_the_candidate_is_compared_with_what_the_baseline_was()
    {
        Judgement Alone(long errors) => new Looks(Looks.Ratio).After(50_000, 100).Step(1).Look(10_000, errors, 0, 0);
        Assert.Equal(Verdict.Healthy, Alone(20).Verdict);
        Assert.Equal(Verdict.Inconclusive, Alone(30).Verdict);
        Assert.Equal(Verdict.Unhealthy, Alone(80).Verdict);
        Assert.StartsWith("errors: 0.8 % of 10000 requests failed, baseline 0.2 % of 50000: E ", Alone(80).Cause);
    }

    /// <summary>200 requests without an error bound a rate at 3.5 %, not at 0: a candidate that fails as often as a baseline of 1 % would be condemned for nothing.</summary>
    [Fact]
    public void Alone_a_baseline_that_is_hardly_known_is_given_the_benefit_of_the_doubt()
    {
        Assert.NotEqual(Verdict.Unhealthy, new Looks(Looks.Ratio).After(200, 0).Step(1).Look(10_000, 100, 0, 0).Verdict);
        Assert.Equal(Verdict.Unhealthy, new Looks(Looks.Ratio).After(200, 0).Step(1).Look(10_000, 1500, 0, 0).Verdict);
    }

    [Theory]
    [InlineData(0, 0.001, 6.908)]
    [InlineData(100, 0.001, 141.9)]     // 41.9 - 100 ln 1.419 = -ln 0.001
    public void A_rate_is_bounded_from_above(long errors, double alpha, double most) =>
        Assert.Equal(most / 1000, CheckEvidence.RateBound(new Tally(1000, errors), alpha), 3);

    [Fact]
    public void Slower_than_the_stable_99th_percentile_counts_as_an_error()
    {
        var looks = new Looks(Looks.Latency).After(10_000, 0, Slow(10_000, 80)).Step(0.1);
        Assert.Equal(Verdict.Healthy, looks.See(Slowness(1000, 8, 19_000, 152)).Verdict);
        var judgement = looks.See(Slowness(2000, 60, 28_000, 224));
        Assert.Equal(Verdict.Unhealthy, judgement.Verdict);
        Assert.StartsWith("latency: 3 % of 2000 requests took longer than 50 ms, baseline 0.8 % of 28000: E ", judgement.Cause);
    }

    [Fact]
    public void A_load_that_slows_both_sides_is_not_the_candidate()
    {
        var looks = new Looks(Looks.Latency).After(10_000, 0, Slow(10_000, 80)).Step(0.1);
        Assert.Equal(Verdict.Healthy, looks.See(Slowness(1000, 500, 19_000, 80 + 4500)).Verdict);
    }

    [Fact]
    public void The_percentile_is_frozen_once_the_baseline_has_shown_enough()
    {
        var looks = new Looks(Looks.Latency).Step(0.1);
        var early = looks.See(Slowness(20, 20, 180, 1));
        Assert.Equal(Verdict.Inconclusive, early.Verdict);
        Assert.Null(looks.Evidence!.Checks[0].SlowMs);
        looks.See(Slowness(100, 100, 900, 7));
        Assert.Equal(50, looks.Evidence.Checks[0].SlowMs);
        Assert.Equal(Verdict.Unhealthy, looks.See(Slowness(300, 300, 2700, 21)).Verdict);
        // Slower later on: the limit does not follow it.
        looks.See(Slowness(400, 400, 20_000, 15_000));
        Assert.Equal(50, looks.Evidence.Checks[0].SlowMs);
    }

    [Fact]
    public void A_percentile_above_all_bounds_is_inconclusive_and_says_so()
    {
        var looks = new Looks(Looks.Latency).After(10_000, 0, [new(50, 5000), new(100, 9000)]).Step(0.1);
        var judgement = looks.See(looks.Now with { Candidate = new(1000, 0) { Latency = [new(50, 500), new(100, 900)] }, Baseline = new(19_000, 0) { Latency = [new(50, 9000), new(100, 17_000)] } });
        Assert.Equal((Verdict.Inconclusive, "latency: the baseline's 99th percentile lies above the largest bound that is counted"), (judgement.Verdict, judgement.Cause));
    }

    [Fact]
    public void A_dry_run_is_judged_and_shown_and_nothing_follows_from_it()
    {
        var looks = new Looks(Looks.Ratio with { Name = "trial", DryRun = true }, Looks.Ratio).Step(0.1);
        var ill = looks.Look(1000, 60, 9000, 90);
        Assert.Equal([Verdict.Unhealthy, Verdict.Unhealthy], ill.Checks.Select(check => check.Verdict));
        Assert.Equal([true, false], ill.Checks.Select(check => check.DryRun));
        var alone = new Looks(new CheckPlan { Name = "limit", Source = "router", ErrorsMax = 0.5, SamplesMin = 200 }, Looks.Ratio with { Name = "trial", DryRun = true }).Step(0.1).Look(1000, 60, 9000, 90);
        Assert.Equal((Verdict.Healthy, true, ""), (alone.Verdict, alone.Complete, alone.Cause));
        Assert.Equal(Verdict.Unhealthy, alone.Checks[1].Verdict);
    }

    [Fact]
    public void Checks_that_spend_it_share_the_budget_of_false_aborts()
    {
        string Threshold(params CheckPlan[] checks) => new Looks(checks).Step(0.1).Look(1000, 100, 9000, 90).Checks[0].Text.Split(">= ")[1];
        var limit = new CheckPlan { Name = "limit", Source = "router", ErrorsMax = 0.5 };
        Assert.Equal("100", Threshold(Looks.Ratio));
        Assert.Equal("200", Threshold(Looks.Ratio, Looks.Ratio with { Name = "other" }));
        Assert.Equal("100", Threshold(Looks.Ratio, limit, Looks.Ratio with { Name = "other", DryRun = true }, new CheckPlan { Name = "smoke", Source = "http", When = "test" }));
    }

    private static TrafficObservation Slowness(long candidate, long candidateSlow, long baseline, long baselineSlow) =>
        new("a", new(candidate, 0) { Latency = Slow(candidate, candidateSlow) }, new(baseline, 0) { Latency = Slow(baseline, baselineSlow) });

    private static LatencyCount[] Slow(long requests, long slow) => [new(10, requests / 2), new(50, requests - slow), new(500, requests)];
}
