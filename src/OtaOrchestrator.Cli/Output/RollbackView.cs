using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Output;

/// <summary>What goes back, before it is asked for, and what was accepted.</summary>
internal static class RollbackView
{
    /// <param name="lane">Only this lane, or empty for all.</param>
    public static IEnumerable<string> Target(Rollout rollout, string actor, string lane, Glyphs glyphs)
    {
        yield return $"{WatchView.Title(rollout)}   as {Terminal.Clean(actor)}";
        var lanes = rollout.Lanes.Where(l => lane.Length == 0 || l.Name == lane).ToList();
        var rows = lanes.Select(l => (l.Name, Way: $"{ResourceName.Version(l.Fallback)}", From: ResourceName.Version(l.Candidate), What: Exposed(l), When: lane.Length > 0 && HasExposed(l) ? "now" : When(l))).ToList();
        if (rows.Count == 0)
        {
            yield break;
        }
        var nameColumns = Math.Max(8, rows.Max(r => Terminal.Columns(r.Name)));
        var wayColumns = rows.Max(r => Terminal.Columns(r.From + r.Way)) + glyphs.Arrow.Length + 2;
        var whatColumns = rows.Max(r => Terminal.Columns(r.What));
        foreach (var row in rows)
        {
            yield return Terminal.Clean($"  {Terminal.Pad(row.Name, nameColumns)}  {Terminal.Pad($"{row.From} {glyphs.Arrow} {row.Way}", wayColumns)}  {Terminal.Pad(row.What, whatColumns)}  {row.When}").TrimEnd();
        }
        foreach (var stays in rollout.Impact?.Stays ?? [])
        {
            yield return Terminal.Clean($"  {Terminal.Pad("stays", nameColumns)}  {stays}").TrimEnd();
        }
        yield return Terminal.Clean($"  {Terminal.Pad("held", nameColumns)}  {string.Join(", ", lanes.Where(HasExposed).Select(l => l.Candidate).Distinct())}").TrimEnd();
    }

    public static string Accepted(RollbackRolloutResponse response, TimeZoneInfo zone) => string.Create(CultureInfo.InvariantCulture,
        $"ACCEPTED {Say.Clock(response.AcceptTime ?? new Timestamp(), zone)}  journal {response.JournalRevision}.  Ctrl-C is safe.");

    public static string Already(Rollout rollout, TimeZoneInfo zone)
    {
        var since = rollout.UpdateTime is null ? "" : $" since {Say.Clock(rollout.UpdateTime, zone)}";
        return rollout.State == RolloutState.RolledBack
            ? $"{WatchView.Title(rollout)} is ROLLED BACK already{since}; nothing to do."
            : $"{WatchView.Title(rollout)} is {Say.State(rollout.State)} already{since}; nothing was added.";
    }

    public static string Ended(Rollout rollout)
    {
        var tail = rollout.Lanes.Sum(l => l.Fleet?.Tail ?? 0);
        var stay = rollout.Lanes.Where(l => l.State is not (RolloutState.RolledBack or RolloutState.Cancelled)).Select(l => $"{l.Name} stays on {ResourceName.Version(l.Candidate)}").ToList();
        return stay.Count > 0
            ? $"ROLLED BACK: {string.Join(", ", rollout.Lanes.Where(l => l.State == RolloutState.RolledBack).Select(l => l.Name))}; {string.Join(", ", stay)}."
            : tail > 0
            ? $"ROLLED BACK for reachable users; tail {Say.Count(tail)}: ota device list --tail {ResourceName.Last(rollout.Name)}"
            : "ROLLED BACK: everything is on its fallback.";
    }

    /// <summary>Why it is not back: what each lane that is stuck says, else why it was to go back.</summary>
    public static IEnumerable<string> Unfinished(Rollout rollout)
    {
        var stuck = rollout.Lanes.Where(l => l.State == RolloutState.RollbackStuck).ToList();
        return stuck.Count == 0
            ? [Terminal.Clean($"{Say.State(rollout.State)}: {(rollout.Cause.Length > 0 ? rollout.Cause : rollout.Lanes[0].Cause)}")]
            : stuck.Select(l => Terminal.Clean($"{Say.State(l.State)}: {l.Name}: {string.Join("; ", new[] { l.Cause, l.Detail }.Where(said => said.Length > 0).Distinct())}"));
    }

    /// <summary>It has, or had, users on the candidate, or is about to.</summary>
    public static bool HasExposed(Lane lane) =>
        lane.Exposed > 0 || lane.Fleet is { Offered: > 0 } || lane.State is RolloutState.Exposing or RolloutState.Baking or RolloutState.Promoting or RolloutState.Succeeded
            or RolloutState.RollingBack or RolloutState.AwaitingUndo or RolloutState.RollbackStuck;

    private static string Exposed(Lane lane) => lane switch
    {
        { Fleet: { } fleet } => $"{Say.Count(fleet.OnCandidate)}{(fleet.Busy + fleet.Queued > 0 ? $" + {Say.Count(fleet.Busy + fleet.Queued)} busy" : "")}",
        { Exposed: >= 1 } => "all traffic",
        { Exposed: > 0 } => Say.Share(lane.Exposed) + " of traffic",
        _ => "no traffic",
    };

    private static string When(Lane lane) => !HasExposed(lane) ? "nothing to do" : lane.WaitsFor.Count > 0 ? "after " + string.Join(", ", lane.WaitsFor) : "now";
}
