namespace OtaOrchestrator.Core.Plans;

/// <summary>What lanes need of each other holds at every moment of the rollout, and leaves a way back.</summary>
internal static class NeedRules
{
    /// <summary>
    /// Lanes run one after another. From the first device or request on which a lane's candidate runs, earlier lanes run their candidates, and each later one runs
    /// first what it runs now, then both, then its candidate: so a need of a later lane must hold for both.
    /// </summary>
    public static void Check(Plan plan, int index, PlanContext context, PlanFindings found)
    {
        var lane = plan.Lanes[index];
        for (int i = 0; i < lane.Needs.Length; i++)
        {
            var at = $"lanes[{index}].needs[{i}]";
            if (Need.Parse(lane.Needs[i]) is not { } need)
            {
                found.Add(at, $"{Names.Shown(lane.Needs[i])} is not a need", "target, operator and version, for example thermostat-api >= 5");
                continue;
            }
            if (need.Target == lane.Target)
            {
                found.Add(at, "a lane can't need its own target");
                continue;
            }
            int other = Enumerable.Range(0, plan.Lanes.Length).FirstOrDefault(j => plan.Lanes[j].Target == need.Target, -1);
            var known = context.Target(need.Target);
            if (other < 0 && known is null)
            {
                found.Add(at, $"{need.Target} does not exist in this environment");
                continue;
            }
            var after = other < 0 ? null : ReleaseName.Parse(plan.Lanes[other].Release)?.Version;
            var now = known?.CurrentVersion;
            if (other >= 0 && other < index)
            {
                found.AddIf(after is not null && !need.Holds(after), at, $"{need.Target} is {after} when {lane.Name} begins");
                continue;
            }
            if (now is not null && !need.Holds(now))
            {
                found.Add(at, $"{need.Target} is {now} when {lane.Name} begins", after is not null && need.Holds(after) ? $"put lane {plan.Lanes[other].Name} before {lane.Name}" : null);
            }
            else
            {
                found.AddIf(after is not null && !need.Holds(after), at, $"{need.Target} becomes {after} while {lane.Name} runs {ReleaseName.Parse(lane.Release)?.Version ?? "its release"}");
            }
        }
    }

    /// <summary>Lanes of which each must be undone before the next, in a circle, could never be undone.</summary>
    public static void Cycles(Plan plan, PlanContext context, PlanFindings found)
    {
        // A lane whose fallback nobody knows yet, as offline, breaks nothing that can be said.
        var lanes = plan.Lanes
            .Select(lane => (lane.Name, lane.Target, Version: ReleaseName.Parse(lane.Fallback)?.Version ?? (Names.IsValid(lane.Target) ? context.Target(lane.Target)?.CurrentVersion : null), lane.Needs))
            .Where(lane => lane.Version is not null)
            .Select(lane => new UndoOrder.UndoLane(lane.Name, lane.Target, lane.Version!, lane.Needs))
            .DistinctBy(lane => lane.Name).ToList();
        var stuck = UndoOrder.Stuck(lanes);
        found.AddIf(stuck.Length > 0, "lanes", "could not be undone: " + string.Join(", ", stuck.Select(Names.Shown)) + " wait for each other", "look at needs and fallbacks");
    }
}
