using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class ReleaseView
{
    public static IEnumerable<string> Lines(Release release, TimeProvider time)
    {
        yield return Terminal.Clean($"{ResourceName.Last(release.Name)}  {release.Digest}");
        if (release.Backend is { } backend)
        {
            yield return Terminal.Clean("  back end  " + string.Join(" ", backend.Addresses.Concat(backend.Artifacts.OrderBy(artifact => artifact.Key, StringComparer.Ordinal).Select(artifact => $"{artifact.Key}={artifact.Value}"))));
        }
        if (release.Firmware is { } firmware)
        {
            yield return Terminal.Clean($"  firmware  {Say.Count(firmware.Size)} bytes, {firmware.Format}, for {(firmware.HardwareIds.Count > 0 ? string.Join(" ", firmware.HardwareIds) : "any hardware")}{(firmware.Fleet.Length > 0 ? " of " + firmware.Fleet : "")}, counter {Say.Count(firmware.SecurityCounter)}");
            if (firmware.TwinOf.Length > 0)
            {
                yield return Terminal.Clean($"  twin of   {ResourceName.Last(firmware.TwinOf)}");
            }
            yield return firmware.Signature.Length > 0 ? "  signed    sig-sha256-ecdsa" : "  signed    no";
        }
        if (release.Publisher.Length > 0)
        {
            yield return Terminal.Clean($"  published by {release.Publisher}, {Say.Ago(release.PublishTime, time.GetUtcNow())}");
        }
        foreach (var hold in release.Holds)
        {
            yield return Terminal.Clean($"  HELD in {ResourceName.Last(hold.Environment)} after {ResourceName.Last(hold.Rollout)}: {hold.Reason}");
        }
    }
}
