using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using OtaOrchestrator.Core.Analysis;

namespace OtaOrchestrator.Core.Plans;

/// <summary>Says everything that is wrong with a plan at once. Expects one whose defaults are filled in.</summary>
public static partial class PlanValidator
{
    public static ImmutableArray<PlanViolation> Validate(Plan plan, PlanContext context)
    {
        var found = new PlanFindings();
        found.AddIf(!Names.IsValid(plan.Name), "name", $"{Names.Shown(plan.Name)} is not a name", Names.Rule);
        if (plan.Timezone is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            found.Add("timezone", $"{Names.Shown(zone)} is not known", "an IANA name such as Asia/Tokyo");
        }
        if (plan.Lanes.IsDefaultOrEmpty)
        {
            found.Add("lanes", "a plan has at least one lane");
            return found.ToImmutable();
        }
        found.AddIf(plan.Lanes.Length > PlanText.LanesMax, "lanes", $"are {plan.Lanes.Length}, at most {PlanText.LanesMax}");
        Distinct(plan, lane => lane.Name, "name", "two lanes are called", found);
        Distinct(plan, lane => lane.Target, "target", "two lanes change", found);
        for (int i = 0; i < plan.Lanes.Length; i++)
        {
            Lane(plan, i, context, found);
        }
        JudgeAndRollback(plan, context, found);
        NeedRules.Cycles(plan, context, found);
        return found.ToImmutable();
    }

    /// <summary>What a plan can't promise although it is valid: steps too small to bound the failure rate that they check.</summary>
    /// <param name="membersOf">Devices of a target; 0 when that is not known.</param>
    public static ImmutableArray<string> Notes(Plan plan, Func<string, long> membersOf)
    {
        var notes = ImmutableArray.CreateBuilder<string>();
        foreach (var lane in plan.Lanes)
        {
            double limit = lane.Checks.Select(check => check.FailuresMax).Min() ?? 0;
            long members = membersOf(lane.Target);
            if (limit is <= 0 or >= 1 || members <= 0)
            {
                continue;
            }
            long needed = EProcess.SamplesToBound(limit);
            for (int i = 0; i < lane.Steps.Length; i++)
            {
                var share = lane.Steps[i].Share ?? 0;
                long devices = (long)Math.Round(share * members);
                if (share > 0 && devices == 0)
                {
                    notes.Add($"{lane.Name} step {i + 1}: {PlanFindings.Percent(share)} of {members} devices may be nobody");
                }
                else if (devices > 0 && devices < needed)
                {
                    var bound = EProcess.BoundWithoutFailure(devices) * 100;
                    notes.Add(string.Create(CultureInfo.InvariantCulture, $"{lane.Name} step {i + 1}: 0 failures in {devices} devices bound nothing below {bound:0.#} %; {needed} devices are needed for {limit * 100:0.#} %"));
                }
            }
        }
        return notes.ToImmutable();
    }

