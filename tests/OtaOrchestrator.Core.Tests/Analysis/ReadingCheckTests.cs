using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Analysis;

/// <summary>Checks that ask somebody: what readings in a row come to.</summary>
public sealed class ReadingCheckTests
{
    private static readonly StepPlan Exposing = new() { Share = 0.1 };
    private static readonly StepPlan Testing = new() { Share = 0, Test = "smoke" };

    [Theory]
    [InlineData("P", Verdict.Healthy)]
    [InlineData("F", Verdict.Inconclusive)]
    [InlineData("FF", Verdict.Inconclusive)]
    [InlineData("FFF", Verdict.Unhealthy)]
    [InlineData("FFPF", Verdict.Inconclusive)]
    [InlineData("FFPFFF", Verdict.Unhealthy)]
    [InlineData("PN", Verdict.NoData)]
    [InlineData("FNFNF", Verdict.Unhealthy)]
    [InlineData("PU", Verdict.Inconclusive)]
    [InlineData("-", Verdict.NoData)]
    public void Readings_in_a_row_come_to_a_verdict(string readings, Verdict expected) => Assert.Equal(expected, Judged(readings).Verdict);

    [Fact]
    public void Passes_are_counted_up_to_the_evidence_that_is_asked_for()
    {
        Assert.Equal(Verdict.Inconclusive, Judged("PP", check => check with { SamplesMin = 3 }).Verdict);
        Assert.Equal(Verdict.Healthy, Judged("PPP", check => check with { SamplesMin = 3 }).Verdict);
        Assert.Equal(Verdict.Unhealthy, Judged("F", check => check with { FailuresInRowMax = 0 }).Verdict);
    }

    [Fact]
    public void A_new_step_begins_to_count_anew()
    {
        var before = Judged("FF");
        var look = Look(Lane(), Exposing, "F") with { ReadingsBefore = before.Readings, StepIndex = 1 };
        Assert.Equal(Verdict.Inconclusive, Judge.Of(look).Verdict);
        Assert.Equal(Verdict.Unhealthy, Judge.Of(look with { StepIndex = 0 }).Verdict);
    }

    [Fact]
    public void What_a_check_says_of_missing_data_goes_before_the_judge()
    {
        Assert.Null(Judged("N").OnNoData);
        Assert.Equal(OnVerdict.Rollback, Judged("N", check => check with { NoData = OnVerdict.Rollback }).OnNoData);
        Assert.Equal(OnVerdict.Hold, Judged("N", check => check with { NoData = OnVerdict.Hold }).OnNoData);
    }

    [Fact]
    public void Data_that_may_stay_away_and_dry_runs_keep_nobody_from_acquitting_and_condemn_nobody()
    {
        var hook = Check("hook");
        var quiet = Check("quiet") with { NoData = OnVerdict.Ignore };
        var dry = Check("dry") with { DryRun = true, FailuresInRowMax = 0 };
        var look = new Look(new LanePlan { Checks = [hook, quiet, dry] }, Exposing, null, null, 0.01)
        {
            Readings = new Dictionary<string, CheckReading> { ["hook"] = new(Answer.Passed, "fine"), ["quiet"] = new(Answer.Nothing, "down"), ["dry"] = new(Answer.Failed, "bad") },
        };
        var judgement = Judge.Of(look);
        Assert.Equal(Verdict.Healthy, judgement.Verdict);
        Assert.Equal([(Verdict.Healthy, false), (Verdict.NoData, true), (Verdict.Unhealthy, true)], judgement.Checks.Select(result => (result.Verdict, result.DryRun)));
        // Nothing that weighs is nothing to tell from.
        Assert.Equal(Verdict.NoData, Judge.Of(look with { Lane = new LanePlan { Checks = [quiet, dry] } }).Verdict);
    }

    [Fact]
    public void A_test_is_looked_at_in_the_steps_that_name_it_and_everything_else_where_there_are_users()
    {
        var lane = new LanePlan { Checks = [Check("hook"), Check("smoke") with { When = "test" }, Check("other") with { When = "test" }] };
        Assert.Equal(["smoke"], Judge.ChecksOf(lane, Testing).Select(check => check.Name));
        Assert.Equal(["hook"], Judge.ChecksOf(lane, Exposing).Select(check => check.Name));
        Assert.Equal(["hook", "smoke"], Judge.ChecksOf(lane, Exposing with { Test = "smoke" }).Select(check => check.Name));
        Assert.Empty(Judge.ChecksOf(lane, new StepPlan { Share = 0 }));
        Assert.Equal(["hook"], Judge.ChecksOf(lane, new StepPlan { Group = "lab" }).Select(check => check.Name));
    }

    private static Judgement Judged(string readings, Func<CheckPlan, CheckPlan>? change = null)
    {
        var lane = Lane(change);
        var judgement = Judgement.NoData("");
        foreach (var reading in readings)
        {
            judgement = Judge.Of(Look(lane, Exposing, reading.ToString()) with { ReadingsBefore = judgement.Readings });
        }
        return judgement;
    }

    private static Look Look(LanePlan lane, StepPlan step, string reading) => new(lane, step, null, null, 0.01)
    {
        Readings = reading switch
        {
            "P" => Of(Answer.Passed),
            "F" => Of(Answer.Failed),
            "U" => Of(Answer.Undecided),
            "N" => Of(Answer.Nothing),
            _ => new Dictionary<string, CheckReading>(),
        },
    };

    private static Dictionary<string, CheckReading> Of(Answer answer) => new() { ["hook"] = new CheckReading(answer, answer.ToString()) };

    private static LanePlan Lane(Func<CheckPlan, CheckPlan>? change = null) => new() { Checks = [change?.Invoke(Check("hook")) ?? Check("hook")] };

    private static CheckPlan Check(string name) => new() { Name = name, Source = CheckSources.Webhook, FailuresInRowMax = 2, SamplesMin = 1 };
}
