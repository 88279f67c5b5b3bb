using OtaOrchestrator.Core.Analysis;

namespace OtaOrchestrator.Core.Tests.Analysis;

public sealed class SplitTests
{
    [Theory]
    [InlineData(0.1, 1000, 9000, true)]
    [InlineData(0.1, 920, 9080, true)]      // certain, and too little to matter
    [InlineData(0.1, 300, 9700, false)]
    [InlineData(0.1, 3000, 7000, false)]
    [InlineData(0.1, 230, 1770, true)]      // may be luck
    [InlineData(0.5, 400, 9600, false)]
    [InlineData(0.5, 9600, 400, false)]
    public void A_split_that_does_not_happen_is_inconclusive(double share, long candidate, long baseline, bool happens)
    {
        var judgement = new Looks(Looks.Ratio).Step(share).Look(candidate, 0, baseline, 0);
        Assert.Equal(happens ? Verdict.Healthy : Verdict.Inconclusive, judgement.Verdict);
        Assert.Equal(happens ? 0 : 1, judgement.Checks.Count(check => check.Name == "split"));
    }

    [Fact]
    public void It_says_what_should_have_happened() =>
        Assert.Equal("split: 3 % of 10000 requests reached the candidate, 10 % should", new Looks(Looks.Ratio).Step(0.1).Look(300, 0, 9700, 0).Cause);

    [Fact]
    public void Where_nothing_is_split_nothing_can_be_off()
    {
        Assert.Equal(Verdict.Healthy, new Looks(Looks.Ratio).Sticky().Step(0.1).Look(5000, 0, 5000, 0).Verdict);
        Assert.Equal(Verdict.Healthy, new Looks(Looks.Ratio).Step(1).Look(5000, 0, 5000, 0).Verdict);
        Assert.DoesNotContain(new Looks(Looks.Ratio).Step(0).Look(50, 0, 5000, 0).Checks, check => check.Name == "split");
    }

    [Fact]
    public void A_sick_candidate_is_condemned_whatever_the_split() =>
        Assert.Equal(Verdict.Unhealthy, new Looks(Looks.Ratio).Step(0.1).Look(300, 100, 9700, 20).Verdict);

    /// <summary>A chi-square at 0.001, looked at a hundred times, would alarm in about one of a hundred.</summary>
    [Fact]
    public void A_hundred_looks_at_a_good_split_raise_no_more_false_alarms_than_one()
    {
        const int Runs = 5_000;
        int alarms = 0;
        for (ulong run = 0; run < Runs; run++)
        {
            var draws = new Draws(run);
            (long candidate, long all, double most) = (0, 0, 0);
            for (int look = 0; look < 100; look++)
            {
                candidate += draws.Successes(40, 0.1);
                all += 40;
                most = Math.Max(most, SplitCheck.Value(candidate, all - candidate, 0.1));
            }
            alarms += most >= 1 / SplitCheck.FalseAlarmMax ? 1 : 0;
        }
        // The bound, and three standard errors.
        Assert.InRange(alarms, 0, (Runs * SplitCheck.FalseAlarmMax) + (3 * Math.Sqrt(Runs * SplitCheck.FalseAlarmMax)));
    }
}
