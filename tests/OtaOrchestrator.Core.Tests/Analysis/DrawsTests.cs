using OtaOrchestrator.Core.Analysis;

namespace OtaOrchestrator.Core.Tests.Analysis;

public sealed class DrawsTests
{
    [Theory]
    [InlineData(1e-9)]
    [InlineData(1e-17)]
    [InlineData(double.Epsilon)]
    public void A_chance_too_small_for_the_trials_gives_no_success(double chance) => Assert.Equal(0, new Draws(7).Successes(1000, chance));

    [Theory]
    [InlineData(1_000, 0.3)]
    [InlineData(100_000, 2e-4)]
    [InlineData(1_000_000_000_000, 2e-11)]
    [InlineData(1_000_000, 0.9)]
    public void Successes_have_the_mean_of_their_chance(long trials, double chance)
    {
        var draws = new Draws(11);
        double mean = Enumerable.Range(0, 2000).Average(_ => (double)draws.Successes(trials, chance));
        double spread = Math.Sqrt(trials * chance * (1 - chance) / 2000);
        Assert.InRange(mean, (trials * chance) - (5 * spread), (trials * chance) + (5 * spread));
    }
}
