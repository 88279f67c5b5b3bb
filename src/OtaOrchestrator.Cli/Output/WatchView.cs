using System.Globalization;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Output;

/// <summary>One rollout on 80 columns. Shows what the server says; nothing is worked out here but layout.</summary>
internal static class WatchView
{
    private const int BarColumns = 9;

    public static IReadOnlyList<string> Render(Rollout rollout, DateTimeOffset now, TimeZoneInfo zone, Glyphs glyphs, int width)
    {
        var lines = new List<string>();
        AddHead(lines, rollout, now, width);
        AddFacts(lines, rollout, now, zone);
        foreach (var lane in rollout.Lanes)
        {
            AddLane(lines, rollout, lane, now, glyphs);
        }
        AddJudge(lines, rollout);
        AddActions(lines, rollout);
        return [.. lines.Select(line => Terminal.Cut(Terminal.Clean(line).TrimEnd(), width))];
    }

    /// <summary><c>PRODUCTION thermostat-autumn</c>.</summary>
    public static string Title(Rollout rollout)
    {
        var parts = rollout.Name.Split('/');
        var environment = parts.Length == 4 ? parts[1].ToUpperInvariant() + " " : "";
        return Terminal.Clean(environment + ResourceName.Last(rollout.Name));
    }

    private static void AddHead(List<string> lines, Rollout rollout, DateTimeOffset now, int width)
    {
        var running = rollout.CreateTime is { } start ? "  " + Say.Span((HasEnded(rollout.State) && rollout.UpdateTime is { } end ? end.ToDateTimeOffset() : now) - start.ToDateTimeOffset()) : "";
        var head = $"{Title(rollout)}  {Say.State(rollout.State)}{running}  by {rollout.StartedBy}";
        if (rollout.Approvals.Count == 0)
        {
            lines.Add(head);
            return;
        }
        var approved = "approved " + string.Join(" + ", rollout.Approvals.Select(a => a.Actor));
        if (Terminal.Columns(head) + Terminal.Columns(approved) + 2 <= width)
        {
            lines.Add($"{head}, {approved}");
        }
        else
        {
            lines.Add(head);
            lines.Add(" " + approved);
        }
    }

    private static void AddFacts(List<string> lines, Rollout rollout, DateTimeOffset now, TimeZoneInfo zone)
    {
        if (rollout.WaitingFor is { Kind.Length: > 0 } wait)
        {
            var amount = (wait.Have, wait.Need) switch
            {
                // Figures stand as 3,112/5,000; a sentence doesn't.
                ({ Length: > 0 }, { Length: > 0 }) => wait.Have.Contains(' ', StringComparison.Ordinal) ? $" {wait.Have}; needs {wait.Need}" : $" {wait.Have}/{wait.Need}",
                (_, { Length: > 0 }) => $" {wait.Need}",
                _ => wait.Have.Length > 0 ? " " + wait.Have : "",
            };
            var until = wait.Until is null ? "" : $" (until {Say.Moment(wait.Until, now, zone)})";
            var who = wait.Who.Length > 0 ? $", {wait.Who}" : "";
            lines.Add($" waits   {wait.Kind}{amount}{who}{until}");
        }
        if (rollout.Next.Length > 0)
        {
            var eta = rollout.Eta is null ? "" : $" (~{Say.Moment(rollout.Eta, now, zone)})";
            lines.Add($" next    {rollout.Next}{eta}");
        }
        lines.Add(" users   " + string.Join(" | ", rollout.Lanes.Select(Users)));
        if (rollout.WayBack is { } back)
        {
            var until = back.Until is null ? "" : $", until {Say.Moment(back.Until, now, zone)}";
            lines.Add($" back    {(back.Ready ? "READY" : "NOT READY")}{(back.Text.Length > 0 ? "  " + back.Text : "")}{Rehearsed(rollout, back, now)}{until}");
        }
        if (rollout.Cause.Length > 0)
        {
            lines.Add($" cause   {rollout.Cause}");
        }
    }

    private static string Users(Lane lane)
    {
        var version = ResourceName.Version(lane.Candidate);
        return lane.Fleet is { } fleet
            ? $"{lane.Name} {Say.Count(fleet.OnCandidate)}/{Say.Count(fleet.Devices)} on {version}{(fleet.Devices > 0 ? $" ({Say.Share(Math.Round((double)fleet.OnCandidate / fleet.Devices, 3))})" : "")}"
            : $"{lane.Name} {Say.Share(lane.Exposed)} on {version}";
    }

    private static string Rehearsed(Rollout rollout, WayBack back, DateTimeOffset now) => back.Rehearsals.Count == 0 ? "" : ", rehearsed " + string.Join(", ", back.Rehearsals.Select(one =>
        $"{Say.Span(now - (one.Time?.ToDateTimeOffset() ?? now))} ago: {rollout.Lanes.FirstOrDefault(lane => lane.Target == one.Target)?.Name ?? one.Target} {Say.Span(one.Took?.ToTimeSpan() ?? TimeSpan.Zero)}"));

