using System.Collections.Immutable;

namespace OtaOrchestrator.Core.Plans;

/// <summary>The order in which lanes are undone comes from what their releases need, and from nothing else.</summary>
public static class UndoOrder
{
    /// <param name="Fallback">Version that the lane's target returns to.</param>
    public readonly record struct UndoLane(string Name, string Target, string Fallback, ImmutableArray<string> Needs);

    /// <summary>For each lane, the lanes that must be undone before it: those whose candidate needs a version of its target that its fallback is not.</summary>
    /// <param name="lanes">With distinct names.</param>
    public static ImmutableDictionary<string, ImmutableArray<string>> WaitsFor(IReadOnlyList<UndoLane> lanes) =>
        lanes.ToImmutableDictionary(
            lane => lane.Name,
            lane => lanes.Where(other => other.Name != lane.Name && Breaks(other, lane)).Select(other => other.Name).ToImmutableArray());

    /// <summary>Lanes that could never be undone, because they wait for each other or for such; a plan that has any is refused.</summary>
    public static ImmutableArray<string> Stuck(IReadOnlyList<UndoLane> lanes)
    {
        var waits = WaitsFor(lanes);
        HashSet<string> undone = new(StringComparer.Ordinal);
        while (lanes.FirstOrDefault(lane => !undone.Contains(lane.Name) && waits[lane.Name].All(undone.Contains)) is { Name: { } next })
        {
            undone.Add(next);
        }
        return [.. lanes.Select(lane => lane.Name).Where(name => !undone.Contains(name))];
    }

    private static bool Breaks(UndoLane needing, UndoLane undone) =>
        !needing.Needs.IsDefault && needing.Needs.Select(Need.Parse).Any(need => need is { } parsed && parsed.Target == undone.Target && !parsed.Holds(undone.Fallback));
}
