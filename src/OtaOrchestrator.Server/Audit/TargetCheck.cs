using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Audit;

/// <summary>Who has a target and what it runs follow from the rollouts that took it, in the order of their epochs.</summary>
internal static class TargetCheck
{
    public static void Of(TargetRow target, IReadOnlyCollection<Rollout> rollouts, Findings findings)
    {
        var subject = $"{target.Environment}/{target.Id}";
        var lanes = rollouts
            .SelectMany(rollout => rollout.Lanes.Where(lane => lane.Target == target.Id).Select(lane => (Rollout: rollout, Lane: lane)))
            .OrderBy(taken => taken.Lane.Epoch).ToList();
        var active = lanes.Where(taken => !taken.Rollout.Ended).Select(taken => taken.Rollout.Id).ToList();
        var expected = active.Count == 0 ? "no rollout" : string.Join(", ", active);
        var found = target.ActiveRollout.Length == 0 ? "no rollout" : target.ActiveRollout;
        if (expected != found)
        {
            findings.Add(FindingKind.TargetTakenWrongly, subject, expected, found, "the target's row and the rollouts' rows disagree about who has it");
        }
        long epoch = lanes.Count == 0 ? 0 : lanes[^1].Lane.Epoch;
        if (epoch != target.Epoch || lanes.Select(taken => taken.Lane.Epoch).Distinct().Count() != lanes.Count)
        {
            findings.Add(FindingKind.TargetTakenWrongly, subject, $"epoch {epoch}, each given once", $"epoch {target.Epoch}", "writes of an older rollout may no longer be refused");
        }
        var settled = lanes.Where(taken => taken.Lane.SucceededAt is not null || taken.Lane.State == LaneState.RolledBack).ToList();
        if (settled.Count > 0)
        {
            var (_, lane) = settled[^1];
            var release = (lane.State == LaneState.RolledBack ? lane.Fallback : lane.Candidate).ToString();
            if (release != target.CurrentRelease)
            {
                findings.Add(FindingKind.TargetRelease, subject, release, target.CurrentRelease, "a rollout without a fallback of its own would return to the wrong release");
            }
        }
    }
}
