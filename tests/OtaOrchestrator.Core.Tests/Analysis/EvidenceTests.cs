using System.Text.Json;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Tests.Analysis;

public sealed class EvidenceTests
{
    [Fact]
    public void Evidence_goes_on_from_step_to_step()
    {
        var looks = new Looks(Looks.Ratio).Step(0.1);
        Assert.Equal(Verdict.Inconclusive, looks.Look(1000, 8, 9000, 18).Verdict);
        Assert.Equal(Verdict.Inconclusive, new Looks(Looks.Ratio).Step(0.25).Look(2500, 19, 7500, 15).Verdict);
        var judgement = looks.Step(0.25).Look(2500, 19, 7500, 15);
        Assert.Equal(Verdict.Unhealthy, judgement.Verdict);
        Assert.StartsWith("errors: 0.77 % of 3500 requests failed, baseline 0.2 % of 16500: E ", judgement.Cause);
    }

    [Fact]
    public void Who_lost_the_newest_evidence_enters_a_longer_interval_and_nothing_twice()
    {
        var looks = new Looks(Looks.Ratio).Step(0.1);
        looks.Look(100, 1, 900, 1);
        var committed = looks.Evidence;
        looks.Look(100, 1, 900, 1);
        looks.Evidence = committed;
        looks.Look(100, 1, 900, 1);
        var check = looks.Evidence!.Checks[0];
        Assert.Equal((new Tally(300, 3), new Tally(2700, 3)), (check.Candidate, check.Baseline));
        Assert.Equal(2, looks.Evidence.Looks);
    }

    [Fact]
    public void The_newer_evidence_is_the_one_with_more_looks()
    {
        var (old, young) = (new Evidence { Instance = "a", Looks = 3 }, new Evidence { Instance = "a", Looks = 4 });
        Assert.Same(young, Evidence.Newer(old, young));
        Assert.Same(young, Evidence.Newer(young, old));
        Assert.Same(old, Evidence.Newer(old, null));
        Assert.Same(old, Evidence.Newer(null, old));
        Assert.Null(Evidence.Newer(null, null));
    }

    [Fact]
    public void A_router_that_began_again_counts_from_zero()
    {
        var looks = new Looks(Looks.Ratio).Step(0.1);
        looks.Look(1000, 2, 9000, 18);
        looks.See(new TrafficObservation("b", new(100, 1), new(900, 2)));
        var check = looks.Evidence!.Checks[0];
        Assert.Equal((new Tally(1100, 3), new Tally(9900, 20)), (check.Candidate, check.Baseline));
    }

    [Fact]
    public void A_counter_that_goes_back_counts_nothing_until_it_has_caught_up()
    {
        var looks = new Looks(Looks.Ratio).Step(0.1);
        var whole = looks.Look(1000, 2, 9000, 18);
        looks.See(new TrafficObservation("a", SideCounters.Zero, SideCounters.Zero));
        looks.See(new TrafficObservation("a", new(1000, 2), new(9000, 18)));
        var check = looks.Evidence!.Checks[0];
        Assert.Equal((new Tally(1000, 2), new Tally(9000, 18)), (check.Candidate, check.Baseline));
        Assert.Equal(whole.Checks[0].EValue, check.Test.Value());
    }

