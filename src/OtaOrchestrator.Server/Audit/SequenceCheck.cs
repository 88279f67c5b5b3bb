using System.Text.Json;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Server.Audit;

/// <summary>The counter of a fleet's manifests is never behind a manifest that was signed: devices would refuse the next one.</summary>
internal static class SequenceCheck
{
    public static void Of(IReadOnlyCollection<Rollout> rollouts, IReadOnlyDictionary<string, long> sequences, Findings findings)
    {
        var highest = rollouts
            .SelectMany(rollout => rollout.Lanes).Where(lane => lane.Kind == TargetKind.Fleet)
            .SelectMany(lane => new[] { lane.Candidate.Document, lane.Fallback.Document })
            .Select(Manifest).OfType<Manifest>()
            .GroupBy(manifest => manifest.Fleet, StringComparer.Ordinal);
        foreach (var fleet in highest)
        {
            long signed = fleet.Max(manifest => manifest.Sequence);
            long last = sequences.GetValueOrDefault(fleet.Key);
            if (last < signed)
            {
                findings.Add(FindingKind.SequenceBehind, fleet.Key, $"at least {signed}, the highest that was signed", $"{last}", "devices would refuse the next manifest");
            }
        }
    }

    internal static Manifest? Manifest(string? document)
    {
        if (document is null)
        {
            return null;
        }
        try
        {
            return UpdateDocument.Parse(JsonElement.Parse(document)) is { } update ? Firmware.Updates.Manifest.Parse(update.ManifestBytes) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
