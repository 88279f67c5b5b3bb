using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Releases;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>The way back for devices that refuse a lower version: what they return to, published again under a higher one.</summary>
internal static class Twins
{
    /// <summary>Whether a fleet's devices need one.</summary>
    public static bool Needed(FleetTarget? fleet) => fleet?.Aws?.Agent == DeviceAgent.Freertos;

    /// <summary>
    /// Why devices would refuse the candidate; null when they take it. They have what they ran at first, or what earlier rollouts brought, on the way back too. Each of these was above
    /// the one before, so that the newest which reached anybody says it.
    /// </summary>
    public static string? Refusal(Statements db, string environment, TargetRow target, ReleaseRow candidate, ReleaseRow fallback)
    {
        var known = ReleaseName.Parse(target.CurrentRelease) is { } current ? (Has: current.Version, Why: $"{target.Id} runs {current}") : (Has: fallback.Version, Why: $"{fallback.Id} is what they had");
        if (Newest(db, environment, target.Id) is { } newest)
        {
            known = newest;
        }

        return ReleaseVersion.Compare(candidate.Version, known.Has) > 0 ? null : $"devices with FreeRTOS's agent refuse {candidate.Id}, for it is not above {known.Has}: {known.Why}";
    }

    private static (string Has, string Why)? Newest(Statements db, string environment, string target)
    {
        const int Page = 50;
        var (before, id) = (DateTimeOffset.MaxValue, "");
        while (true)
        {
            var page = Journal.Rollouts(db, environment, before, id, Page).ConvertAll(StoredJson.RolloutOf);
            foreach (var rollout in page)
            {
                if (rollout.Lanes.FirstOrDefault(lane => lane.Target == target && lane.Exposed && lane.Candidate.Image is not null) is { } lane)
                {
                    return lane.State is LaneState.RollingBack or LaneState.RolledBack or LaneState.RollbackStuck && lane.Fallback.Image is { } twin
                        ? (twin.Version, $"rollout {rollout.Id} brought it on the way back to {lane.Fallback}")
                        : (lane.Candidate.Version, $"rollout {rollout.Id} brought it");
                }
            }

            if (page.Count < Page)
            {
                return null;
            }

            (before, id) = (page[^1].CreatedAt, page[^1].Id);
        }
    }

    /// <param name="above">Versions that devices may have because of the rollout.</param>
    /// <returns>The lowest that is high enough, so that the higher ones are left for later rollouts.</returns>
    /// <exception cref="RefusedException">There is none.</exception>
    public static ReleaseRow Of(Statements db, string environment, ReleaseRow fallback, IReadOnlyList<string> above)
    {
        var held = Journal.HoldsIn(db, environment).Select(hold => hold.Release).ToHashSet(StringComparer.Ordinal);
        return Journal.ReleasesNamed(db, fallback.Name)
            .Where(row => row.Kind == "firmware" && !held.Contains(row.Id) && above.All(version => ReleaseVersion.Compare(row.Version, version) > 0)
                && ReleaseService.Parse(row).Firmware.TwinOf == $"releases/{fallback.Id}")
            .Order(Comparer<ReleaseRow>.Create((left, right) => ReleaseVersion.Compare(left.Version, right.Version))).FirstOrDefault()
            ?? throw new RefusedException(ErrorReason.FallbackUnfit,
                $"devices with FreeRTOS's agent refuse to return to {fallback.Id}, for it is lower than {string.Join(" and ", above)}: publish its code under a higher version, with --twin-of {fallback.Id}");
    }
}
