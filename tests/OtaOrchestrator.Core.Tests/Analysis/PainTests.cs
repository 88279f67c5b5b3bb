using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Tests.Analysis;

/// <summary>What users of other controllers report, as far as a judge can do it to them.</summary>
public sealed class PainTests
{
    /// <summary>Eighteen failures against a threshold of five, and no rollback, because a person was to confirm first.</summary>
    [Fact]
    public void A_persons_gate_does_not_disable_protection()
    {
        var looks = new Looks(Looks.Ratio).Step(0.1);
        looks.Look(1000, 2, 9000, 18);
        // Nothing is committed while a lane waits: no step is reached, and the judge looks on.
        Judgement? judgement = null;
        for (int look = 0; look < 18 && judgement?.Verdict != Verdict.Unhealthy; look++)
        {
            judgement = looks.Look(100, 2, 900, 2);
        }
        Assert.Equal(Verdict.Unhealthy, judgement!.Verdict);
    }

    [Theory]
    [InlineData(0, 0, 0, 0, Verdict.NoData)]
    [InlineData(0, 0, 5000, 5, Verdict.NoData)]
    [InlineData(1, 1, 5000, 5, Verdict.Inconclusive)]
    [InlineData(3, 2, 40, 0, Verdict.Inconclusive)]
    [InlineData(199, 1, 1791, 2, Verdict.Inconclusive)]
    public void Idle_or_low_traffic_does_not_condemn_a_good_release(long requests, long errors, long baseline, long baselineErrors, Verdict verdict) =>
        Assert.Equal(verdict, new Looks(Looks.Ratio).Sticky().Step(0.1).Look(requests, errors, baseline, baselineErrors).Verdict);

    [Fact]
    public void A_run_whose_every_measurement_failed_is_not_a_success()
    {
        var judgement = Judge.Of(new Look(new LanePlan { Checks = [Looks.Ratio] }, new StepPlan { Share = 0.1 }, null, null, 0.01));
        Assert.Equal((Verdict.NoData, false), (judgement.Verdict, judgement.Complete));
    }

    [Theory]
    [InlineData(0, Verdict.Inconclusive)]
    [InlineData(10, Verdict.Inconclusive)]
    [InlineData(5000, Verdict.Inconclusive)]
    public void A_baseline_without_requests_neither_passes_nor_condemns(long errors, Verdict verdict)
    {
        var looks = new Looks(Looks.Ratio).Step(1);
        for (int look = 0; look < 5; look++)
        {
            var judgement = looks.Look(5000, errors, 0, 0);
            Assert.Equal((verdict, false, "errors: the baseline has 0 of 200 requests to compare with"), (judgement.Verdict, judgement.Complete, judgement.Cause));
        }
    }

    [Fact]
    public void A_judge_that_has_nothing_to_ask_does_not_acquit()
    {
        var unknown = Judge.Of(new Look(new LanePlan { Checks = [Looks.Ratio, new CheckPlan { Name = "x", Source = "nowhere" }] }, new StepPlan { Share = 0.1 },
            new TrafficObservation("a", SideCounters.Zero, SideCounters.Zero), new TrafficObservation("a", new(1000, 0), new(9000, 0)), 0.01));
        Assert.Equal((Verdict.NoData, false), (unknown.Verdict, unknown.Complete));
    }

    [Fact]
    public void Whatever_is_not_healthy_says_why_with_the_figures_of_both_sides()
    {
        Assert.Equal("errors: no request reached the candidate", new Looks(Looks.Ratio).Step(0.1).Look(0, 0, 0, 0).Cause);
        Assert.Equal("errors: 50 of 200 requests", new Looks(Looks.Ratio).Step(0.1).Look(50, 0, 450, 0).Cause);
        Assert.Equal("errors: 0.8 % of 1000 requests failed, baseline 0.2 % of 9000: 4 times (max 1.25), not proven", new Looks(Looks.Ratio).Step(0.1).Look(1000, 8, 9000, 18).Cause);
        Assert.Equal("errors: 5 % of 1000 requests failed, baseline 0.2 % of 9000: E 2e23 >= 100", System.Text.RegularExpressions.Regex.Replace(new Looks(Looks.Ratio).Step(0.1).Look(1000, 50, 9000, 18).Cause, "E [0-9e]+", "E 2e23"));
    }
}
