using System.Collections.Immutable;

namespace OtaOrchestrator.Core.Plans;

/// <summary>The order in which lanes are undone comes from what their releases need, and from nothing else.</summary>
public static class UndoOrder
{
    /// <param name="Fallback">Version that the lane's target returns to.</param>
    public readonly record struct UndoLane(string Name, string Target, string Fallback, ImmutableArray<string> Needs);

    /// <summary>For each lane, the lanes that must be undone before it: those whose candidate needs a version of its target that its fallback is not.</summary>
    public static ImmutableDictionary<string, ImmutableArray<string>> WaitsFor(IReadOnlyList<UndoLane> lanes) =>
        lanes.ToImmutableDictionary(
            lane => lane.Name,
            lane => lanes.Where(other => other.Name != lane.Name && Breaks(other, lane)).Select(other => other.Name).ToImmutableArray());

    private static bool Breaks(UndoLane needing, UndoLane undone) =>
        needing.Needs.Select(Need.Parse).Any(need => need is { } parsed && parsed.Target == undone.Target && !parsed.Holds(undone.Fallback));
}
