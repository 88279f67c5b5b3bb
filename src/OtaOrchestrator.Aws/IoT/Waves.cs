using System.Globalization;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>Which static thing groups a step adds, and which are exposed by then. A fleet has 100 groups of its own, its cohorts.</summary>
internal static class Waves
{
    public static string Cohort(string fleet, int cohort) => string.Create(CultureInfo.InvariantCulture, $"{fleet}-c{cohort:00}");

    /// <summary>The group that holds the cohorts: they are a hierarchy of their own.</summary>
    public static string CohortsOf(string fleet) => $"{fleet}-cohorts";

    public static bool IsCohort(string fleet, string group) => group.Length == fleet.Length + 4 && group.StartsWith(fleet + "-", StringComparison.Ordinal) && Cohorts.Takes(group[(fleet.Length + 1)..]);

    /// <summary>A group's name in a plan may leave out the fleet's: <c>lab</c> of the fleet <c>thermostats</c> is <c>thermostats-lab</c>.</summary>
    public static string Group(string fleet, string group) =>
        group.StartsWith(fleet + "-", StringComparison.Ordinal) ? group : $"{fleet}-{group}";

    /// <summary>The groups that a step adds to those of the steps before it.</summary>
    public static IReadOnlyList<string> Added(TargetOrder order, int step)
    {
        var here = order.Steps[step];
        if (here.Group is { } group)
        {
            return [Group(order.Target, group)];
        }

        var before = order.Steps.Take(step).Where(s => s.Group is null).Select(s => s.Share).DefaultIfEmpty(0).Max();
        return [.. Cohorts.Between(order.Seed, before, here.Share).Select(c => Cohort(order.Target, c))];
    }

    /// <summary>One step's groups on their own.</summary>
    public static Exposed Of(TargetOrder order, int step, IReadOnlyList<string> added) =>
        order.Steps[step].Group is null ? new Exposed(order.Target, [], added) : new Exposed(order.Target, added, []);

    /// <summary>Every group that was offered the candidate by the order's step, or that of a rollout before it: first come first, each once.</summary>
    public static Exposed Exposed(TargetOrder order)
    {
        var named = new List<string>();
        var cohorts = new List<string>();
        foreach (var before in order.Predecessors)
        {
            named.AddRange(before.Groups.Select(group => Group(order.Target, group)));
            cohorts.AddRange(Cohorts.Between(order.Seed, 0, before.Share).Select(c => Cohort(order.Target, c)));
        }

        for (var step = 0; step <= order.Step; step++)
        {
            (order.Steps[step].Group is null ? cohorts : named).AddRange(Added(order, step));
        }

        return new Exposed(order.Target, [.. named.Distinct(StringComparer.Ordinal)], [.. cohorts.Distinct(StringComparer.Ordinal)]);
    }
}

/// <summary>Exposed groups: named ones first, then cohorts in the rollout's order. A device may be in one of each, and counts once.</summary>
internal sealed record Exposed(string Fleet, IReadOnlyList<string> Named, IReadOnlyList<string> Cohorts)
{
    public int Count => Named.Count + Cohorts.Count;

    public IEnumerable<string> Groups => Named.Concat(Cohorts);

    /// <summary>The first groups, for a return in waves: at least one if there is any and the share is not 0.</summary>
    public Exposed First(double share)
    {
        // Less a billionth, for 0.7 times 10 is a little more than 7.
        var groups = (int)Math.Ceiling((Math.Clamp(share, 0, 1) * Count) - 1e-9);
        return this with { Named = [.. Named.Take(groups)], Cohorts = [.. Cohorts.Take(Math.Max(0, groups - Named.Count))] };
    }
}
