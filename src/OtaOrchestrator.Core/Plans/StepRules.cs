using System.Text.RegularExpressions;
using static OtaOrchestrator.Core.Plans.PlanFindings;

namespace OtaOrchestrator.Core.Plans;

/// <summary>Steps rise, end at 100 %, stay within the environment's caps, and ask nothing of a target that it can't do.</summary>
internal static partial class StepRules
{
    // Shares are written with a few digits; what they differ by beyond that is rounding.
    private const double Rounding = 1e-9;

    public static void Check(LanePlan lane, string path, PlanTarget target, PlanContext context, PlanFindings found)
    {
        var policy = context.Policy;
        found.AddIf(lane.Steps.Length > PlanText.StepsMax, $"{path}.steps", $"are {lane.Steps.Length}, at most {PlanText.StepsMax}");
        double? before = null;
        double exposed = 0;
        for (int i = 0; i < lane.Steps.Length; i++)
        {
            var step = lane.Steps[i];
            var at = $"{path}.steps[{i}]";
            bool last = i == lane.Steps.Length - 1;
            Waits(lane, step, at, last, exposed, target, found);
            Evidence(step, at, target, found);
            switch (step)
            {
                case { Share: null, Group: null } or { Share: not null, Group: not null }:
                    found.Add(at, "has either a share or a group");
                    break;
                case { Group: { } group }:
                    found.AddIf(i > 0, $"{at}.group", "a group is the first step only");
                    found.AddIf(!target.Capabilities.Groups, $"{at}.group", $"{lane.Target} knows no groups");
                    found.AddIf(!Names.IsGroup(group), $"{at}.group", $"{Names.Shown(group)} is not a group's name", "letters, digits, hyphen, underscore and colon");
                    found.AddIf(Cohorts.Takes(group), $"{at}.group", $"{group} is a name that the fleet's own parts have");
                    before ??= 0;
                    break;
                case { Share: not (>= 0 and <= 1) and { } outside }:
                    found.Add($"{at}.share", $"{Percent(outside)} is outside 0 % to 100 %");
                    break;
                case { Share: { } share }:
                    Rises(share, before, $"{at}.share", found);
                    Fits(lane, share, $"{at}.share", target, found);
                    if (share > 0)
                    {
                        double most = exposed == 0 ? policy.FirstStepMax : policy.JumpMax;
                        found.AddIf(share - exposed > most + Rounding, $"{at}.share", exposed == 0
                            ? $"the first step is {Percent(share)}, this environment allows {Percent(most)}"
                            : $"jumps by {Percent(share - exposed)}, this environment allows {Percent(most)}");
                        exposed = share;
                    }
                    before = share;
                    break;
            }
        }
        if (context.Rehearsal)
        {
            found.AddIf(lane.Steps.Any(step => step.Share > 0), $"{path}.steps", "reach ordinary users", "a rehearsal has steps of 0 % or of a group");
            return;
        }
        found.AddIf(lane.Steps.IsDefaultOrEmpty || lane.Steps[^1].Share != 1, $"{path}.steps", "the last step is 100 %");
    }

    private static void Rises(double share, double? before, string at, PlanFindings found)
    {
        if (before is { } last && share <= last)
        {
            found.Add(at, share == last && last > 0 ? $"repeats {Percent(share)}" : last > share ? $"goes down from {Percent(last)} to {Percent(share)}" : "0 % is the first step only", "steps are cumulative and rise");
        }
    }

    private static void Fits(LanePlan lane, double share, string at, PlanTarget target, PlanFindings found)
    {
        var can = target.Capabilities;
        found.AddIf(share is > 0 and < 1 && share > can.PartialShareMax + Rounding, at,
            can.PartialShareMax == 0 ? $"{lane.Target} knows only 0 % and 100 %" : $"{lane.Target} holds no share between {Percent(can.PartialShareMax)} and 100 %");
        found.AddIf(can.ShareStep > 0 && Math.Abs((share / can.ShareStep) - Math.Round(share / can.ShareStep)) > 1e-6, at, $"{lane.Target} takes multiples of {Percent(can.ShareStep)}");
    }

    private static void Waits(LanePlan lane, StepPlan step, string at, bool last, double exposedBefore, PlanTarget target, PlanFindings found)
    {
        if (step.Approval is { } approval)
        {
            found.AddIf(!ApprovalPattern().IsMatch(approval), $"{at}.approval", $"{Names.Shown(approval)} is not an approval", "role and number of persons, for example managers-2");
            found.AddIf(!target.Capabilities.CanHold && exposedBefore is > 0 and < 1, $"{at}.approval", $"{lane.Target} can't be held at {Percent(exposedBefore)}");
        }
        if (step.Pause)
        {
            found.AddIf(last, $"{at}.pause", "after the last step nothing is left to wait with", "guardAfter keeps the judge armed");
            found.AddIf(!target.Capabilities.CanHold && step.Share is > 0 and < 1, $"{at}.pause", $"{lane.Target} can't be held at {Percent(step.Share ?? 0)}");
        }
        found.AddIf(step.BakeMin is { } bakeMin && step.BakeMax is { } bakeMax && bakeMin > bakeMax, $"{at}.bakeMax", "is shorter than bakeMin");
    }

    private static void Evidence(StepPlan step, string at, PlanTarget target, PlanFindings found)
    {
        bool fleet = target.Kind == TargetKind.Fleet;
        found.AddIf(step.RequestsMin is < 0, $"{at}.requestsMin", "is not negative");
        found.AddIf(step.ConfirmedMin is < 0, $"{at}.confirmedMin", "is not negative");
        found.AddIf(step.RequestsMin is not null && fleet, $"{at}.requestsMin", "a fleet has no requests", "confirmedMin counts devices");
        found.AddIf(step.ConfirmedMin is not null && !fleet, $"{at}.confirmedMin", "traffic has no devices", "requestsMin counts requests");
        found.AddIf(step.Reach is not null && !fleet, $"{at}.reach", "traffic has no devices");
        found.AddIf(step.Reach is not (null or (> 0 and <= 1)), $"{at}.reach", "is more than 0 % and at most 100 %");
        found.AddIf(step.Mirror is not (null or (> 0 and <= 1)), $"{at}.mirror", "is more than 0 % and at most 100 %");
        found.AddIf(step is { Mirror: not null, Share: 1 }, $"{at}.mirror", "at 100 % the baseline has no requests to copy");
        found.AddIf(!step.Exposes() && step.RequestsMin is > 0, $"{at}.requestsMin", "0 % gets no requests");
        found.AddIf(!step.Exposes() && step.ConfirmedMin is > 0, $"{at}.confirmedMin", "0 % has no devices");
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,40}-[1-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex ApprovalPattern();
}
