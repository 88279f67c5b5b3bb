using System.Text.Json.Nodes;
using OtaOrchestrator.Aws.Tests.Doubles;

namespace OtaOrchestrator.Aws.Tests.Lambda;

/// <summary>The process dies at each call of a rollout there and back, before the call and after it, and another one goes on with the same orders.</summary>
public sealed class LambdaCrashTests
{
    [Fact]
    public Task Whatever_call_it_dies_at_it_ends_right_and_nothing_is_made_twice() => DyingAsync(every: 3);

    [Fact]
    [Trait("Gate", "Full")]
    public Task At_each_call_it_may_die_and_it_ends_right_and_nothing_is_made_twice() => DyingAsync(every: 1);

    private static async Task DyingAsync(int every)
    {
        await using var aws = await AwsDoubles.StartAsync();
        var counting = new Crashing();
        int calls = await ThereAndBackAsync(aws, "counted", counting);
        Assert.True(calls > 20, $"{calls} calls");
        int died = 0;
        for (int at = 1; at <= calls; at += every)
        {
            foreach (var after in (bool[])[false, true])
            {
                var crashing = new Crashing { At = at, AfterActing = after };
                await ThereAndBackAsync(aws, $"api-{at}-{(after ? "after" : "before")}", crashing);
                died += crashing.Calls >= at ? 1 : 0;
            }
        }

        Assert.Equal(2 * ((calls + every - 1) / every), died);
        Assert.Empty(await aws.ViolationsAsync());
        Assert.Empty(await aws.BugsAsync());
    }

    /// <returns>The calls that it took.</returns>
    private static async Task<int> ThereAndBackAsync(AwsDoubles aws, string function, Crashing crashing)
    {
        await using var alias = await AliasFixture.StartAsync(aws, function, crashing);
        var before = await alias.ServesAsync();
        var order = alias.Order(-1);
        await Crashing.ResumedAsync(() => alias.NewTarget(), async () => alias.Keep(await alias.Target.PrepareAsync(order, default)));
        for (int step = 0; step < AliasFixture.Steps.Count; step++)
        {
            order = alias.Order(step);
            await Crashing.ResumedAsync(() => alias.NewTarget(), async () =>
            {
                await alias.Target.ExposeAsync(order, default);
                await alias.ReachedAsync(order);
            });
        }

        Assert.Contains("\"FunctionVersion\":\"2\"", await alias.ServesAsync(), StringComparison.Ordinal);
        order = alias.Order(AliasFixture.Steps.Count - 1);
        await Crashing.ResumedAsync(() => alias.NewTarget(), () => alias.Target.PromoteAsync(order, default));
        order = alias.Order(AliasFixture.Steps.Count - 1);
        await Crashing.ResumedAsync(() => alias.NewTarget(), async () =>
        {
            await alias.Target.RestoreAsync(order, default);
            Assert.True((await alias.Target.ReadRestorationAsync(order, default)).Agrees);
        });
        Assert.Equal(before, await alias.ServesAsync());
        var versions = JsonNode.Parse(await aws.SnapshotAsync("lambda"))!["lambda"]!["functions"]![function]!["versions"]!.AsObject();
        Assert.Equal(["1", "2"], versions.Select(version => version.Key));
        return crashing.Calls;
    }
}
