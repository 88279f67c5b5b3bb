using System.Text.Json;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Tests.Analysis;

public sealed class FleetJudgeTests
{
    [Theory]
    // started: healthy failed silent; offered, reachable; then verdict, complete
    [InlineData(20, 20, 0, 0, 20, 20, Verdict.Healthy, true)]
    [InlineData(18, 18, 0, 0, 20, 20, Verdict.Healthy, true)]      // two have not come online yet: reach 0.9 does without them
    [InlineData(17, 17, 0, 0, 20, 20, Verdict.Healthy, false)]
    [InlineData(17, 17, 0, 0, 20, 18, Verdict.Healthy, true)]      // two were not heard of for a week: 17 of 18
    [InlineData(20, 19, 0, 0, 20, 20, Verdict.Healthy, false)]     // one still open: success reports early, silence late
    [InlineData(20, 19, 1, 0, 20, 20, Verdict.Inconclusive, false)] // over 2 %, not proven: neither undone nor promoted
    [InlineData(20, 17, 3, 0, 20, 20, Verdict.Inconclusive, false)]
    [InlineData(20, 15, 5, 0, 20, 20, Verdict.Unhealthy, false)]
    [InlineData(20, 15, 0, 5, 20, 20, Verdict.Unhealthy, false)]   // silence is a failure
    [InlineData(20, 12, 5, 0, 20, 20, Verdict.Unhealthy, false)]   // three open ones change nothing any more
    [InlineData(4, 0, 4, 0, 4, 4, Verdict.Unhealthy, false)]       // the smallest wave that fails as a whole
    [InlineData(3, 0, 3, 0, 4, 4, Verdict.Unhealthy, false)]
    [InlineData(2, 0, 2, 0, 4, 4, Verdict.Inconclusive, false)]
    [InlineData(1000, 980, 20, 0, 1000, 1000, Verdict.Healthy, true)] // exactly the limit
    [InlineData(1000, 979, 21, 0, 1000, 1000, Verdict.Inconclusive, false)]
    [InlineData(1000, 985, 0, 0, 1000, 1000, Verdict.Healthy, true)]  // 15 open, all of which could fail within the limit
    [InlineData(1000, 930, 70, 0, 1000, 1000, Verdict.Unhealthy, false)]
    [InlineData(5, 0, 0, 0, 20, 20, Verdict.Inconclusive, false)]  // started, none resolved
    [InlineData(0, 0, 0, 0, 20, 20, Verdict.NoData, false)]        // offered, none started
    [InlineData(0, 0, 0, 0, 0, 0, Verdict.NoData, false)]
    public void A_wave_is_judged_by_what_started(long started, long healthy, long failed, long silent, long offered, long reachable, Verdict verdict, bool complete)
    {
        var judgement = Look(new FleetObservation(offered, reachable, offered - started, started == 0 ? [] : [new StartBucket(1000, started, healthy, failed, silent)], 0, 0, []));
        Assert.Equal((verdict, complete), (judgement.Verdict, judgement.Complete));
        Assert.Equal(judgement is { Verdict: Verdict.Healthy, Complete: true }, judgement.Cause.Length == 0);
    }

    [Fact]
    public void A_refused_signature_condemns_at_once()
    {
        var judgement = Look(new FleetObservation(1000, 1000, 0, [new StartBucket(1, 1000, 999, 1, 0)], 0, 1, [new CauseCount("SIGNATURE", 1)]));
        Assert.Equal(Verdict.Unhealthy, judgement.Verdict);
        Assert.Contains("security incident", judgement.Cause);
    }

    [Fact]
    public void Devices_whose_failure_a_person_has_accepted_condemn_no_more_and_new_ones_do()
    {
        var then = new FleetObservation(20, 20, 10, [new StartBucket(1, 5, 0, 4, 1), new StartBucket(2, 5, 4, 0, 0)], 0, 1, []);
        var step = new StepPlan { Share = 1, Reach = 0.9 };
        var look = new Look(Lane() with { Steps = [step] }, step, null, then, 0.01);
        Assert.Equal(Verdict.Unhealthy, Judge.Of(look).Verdict);
        // The silent one has come back meanwhile, and the others of the wave are well.
        var now = then with { Queued = 0, Starts = [new StartBucket(1, 5, 1, 4, 0), new StartBucket(2, 5, 5, 0, 0), new StartBucket(9, 10, 10, 0, 0)] };
        Assert.Equal(Verdict.Unhealthy, Judge.Of(look with { Now = now }).Verdict);
        var overruled = Judge.Of(look with { Now = now, Overruled = then });
        Assert.Equal((Verdict.Healthy, true), (overruled.Verdict, overruled.Complete));
        var worse = now with { Starts = [.. now.Starts.Take(2), new StartBucket(9, 10, 4, 6, 0)] };
        Assert.Equal(Verdict.Unhealthy, Judge.Of(look with { Now = worse, Overruled = then }).Verdict);
    }

