using CsCheck;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Plans;

public sealed class CohortTests
{
    [Fact]
    public void The_cohort_of_a_thing_is_the_one_that_other_programs_compute()
    {
        // sha256("thermostats-0001") and sha256("a"), first eight bytes, modulo 100; computed with another program.
        Assert.Equal(87, Cohorts.Of("thermostats-0001"));
        Assert.Equal(50, Cohorts.Of("a"));
    }

    [Fact]
    public void Things_spread_over_all_cohorts_evenly()
    {
        var counts = Enumerable.Range(0, 100_000).GroupBy(i => Cohorts.Of($"thermostats-{i:D6}")).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal(Cohorts.Count, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 850, 1150));
    }

    [Fact]
    public void Waves_are_disjoint_and_together_everything() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, 30], Gen.Int[1, 99].Array[0, 6]).Sample((rollout, shares) =>
        {
            double[] steps = [.. shares.Distinct().Order().Select(share => share / 100.0), 1];
            var waves = steps.Select((share, i) => Cohorts.Between(rollout, i == 0 ? 0 : steps[i - 1], share)).ToList();
            Assert.Equal(Enumerable.Range(0, Cohorts.Count), waves.SelectMany(wave => wave).Order());
            Assert.All(steps.Zip(waves.Scan()), pair => Assert.Equal((int)Math.Round(pair.First * 100), pair.Second));
        }, iter: 300);

    [Fact]
    public void A_rollout_always_takes_the_same_cohorts_and_another_one_others()
    {
        Assert.Equal(Cohorts.Order("autumn"), Cohorts.Order("autumn"));
        var first = Enumerable.Range(0, 2000).SelectMany(i => Cohorts.Between($"rollout-{i}", 0, 0.1)).GroupBy(cohort => cohort).ToDictionary(group => group.Key, group => group.Count());
        // Each cohort is in the first tenth of a tenth of the rollouts: 200 of 2000, six standard deviations either way.
        Assert.Equal(Cohorts.Count, first.Count);
        Assert.All(first.Values, count => Assert.InRange(count, 120, 280));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 0.5)]
    [InlineData(0.5, 0.1)]
    public void A_step_that_adds_nothing_has_no_cohorts(double from, double to) => Assert.Empty(Cohorts.Between("autumn", from, to));
}

internal static class Running
{
    public static IEnumerable<int> Scan(this IEnumerable<int[]> waves)
    {
        int sum = 0;
        foreach (var wave in waves)
        {
            yield return sum += wave.Length;
        }
    }
}
