using OtaOrchestrator.Aws.Tests.Doubles;

namespace OtaOrchestrator.Aws.Tests.CloudFront;

/// <summary>The process dies at each call of a rollout there and back, before the call and after it, and another one goes on with the same orders.</summary>
public sealed class CloudFrontCrashTests
{
    [Fact]
    public Task Whatever_call_it_dies_at_it_ends_right_and_nothing_is_made_twice() => DyingAsync(every: 20);

    [Fact]
    [Trait("Gate", "Full")]
    public Task At_each_call_it_may_die_and_it_ends_right_and_nothing_is_made_twice() => DyingAsync(every: 1);

    private static async Task DyingAsync(int every)
    {
        await using var aws = await AwsDoubles.StartAsync();
        foreach (var promoted in (bool[])[true, false])
        {
            int calls = await ThereAndBackAsync(aws, $"counted-{promoted}", new Crashing(), promoted);
            Assert.True(calls > 20, $"{calls} calls");
            int died = 0;
            for (int at = 1; at <= calls; at += every)
            {
                foreach (var after in (bool[])[false, true])
                {
                    var crashing = new Crashing { At = at, AfterActing = after };
                    await ThereAndBackAsync(aws, $"shop-{promoted}-{at}-{(after ? "after" : "before")}", crashing, promoted);
                    died += crashing.Calls >= at ? 1 : 0;
                }
            }

            Assert.Equal(2 * ((calls + every - 1) / every), died);
        }

        Assert.Empty(await aws.ViolationsAsync());
        Assert.Empty(await aws.BugsAsync());
    }

    /// <returns>The calls that it took.</returns>
    private static async Task<int> ThereAndBackAsync(AwsDoubles aws, string name, Crashing crashing, bool promoted)
    {
        await using var edge = await EdgeFixture.StartAsync(aws, name, crashing);
        var before = await edge.ConfigAsync();
        Task Resumed(Func<Task> act) => Crashing.ResumedAsync(() => edge.NewTarget(), act);

        await Resumed(edge.PrepareAsync);
        var (staging, policies) = await edge.BesideAsync();
        Assert.Equal((1, 1), (staging.Count, policies));
        Assert.Equal(before, await edge.ConfigAsync());
        var steps = promoted ? EdgeFixture.Steps.Count : 2;
        for (int step = 0; step < steps; step++)
        {
            var order = edge.Order(step);
            await Resumed(() => edge.ReachAsync(order));
        }

        if (promoted)
        {
            var order = edge.Order(steps - 1);
            await Resumed(() => edge.Target.PromoteAsync(order, default));
            Assert.Equal(before.Replace("/5.0.3", "/5.1.0", StringComparison.Ordinal), await edge.ConfigAsync());
        }

        await Resumed(() => edge.RestoreAsync(steps - 1));
        Assert.Equal(before, await edge.ConfigAsync());
        int calls = crashing.Calls;
        // Once CloudFront lets it, nothing at all is left.
        await edge.RestoreAsync(steps - 1);
        await edge.RestoreAsync(steps - 1);
        (staging, policies) = await edge.BesideAsync();
        Assert.Equal((0, 0), (staging.Count, policies));
        return calls;
    }
}
