using System.Text.Json;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.DevicePlane;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Audit;

/// <summary>What the device plane offers and what devices say that they run, against what was decided and published.</summary>
internal static class DeviceCheck
{
    /// <summary>A job that no rollout made was put there by somebody else.</summary>
    public static void Jobs(DevicePlaneSnapshot plane, IEnumerable<Rollout> rollouts, Func<Rollout, Lane, string> prefixOf, Findings findings)
    {
        var known = rollouts
            .SelectMany(rollout => rollout.Lanes.Where(lane => lane.Kind == TargetKind.Fleet).Select(lane => (Prefix: prefixOf(rollout, lane), Lane: lane)))
            .ToDictionary(job => job.Prefix, job => job.Lane, StringComparer.Ordinal);
        foreach (var job in plane.Jobs)
        {
            var lane = known.Where(pair => job.Id.StartsWith(pair.Key, StringComparison.Ordinal)).Select(pair => (Lane?)pair.Value).FirstOrDefault();
            if (lane is null)
            {
                findings.Add(FindingKind.ForgedJob, job.Id, "a job of a rollout", $"{job.Status}, offered to {job.Executions.Count} devices", "cancel it, and find out who made it: devices refuse what is not signed");
            }
            else if (job.Document != lane.Candidate.Document && job.Document != lane.Fallback.Document)
            {
                findings.Add(FindingKind.ForgedJob, job.Id, $"the documents of lane {lane.Name}", "another document", "cancel it, and find out who made it: devices refuse what is not signed");
            }
        }
    }

    /// <param name="fleets">Groups of the environment's fleets.</param>
    /// <param name="holds">Held releases of the environment.</param>
    public static long Digests(
        DevicePlaneSnapshot plane, IReadOnlySet<string> fleets, IReadOnlyDictionary<string, string> releasesByDigest, IReadOnlyCollection<HoldRow> holds, IReadOnlyCollection<Rollout> rollouts, Findings findings)
    {
        long devices = 0;
        foreach (var thing in plane.Things.Where(thing => thing.Fleet is { } fleet && fleets.Contains(fleet)))
        {
            devices++;
            if (thing.Revoked || !thing.Shadows.TryGetValue("ota", out var shadow) || shadow.ValueKind != JsonValueKind.Object
                || !shadow.TryGetProperty("digest", out var reported) || reported.ValueKind != JsonValueKind.String)
            {
                continue;
            }
            var digest = reported.GetString()!;
            if (!releasesByDigest.TryGetValue(digest, out var release))
            {
                findings.Add(FindingKind.DeviceUnknownFirmware, thing.Name, "a published release", digest, "the device runs what was never published here");
                continue;
            }
            var hold = holds.FirstOrDefault(hold => hold.Release == release);
            if (hold is not null && !IsOnItsWay(hold, rollouts))
            {
                findings.Add(FindingKind.DeviceOnHeldRelease, thing.Name, $"anything but {release}, held since {hold.Since:u}", release, "the device did not come back with the others");
            }
        }
        return devices;
    }

    /// <summary>Its rollback is still under way, or lists it in its tail.</summary>
    private static bool IsOnItsWay(HoldRow hold, IReadOnlyCollection<Rollout> rollouts) =>
        rollouts.FirstOrDefault(rollout => rollout.Id == hold.Rollout) is { } rollout
        && (!rollout.Ended || rollout.Lanes.Any(lane => lane.Candidate.ToString() == hold.Release && lane.Tail > 0));
}
