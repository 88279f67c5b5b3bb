using OtaOrchestrator.Core.Plans;
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