    private static void Distinct(Plan plan, Func<LanePlan, string> key, string field, string said, PlanFindings found)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < plan.Lanes.Length; i++)
        {
            found.AddIf(!seen.Add(key(plan.Lanes[i])), $"lanes[{i}].{field}", $"{said} {Names.Shown(key(plan.Lanes[i]))}");
        }
    }

    private static void Lane(Plan plan, int index, PlanContext context, PlanFindings found)
    {
        var lane = plan.Lanes[index];
        var path = $"lanes[{index}]";
        found.AddIf(!Names.IsValid(lane.Name), $"{path}.name", $"{Names.Shown(lane.Name)} is not a name", Names.Rule);
        found.AddIf(ReleaseName.Parse(lane.Release) is null, $"{path}.release", $"{Names.Shown(lane.Release)} is not a release", "name@version, for example thermostat-fw@2.4.0");
        if (lane.Fallback is { } fallback)
        {
            found.AddIf(ReleaseName.Parse(fallback) is null, $"{path}.fallback", $"{Names.Shown(fallback)} is not a release", "name@version");
            found.AddIf(fallback == lane.Release, $"{path}.fallback", "is the release itself");
        }
        if (!Names.IsValid(lane.Target))
        {
            found.Add($"{path}.target", $"{Names.Shown(lane.Target)} is not a name", Names.Rule);
            return;
        }
        if (context.Target(lane.Target) is not { } target)
        {
            found.Add($"{path}.target", $"{lane.Target} does not exist in this environment");
            return;
        }
        StepRules.Check(lane, path, target, context, found);
        CheckRules.Check(lane, path, target, context, found);
        Features(lane, path, target, found);
        Devices(lane, path, target, found);
        Controller(lane, path, found);
        NeedRules.Check(plan, index, context, found);
    }

    private static void Features(LanePlan lane, string path, PlanTarget target, PlanFindings found)
    {
        Uses(lane.Window is not null, PlanFeatures.Window, "window", "has no time window");
        Uses(!lane.Exclude.IsDefaultOrEmpty, PlanFeatures.Exclude, "exclude", "can't leave anything out");
        Uses(lane.RatePerMinuteMax is not null, PlanFeatures.RatePerMinuteMax, "ratePerMinuteMax", "can't limit its rate");
        Uses(lane.Complete?.TailMax is not null, PlanFeatures.TailMax, "complete.tailMax", "can't end its tail");
        Uses(lane.StickyFor is not null, PlanFeatures.StickyFor, "stickyFor", "can't keep clients on their side");
        Uses(lane.LeaseFor is not null, PlanFeatures.Lease, "leaseFor", "has no lease");
        for (int i = 0; i < lane.Steps.Length; i++)
        {
            Uses(lane.Steps[i].Test is not null, PlanFeatures.Test, $"steps[{i}].test", "can't be tested before exposure");
            Uses(lane.Steps[i].Mirror is not null, PlanFeatures.Mirror, $"steps[{i}].mirror", "can't copy requests");
        }

        void Uses(bool used, string feature, string field, string cannot) =>
            found.AddIf(used && !target.Capabilities.Features.Contains(feature), $"{path}.{field}", $"{lane.Target} {cannot}");
    }

    /// <summary>What holds on the target while nobody steers it.</summary>
    private static void Controller(LanePlan lane, string path, PlanFindings found)
    {
        found.AddIf(lane.OnControllerLoss is not (null or "hold" or "return"), $"{path}.onControllerLoss", $"{Names.Shown(lane.OnControllerLoss)} is not hold or return");
        found.AddIf(lane is { OnControllerLoss: not null, LeaseFor: null }, $"{path}.leaseFor", "is missing: after how long is the orchestrator lost?", "for example 60s");
        found.AddIf(lane.StickyFor is { } sticky && (sticky < TimeSpan.FromSeconds(1) || sticky > TimeSpan.FromDays(30)), $"{path}.stickyFor", "lies between 1 s and 30 d");
        if (lane.LeaseFor is { } lease)
        {
            // Renewed with every look: two of them may fail.
            var shortest = lane.Checks.Select(check => check.Interval).Where(interval => interval is not null).Min() * 3;
            found.AddIf(lease < TimeSpan.FromSeconds(5) || lease > TimeSpan.FromDays(1), $"{path}.leaseFor", "lies between 5 s and 1 d");
            found.AddIf(shortest is { } least && lease < least, $"{path}.leaseFor", $"is shorter than three looks, {shortest?.TotalSeconds:0.#} s", "it is renewed with every look");
        }
    }

    private static void Devices(LanePlan lane, string path, PlanTarget target, PlanFindings found)
    {
        found.AddIf(lane.RatePerMinuteMax is < 1, $"{path}.ratePerMinuteMax", "is at least 1");
        if (lane.Window is { } window)
        {
            found.AddIf(!TimePattern().IsMatch(window.From), $"{path}.window.from", $"{Names.Shown(window.From)} is not a time of day", "in quotes, for example \"01:00\"");
            found.AddIf(!TimePattern().IsMatch(window.To), $"{path}.window.to", $"{Names.Shown(window.To)} is not a time of day", "in quotes, for example \"05:00\"");
            found.AddIf(window.From == window.To, $"{path}.window", "begins when it ends");
            found.AddIf(window.Clock is not (null or "" or "device" or "utc"), $"{path}.window.clock", $"{Names.Shown(window.Clock)} is not known", "device or utc");
        }
        for (int i = 0; i < lane.Exclude.Length; i++)
        {
            found.AddIf(!TagPattern().IsMatch(lane.Exclude[i]), $"{path}.exclude[{i}]", $"{Names.Shown(lane.Exclude[i])} is not a tag", "for example tag:customer-freeze");
        }
        if (target.Kind == TargetKind.Traffic)
        {
            found.AddIf(lane.Complete is not null, $"{path}.complete", "traffic has no devices to confirm");
            found.AddIf(lane.ObserveFor is { } observe && observe > TimeSpan.Zero, $"{path}.observeFor", "traffic has no devices to observe");
            return;
        }
        if (lane.Complete is { } complete)
        {
            found.AddIf(complete.ConfirmedMin is <= 0 or > 1, $"{path}.complete.confirmedMin", "is more than 0 % and at most 100 %");
            found.AddIf(complete.Of is not (null or "" or "reachable" or "all"), $"{path}.complete.of", $"{Names.Shown(complete.Of)} is not known", "reachable or all");
        }
        if (lane.ObserveFor is { } observeFor && lane.Steps.Any(step => step.BakeMax is { } bakeMax && bakeMax <= observeFor))
        {
            found.Add($"{path}.observeFor", "is not shorter than bakeMax: no device could count before its step is given up");
        }
    }

    private static void JudgeAndRollback(Plan plan, PlanContext context, PlanFindings found)
    {
        found.AddIf(plan.Judge.FalseAbortMax is <= 0 or > 0.5, "judge.falseAbortMax", "is more than 0 % and at most 50 %");
        var shares = plan.Rollback.Shares;
        found.AddIf(
            !shares.IsDefaultOrEmpty && (shares[^1] != 1 || shares.Zip(shares.Skip(1)).Any(pair => pair.First >= pair.Second) || shares.Any(share => share is not (> 0 and <= 1))),
            "rollback.shares", "rise and end at 100 %", "for example [10%, 100%]");
        found.AddIf(plan.Rollback.FailuresMax is < 0 or > 1, "rollback.failuresMax", "lies between 0 % and 100 %");
        found.AddIf(plan.Rollback.UndoWait is { } wait && wait <= TimeSpan.Zero, "rollback.undoWait", "is more than nothing", "a lane that waits for devices would not wait");
        if (plan.Rollback.RatePerMinuteMax is { } rate)
        {
            found.AddIf(rate < 1, "rollback.ratePerMinuteMax", "is at least 1");
            foreach (var target in plan.Lanes.Select(lane => lane.Target).Where(Names.IsValid))
            {
                found.AddIf(
                    context.Target(target) is { Kind: TargetKind.Fleet } fleet && !fleet.Capabilities.Features.Contains(PlanFeatures.RatePerMinuteMax),
                    "rollback.ratePerMinuteMax", $"{target} can't limit its rate");
            }
        }
    }

    [GeneratedRegex(@"\A(?:[01][0-9]|2[0-3]):[0-5][0-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex TimePattern();

    [GeneratedRegex(@"\Atag:[a-zA-Z0-9._-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TagPattern();
}
