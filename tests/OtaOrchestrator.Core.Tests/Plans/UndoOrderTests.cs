using CsCheck;
using OtaOrchestrator.Core.Plans;
using static OtaOrchestrator.Core.Plans.UndoOrder;

namespace OtaOrchestrator.Core.Tests.Plans;

public sealed class UndoOrderTests
{
    [Fact]
    public void A_back_end_waits_for_devices_that_need_its_new_version()
    {
        var waits = WaitsFor([new("api", "thermostat-api", "4.9.0", []), new("firmware", "thermostats", "2.3.1", ["thermostat-api >= 5"])]);
        Assert.Equal(["firmware"], waits["api"]);
        Assert.Empty(waits["firmware"]);
    }

    [Fact]
    public void Nobody_waits_where_old_and_new_fit() =>
        Assert.All(WaitsFor([new("api", "thermostat-api", "5.0.3", []), new("firmware", "thermostats", "2.3.1", ["thermostat-api >= 5"])]).Values, waits => Assert.Empty(waits));

    [Fact]
    public void Traffic_never_waits_for_devices_without_need() =>
        Assert.Empty(WaitsFor([new("api", "thermostat-api", "1", []), new("firmware", "thermostats", "1", ["database >= 5"])])["api"]);

    [Fact]
    public void Either_a_plan_can_be_undone_to_the_last_lane_or_it_says_which_lanes_it_cannot()
    {
        var lanes = Gen.Select(Gen.Int[0, 3], Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4]).Array[0, 3]).Array[1, 5].Select(all => all.Select((lane, i) =>
            new UndoLane($"l{i}", $"t{i}", $"{lane.Item1}", [.. lane.Item2.Where(need => need.Item1 != i).Select(need => $"t{need.Item1} >= {need.Item2}")])).ToArray());
        int circles = 0;
        lanes.Sample(plan =>
        {
            var waits = WaitsFor(plan);
            var stuck = Stuck(plan);
            // Undo as the lifecycle does: any lane whose predecessors are undone.
            HashSet<string> undone = [];
            for (int round = 0; round < plan.Length; round++)
            {
                undone.UnionWith([.. plan.Select(lane => lane.Name).Where(name => waits[name].All(undone.Contains))]);
            }
            Assert.Equal(plan.Select(lane => lane.Name).Where(name => !undone.Contains(name)), stuck);
            // No lane is undone while one that is still exposed needs what it would take away.
            foreach (var lane in plan)
            {
                foreach (var other in plan.Where(other => other.Name != lane.Name && !waits[lane.Name].Contains(other.Name)))
                {
                    Assert.DoesNotContain(other.Needs, need => Need.Parse(need) is { } parsed && parsed.Target == lane.Target && !parsed.Holds(lane.Fallback));
                }
            }
            Interlocked.Add(ref circles, stuck.Length > 0 ? 1 : 0);
        }, iter: 2000);
        Assert.True(circles > 10, $"only {circles} plans had a circle");
    }
}