    [Fact]
    public void Errors_that_are_ahead_of_their_requests_are_not_lost()
    {
        var looks = new Looks(Looks.Ratio).Step(0.1);
        looks.Look(10, 0, 900, 0);
        looks.See(looks.Now with { Candidate = new(10, 3) });
        Assert.Equal(new Tally(10, 0), looks.Evidence!.Checks[0].Candidate);
        looks.See(looks.Now with { Candidate = new(15, 3) });
        Assert.Equal(new Tally(15, 3), looks.Evidence!.Checks[0].Candidate);
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(-5, -7, -9, 3)]
    [InlineData(long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue)]
    [InlineData(long.MaxValue, 0, 1, 1)]
    [InlineData(long.MinValue, long.MaxValue, long.MaxValue, long.MinValue)]
    [InlineData(1, long.MaxValue, long.MaxValue, 0)]
    public void Nonsense_is_neither_a_crash_nor_infinite(long requests, long errors, long baseline, long baselineErrors)
    {
        var looks = new Looks(Looks.Ratio, Looks.Latency).Step(0.1);
        LatencyCount[] latency = [new(double.NaN, 5), new(double.PositiveInfinity, -1), new(50, requests), new(10, long.MaxValue)];
        looks.Look(500, 1, 5000, 5);
        for (int again = 0; again < 3; again++)
        {
            var judgement = looks.See(new TrafficObservation(again == 1 ? "b" : "a", new(requests, errors) { Latency = latency }, new(baseline, baselineErrors) { Latency = latency }));
            Assert.All(judgement.Checks, check => Assert.True(double.IsFinite(check.EValue) && double.IsFinite(check.Value), check.ToString()));
            Assert.All(looks.Evidence!.Checks, check => Assert.True(check.Candidate is { Requests: >= 0, Bad: >= 0 } && check.Candidate.Bad <= check.Candidate.Requests));
        }
    }

    [Fact]
    public void The_same_looks_give_the_same_evidence()
    {
        string Told()
        {
            var rollout = new SimulatedRollout { Check = Looks.Ratio, FalseAbortMax = 0.01, At = number => new Conditions(number < 30 ? 0.05 : 1, 1000, 0.004, 0.006) };
            return string.Concat(rollout.Run(7).Take(60).Select(look => JsonSerializer.Serialize(look.Judgement)));
        }
        Assert.Equal(Told(), Told());
    }

    [Fact]
    public void Its_stored_form_is_the_whole_of_it()
    {
        var looks = new Looks(Looks.Ratio, Looks.Latency).After(10_000, 20, [new(50, 9_950), new(100, 10_000)]).Step(1);
        looks.Look(1000, 3, 0, 0);
        var evidence = looks.Evidence!;
        Assert.Equal(JsonSerializer.Serialize(evidence), JsonSerializer.Serialize(Looks.Stored(evidence)));
        Assert.Equal(new Tally(10_000, 20), evidence.Checks[0].Frozen);
        Assert.Equal(50, evidence.Checks[1].SlowMs);
    }

    [Fact]
    public void Tests_before_exposure_are_not_counted()
    {
        var looks = new Looks(Looks.Ratio).Step(0);
        looks.Look(50, 50, 5000, 10);
        looks.Look(50, 50, 5000, 10);
        looks.Step(0.1);
        Assert.Equal(Verdict.Healthy, looks.Look(500, 1, 4500, 9).Verdict);
        Assert.Equal(new Tally(500, 1), looks.Evidence!.Checks[0].Candidate);
        Assert.Equal(new Tally(14_500, 29), looks.Evidence.Checks[0].Baseline);
    }

    /// <summary>The share rises between two looks, and so do both sides' errors: taken as one interval, the candidate would have had most of them.</summary>
    [Fact]
    public void An_interval_in_which_the_share_changed_is_split_there()
    {
        var looks = new Looks(Looks.Ratio).Step(0.1);
        looks.Look(1000, 1, 9000, 9);
        looks.See(looks.Now);
        long looked = looks.Evidence!.Looks;
        // Comes without a look; the reading at the new step sees it.
        var at = looks.Now with { Candidate = new(2000, 2), Baseline = new(18_000, 18) };
        var split = new Looks(Looks.Ratio) { Evidence = looks.Evidence };
        split.See(at);
        split.Evidence = looks.Evidence;
        split.Step(0.9);
        var judgement = split.See(at with { Candidate = new(2000 + 9000, 2 + 900), Baseline = new(18_000 + 1000, 18 + 100) });
        Assert.NotEqual(Verdict.Unhealthy, judgement.Verdict);
        Assert.Equal(looked + 1, judgement.Evidence!.Looks);
        Assert.Equal(new Tally(11_000, 902), judgement.Evidence.Checks[0].Candidate);
        // The same as one interval condemns.
        var whole = new Looks(Looks.Ratio) { Evidence = looks.Evidence };
        Assert.Equal(Verdict.Unhealthy, whole.See(split.Now).Verdict);
    }
}
