using System.Globalization;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Output;

/// <summary>Whom a rollout would reach, step by step, and what can't be undone.</summary>
internal static class ImpactView
{
    public static IEnumerable<string> Lines(Impact? impact, Glyphs glyphs)
    {
        if (impact is null)
        {
            yield break;
        }
        yield return $"IMPACT  takes at least {Say.Span(impact.DurationMin?.ToTimeSpan() ?? TimeSpan.Zero)}";
        foreach (var lane in impact.Lanes)
        {
            var devices = lane.Devices > 0 ? $"  {Say.Count(lane.Devices)} devices" : "";
            yield return Terminal.Clean($"  {lane.Name}  {ResourceName.Version(lane.Fallback)} {glyphs.Arrow} {ResourceName.Version(lane.Candidate)}{devices}  {Back(lane.Restore)}");
            if (lane.Unknown.Length > 0)
            {
                yield return Terminal.Clean($"    not known whom it reaches: {lane.Unknown}");
            }
            foreach (var step in lane.Steps)
            {
                var reached = lane.Devices > 0 ? string.Create(CultureInfo.InvariantCulture, $"{Say.Count(step.Devices),9} devices  ") : "";
                // A named group has no share of its own.
                var share = step is { Share: 0, Devices: > 0 } ? "" : Say.Share(step.Share);
                var bakes = step.BakeMin is { } bake && bake.ToTimeSpan() > TimeSpan.Zero ? $"  bakes {Say.Span(bake.ToTimeSpan())}" : "";
                var waits = step.WaitsFor.Length > 0 ? $"  waits for {step.WaitsFor}" : "";
                yield return Terminal.Clean($"    {share,5}  {reached}{step.Who}{bakes}{waits}");
            }
        }
        foreach (var stays in impact.Stays)
        {
            yield return Terminal.Clean($"  stays after a rollback: {stays}");
        }
        foreach (var note in impact.Notes)
        {
            yield return Terminal.Clean($"  note: {note}");
        }
    }

    private static string Back(string restore) => restore switch
    {
        "instant" => "goes back at once",
        "redeploy" => "goes back by an update",
        _ => "can't go back",
    };
}
