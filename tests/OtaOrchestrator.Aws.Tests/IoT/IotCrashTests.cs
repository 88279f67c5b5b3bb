using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.Tests.Doubles;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>A fleet's rollout there and back, dying at a call to AWS IoT before it was sent or before anybody heard its answer, and going on in another process.</summary>
public sealed class IotCrashTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Whatever_call_it_dies_at_nothing_is_offered_twice_and_nothing_stays_offered(bool freertos) => DyingAsync(freertos, every: 7);

    [Theory]
    [Trait("Gate", "Full")]
    [InlineData(false)]
    [InlineData(true)]
    public Task At_each_call_it_may_die_and_nothing_is_offered_twice(bool freertos) => DyingAsync(freertos, every: 1);

    private static async Task DyingAsync(bool freertos, int every)
    {
        int calls = await ThereAndBackAsync(freertos, new Crashing());
        Assert.True(calls > 20, $"{calls} calls");
        for (int at = 1; at <= calls; at += every)
        {
            foreach (var after in (bool[])[false, true])
            {
                var crashing = new Crashing { At = at, AfterActing = after };
                Assert.True(await ThereAndBackAsync(freertos, crashing) > at, $"it did not die at call {at} of {calls}");
            }
        }
    }

    private static async Task<int> ThereAndBackAsync(bool freertos, Crashing crashing)
    {
        await using var fleet = await FleetFixture.StartAsync();
        await using var iot = await IotDouble.StartAsync(fleet);
        using var client = iot.Dying(crashing);
        IotFleet target = null!;
        Restart();
        await FleetJourney.ThereAndBackAsync(fleet, freertos, act => Crashing.ResumedAsync(Restart, () => act(target)));
        return crashing.Calls;

        void Restart() => target = new IotFleet(client, fleet.Settings, fleet.Clock);
    }
}
