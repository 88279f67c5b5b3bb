using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Analysis;

/// <summary>How often the judge is wrong, and how soon it is right, over rollouts whose truth is known.</summary>
public sealed class SequentialJudgeTests
{
    private const double Limit = 1.25;
    private const double FalseAbortMax = 0.01;
    private const int Looks = 100;
    private static readonly CheckPlan Ratio = new() { Name = "errors", Source = "router", Against = "baseline", RatioMax = Limit, SamplesMin = 200 };

    [Theory]
    [InlineData(1.0)]
    [InlineData(Limit)]
    public void Good_rollouts_are_hardly_ever_aborted(double effect) => FalseAbortsStayBelowTheBudget(effect, 1_000);

    [Theory]
    [Trait("Gate", "Full")]
    [InlineData(1.0)]
    [InlineData(Limit)]
    public void Of_ten_thousand_good_rollouts_looked_at_a_hundred_times_hardly_any_is_aborted(double effect) => FalseAbortsStayBelowTheBudget(effect, 10_000);

    [Theory]
    [InlineData(10, 6)]
    [InlineData(5, 10)]
    [InlineData(3, 20)]
    [InlineData(2, 67)]
    public void The_worse_a_candidate_the_fewer_errors_give_it_away(double effect, long errors)
    {
        // Ten looks for each error of the candidate's, so that the interval adds nothing to what the test itself needs.
        var bad = Always(new Conditions(0.1, 500, 0.02 / effect, 0.02));
        List<long> needed = [];
        for (ulong seed = 1; seed <= 300; seed++)
        {
            var caught = bad.Run(seed).Take(20_000).FirstOrDefault(look => look.Judgement.Verdict == Verdict.Unhealthy);
            Assert.NotNull(caught.Judgement);
            needed.Add(caught.Seen.Candidate.Errors);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{Median(needed)} errors at {effect} times");
        Assert.InRange(Median(needed), errors * 0.7, errors * 1.3);
    }

    /// <summary>At worst one in a hundred is aborted; a binomial count that is over that by four standard errors shows a judge that is wrong more often.</summary>
    private static void FalseAbortsStayBelowTheBudget(double effect, int runs)
    {
        int aborted = 0;
        for (int run = 0; run < runs; run++)
        {
            aborted += Changing(effect, run).Run((ulong)run).Take(Looks).Any(look => look.Judgement.Verdict == Verdict.Unhealthy) ? 1 : 0;
        }
        double most = (FalseAbortMax * runs) + (effect == 1 ? 0 : 4 * Math.Sqrt(FalseAbortMax * (1 - FalseAbortMax) * runs));
        Assert.True(aborted <= most, $"{aborted} of {runs} good rollouts were aborted, {most:0} at most are allowed");
        TestContext.Current.TestOutputHelper?.WriteLine($"{aborted} of {runs} aborted");
    }

    /// <summary>The share grows, the load goes up and down, and both sides' errors rise tenfold together for a while: nothing of it is the candidate's fault.</summary>
    private static SimulatedRollout Changing(double effect, int run)
    {
        double[] shares = [0.01, 0.05, 0.25, 0.5, 1];
        return new SimulatedRollout
        {
            Check = Ratio,
            FalseAbortMax = FalseAbortMax,
            At = number =>
            {
                double trouble = number % 40 is > 10 and < 16 ? 10 : 1;
                double errors = 0.002 * (1 + (run % 5)) * trouble;
                // Alone, the candidate is compared with what the baseline was before: trouble then would be its own.
                double share = shares[Math.Min(shares.Length - 1, (number - 1) / 20)];
                errors = share == 1 ? 0.002 * (1 + (run % 5)) : errors;
                return new Conditions(share, 1000 + (number * 37 % 11 * 300), errors, errors * effect);
            },
        };
    }

    private static SimulatedRollout Always(Conditions conditions) => new() { Check = Ratio, FalseAbortMax = FalseAbortMax, At = _ => conditions };

    private static long Median(List<long> values) => values.Order().ElementAt(values.Count / 2);
}
