using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Audit;

/// <summary>A lane lives by the effects that its state asks for: one that lacks them stands still, one with others does what nobody decided.</summary>
internal static class EffectCheck
{
    public static void Of(Rollout rollout, IReadOnlyCollection<EffectRow> effects, Findings findings)
    {
        foreach (var lane in rollout.Lanes)
        {
            var subject = $"{rollout.Environment}/{rollout.Id}/{lane.Name}";
            var should = Effect.Of(lane).Select(effect => effect.Kind).Order().ToList();
            var rows = effects.Where(effect => effect.Lane == lane.Name).ToList();
            foreach (var kind in should.Except(rows.Select(row => row.Kind)))
            {
                // A hold is done once; its row goes when it is.
                if (kind != EffectKind.Hold)
                {
                    findings.Add(FindingKind.EffectMissing, subject, $"{kind}, as {Words.Of(lane.State)} asks for", "no such effect", "the lane stands still; restore the store from a backup");
                }
            }
            foreach (var row in rows.Where(row => !should.Contains(row.Kind)))
            {
                findings.Add(FindingKind.EffectUnexpected, subject, $"nothing but what {Words.Of(lane.State)} asks for", $"{row.Kind} ({row.Key})", "an effect that nobody decided");
            }
            foreach (var twice in rows.GroupBy(row => row.Kind).Where(group => group.Count() > 1))
            {
                findings.Add(FindingKind.EffectUnexpected, subject, $"{twice.Key} once", $"{twice.Count()} times", "an effect that nobody decided");
            }
            foreach (var row in rows.Where(row => row.Target != lane.Target || row.Revision > rollout.Revision))
            {
                findings.Add(FindingKind.EffectUnexpected, subject, $"{lane.Target}, up to revision {rollout.Revision}", $"{row.Target}, revision {row.Revision}", "an effect that nobody decided");
            }
        }
        var lanes = rollout.Lanes.Select(lane => lane.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var row in effects.Where(row => !lanes.Contains(row.Lane)))
        {
            findings.Add(FindingKind.EffectUnexpected, $"{rollout.Environment}/{rollout.Id}", "effects of its lanes", $"{row.Kind} of {row.Lane}", "an effect that nobody decided");
        }
    }
}