    private static void AddLane(List<string> lines, Rollout rollout, Lane lane, DateTimeOffset now, Glyphs glyphs)
    {
        var steps = rollout.Plan?.Lanes.FirstOrDefault(l => l.Name == lane.Name)?.Steps;
        var position = steps is { Count: > 0 } && lane.Step >= 0 ? string.Create(CultureInfo.InvariantCulture, $"  step {Math.Min(lane.Step + 1, steps.Count)}/{steps.Count}") : "";
        var guarded = lane.State == RolloutState.Succeeded && lane.RestoreUntil is { } until && until.ToDateTimeOffset() > now
            ? $", way back {Say.Span(until.ToDateTimeOffset() - now)} more"
            : "";
        lines.Add($"LANE {Terminal.Pad(lane.Name, NameColumns(rollout))} {ResourceName.Version(lane.Fallback)} {glyphs.Arrow} {ResourceName.Version(lane.Candidate)}  {Say.State(lane.State)}{position}{guarded}");
        if (lane.WaitsFor.Count > 0)
        {
            lines.Add("  undone after " + string.Join(", ", lane.WaitsFor));
        }
        if (lane.Fleet is { } fleet)
        {
            lines.Add("  devices   offered confirmed     busy   failed   silent   queued  refused");
            lines.Add($"  {Right(fleet.Devices, 7)}   {Right(fleet.Offered, 7)} {Right(fleet.Confirmed, 9)}  {Right(fleet.Busy, 7)}  {Right(fleet.Failed, 7)}  {Right(fleet.Silent, 7)}  {Right(fleet.Queued, 7)}  {Right(fleet.Refused, 7)}");
            if (fleet.Returned + fleet.Tail > 0)
            {
                lines.Add($"  returned {Say.Count(fleet.Returned)}, tail {Say.Count(fleet.Tail)}");
            }
        }
        if (steps is { Count: > 0 })
        {
            lines.Add("  " + string.Join("  ", steps.Select((step, i) => Step(step, i, lane))) + Bar(steps, lane, glyphs));
        }
        if (lane.Cause.Length > 0 && lane.Cause != rollout.Cause)
        {
            lines.Add($"  cause  {lane.Cause}");
        }
        if (lane.Detail.Length > 0)
        {
            lines.Add($"  {lane.Detail}");
        }
    }

    private static string Step(StepPlan step, int index, Lane lane)
    {
        var name = step.HasGroup ? step.Group : Say.Share(step.Share);
        var sign = lane.State switch
        {
            RolloutState.Succeeded => "[OK]",
            _ when index < lane.Step => "[OK]",
            RolloutState.RollingBack or RolloutState.RolledBack or RolloutState.RollbackStuck or RolloutState.AwaitingUndo => index == lane.Step ? "[NG]" : "[  ]",
            _ => index == lane.Step ? "[..]" : "[  ]",
        };
        var gate = sign == "[  ]" && step.HasApproval ? " approval" : "";
        return $"{name} {sign}{gate}";
    }

    /// <summary>How much of the evidence that the running step asks for is there.</summary>
    private static string Bar(IList<StepPlan> steps, Lane lane, Glyphs glyphs)
    {
        if (lane.Step < 0 || lane.Step >= steps.Count || lane.State is not (RolloutState.Baking or RolloutState.Exposing or RolloutState.Promoting))
        {
            return "";
        }
        var step = steps[lane.Step];
        double? part = (lane.Fleet, step) switch
        {
            ({ } fleet, { HasConfirmedMin: true, ConfirmedMin: > 0 }) => (double)fleet.Confirmed / step.ConfirmedMin,
            (_, { BakeMin: { } bake }) when lane.Baked is { } baked && bake.ToTimeSpan() > TimeSpan.Zero => baked.ToTimeSpan() / bake.ToTimeSpan(),
            _ => null,
        };
        if (part is not { } share)
        {
            return "";
        }
        var full = (int)Math.Round(Math.Clamp(share, 0, 1) * BarColumns);
        return "  " + new string(glyphs.Full, full) + new string(glyphs.Empty, BarColumns - full);
    }

    private static void AddJudge(List<string> lines, Rollout rollout)
    {
        foreach (var lane in rollout.Lanes.Where(l => l.Judgement is { Verdict.Length: > 0 }))
        {
            var judgement = lane.Judgement;
            lines.Add($"JUDGE {Terminal.Pad(lane.Name, NameColumns(rollout))} {Say.Verdict(judgement.Verdict)}{(judgement.Cause.Length > 0 ? "  " + judgement.Cause : "")}");
            foreach (var check in judgement.Checks)
            {
                var e = check.EValue > 0 ? $"  E {check.EValue.ToString(check.EValue < 1e6 ? "0.##" : "0e0", CultureInfo.InvariantCulture)}" : "";
                lines.Add($"  {Terminal.Pad(check.Name, 8)} {(check.DryRun ? "[dry run] " : "")}{check.Text}{e}");
            }
        }
    }

    private static void AddActions(List<string> lines, Rollout rollout)
    {
        var may = rollout.Actions.Where(a => a.Permitted).Select(a => a.Verb).ToList();
        var not = rollout.Actions.Where(a => !a.Permitted && a.Reason.Length > 0 && a.Verb is "approve" or "promote" && !a.Permitted).Select(a => $"{a.Verb}: {a.Reason}").ToList();
        if (may.Count + not.Count > 0)
        {
            lines.Add($"you may: {(may.Count > 0 ? string.Join(", ", may) : "nothing now")}.{(not.Count > 0 ? "  not " + string.Join("; ", not) : "")}");
        }
    }

    public static bool HasEnded(RolloutState state) =>
        state is RolloutState.Succeeded or RolloutState.RolledBack or RolloutState.Refused or RolloutState.Cancelled or RolloutState.Superseded;

    private static int NameColumns(Rollout rollout) => Math.Clamp(rollout.Lanes.Max(lane => Terminal.Columns(lane.Name)) + 1, 9, 24);

    private static string Right(long n, int columns) => Terminal.Pad(Say.Count(n), columns, right: true);
}