    [Fact]
    public void Devices_that_go_dark_after_they_were_good_count_as_failed()
    {
        Assert.Equal(Verdict.Unhealthy, Look(new FleetObservation(100, 100, 0, [new StartBucket(1, 100, 100, 0, 0)], 20, 0, [])).Verdict);
        Assert.Equal(Verdict.Inconclusive, Look(new FleetObservation(100, 100, 0, [new StartBucket(1, 100, 100, 0, 0)], 3, 0, [])).Verdict);
        Assert.True(Look(new FleetObservation(100, 100, 0, [new StartBucket(1, 100, 100, 0, 0)], 2, 0, [])).Complete);
    }

    [Fact]
    public void A_bad_start_is_caught_although_later_devices_are_good_so_far()
    {
        var buckets = new[] { new StartBucket(1, 5, 0, 5, 0), new StartBucket(2, 500, 400, 0, 0) };
        Assert.Equal(Verdict.Unhealthy, Look(new FleetObservation(505, 505, 0, buckets, 0, 0, [])).Verdict);
    }

    [Fact]
    public void The_step_may_ask_for_confirmed_devices_and_the_lane_for_a_share_of_all()
    {
        var fleet = new FleetObservation(100, 95, 5, [new StartBucket(1, 95, 94, 1, 0)], 0, 0, []);
        Assert.False(Look(fleet, confirmedMin: 95).Complete);
        Assert.True(Look(fleet, confirmedMin: 94).Complete);
        Assert.True(Look(fleet, complete: new CompletePlan { ConfirmedMin = 0.97, Of = "reachable" }).Complete);
        Assert.Equal("94 of 97 devices confirmed to complete the lane", Look(fleet, complete: new CompletePlan { ConfirmedMin = 0.97, Of = "all" }).Cause);
    }

    [Fact]
    public void The_check_may_ask_for_more_evidence()
    {
        var fleet = new FleetObservation(20, 20, 0, [new StartBucket(1, 20, 20, 0, 0)], 0, 0, []);
        Assert.Equal(Verdict.Inconclusive, Look(fleet, samplesMin: 21).Verdict);
        Assert.Equal(Verdict.Healthy, Look(fleet, samplesMin: 20).Verdict);
    }

    [Fact]
    public void A_wave_without_devices_passes_only_when_the_read_back_says_so()
    {
        var empty = new FleetObservation(0, 0, 0, [], 0, 0, []);
        Assert.Equal(Verdict.NoData, Look(empty).Verdict);
        Assert.Equal(Verdict.NoData, Look(empty, eligible: 7).Verdict);
        Assert.True(Look(empty, eligible: 0) is { Verdict: Verdict.Healthy, Complete: true });
    }

    [Fact]
    public void Nothing_shown_and_no_check_are_no_data_and_never_good()
    {
        Assert.Equal(Verdict.NoData, Judge.Of(new Look(Lane(), new StepPlan(), null, null, 0.01)).Verdict);
        var fleet = new FleetObservation(1, 1, 0, [new StartBucket(1, 1, 1, 0, 0)], 0, 0, []);
        Assert.Equal(Verdict.NoData, Judge.Of(new Look(Lane() with { Checks = [] }, new StepPlan(), null, fleet, 0.01)).Verdict);
        Assert.Equal(Verdict.NoData, Judge.Of(new Look(Lane() with { Checks = [new CheckPlan { Name = "x", Source = "router" }] }, new StepPlan(), null, fleet, 0.01)).Verdict);
        Assert.Equal(Verdict.NoData, Judge.Of(new Look(Lane() with { Checks = [.. Lane().Checks, new CheckPlan { Name = "x", Source = "router" }] }, new StepPlan(), null, fleet, 0.01)).Verdict);
    }

    [Fact]
    public void A_judgement_can_be_stored_and_read_back()
    {
        var judgement = Look(new FleetObservation(2000, 2000, 0, [new StartBucket(1, 2000, 0, 2000, 0)], 0, 0, [new CauseCount("FLASH_WRITE", 9), new CauseCount("SELF_TEST", 1991)]));
        var stored = JsonSerializer.Serialize(judgement);
        Assert.Equal(stored, JsonSerializer.Serialize(JsonSerializer.Deserialize<Judgement>(stored)));
        Assert.Contains("SELF_TEST 1991, FLASH_WRITE 9", stored);
    }

    private static LanePlan Lane(long? samplesMin = null, CompletePlan? complete = null) =>
        new() { Checks = [new CheckPlan { Name = "install", Source = "devices", FailuresMax = 0.02, SamplesMin = samplesMin }], Complete = complete };

    private static Judgement Look(FleetObservation fleet, long? confirmedMin = null, long? samplesMin = null, CompletePlan? complete = null, long? eligible = null)
    {
        var step = new StepPlan { Share = 1, Reach = 0.9, ConfirmedMin = confirmedMin };
        return Judge.Of(new Look(Lane(samplesMin, complete) with { Steps = [step] }, step, null, fleet, 0.01) { Eligible = eligible });
    }
}
