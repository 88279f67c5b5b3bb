using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Plans;

/// <summary>What a plan is checked against: the environment's policy, and what it knows of a target.</summary>
public sealed record PlanContext
{
    public EnvironmentPolicy Policy { get; init; } = EnvironmentPolicy.Default;

    /// <summary>Null for a target that does not exist.</summary>
    public required Func<string, PlanTarget?> Target { get; init; }

    /// <summary>For checks without a server: every target exists and can do everything its kind can.</summary>
    public static PlanContext Offline(Func<string, TargetKind> kindOf) => new()
    {
        Target = name => new PlanTarget(kindOf(name), kindOf(name) == TargetKind.Fleet
            ? new Capabilities { Groups = true, ShareStep = 0.01, Features = new HashSet<string> { "ratePerMinuteMax" } }
            : new Capabilities { PerVariantMetrics = true, CompareAndSwap = true }),
    };
}

/// <param name="CurrentVersion">Of the release that the target runs; null when it is not known.</param>
public sealed record PlanTarget(TargetKind Kind, Capabilities Capabilities, string? CurrentVersion = null);

/// <summary>Says everything that is wrong with a plan at once. Expects one whose defaults are filled in.</summary>
public static partial class PlanValidator
{
    public static ImmutableArray<PlanViolation> Validate(Plan plan, PlanContext context)
    {
        List<PlanViolation> violations = [];
        void Add(string path, string text, string? hint = null) => violations.Add(new PlanViolation(path, text, hint));

        if (!Names.IsValid(plan.Name))
        {
            Add("name", $"{Names.Shown(plan.Name)} is not a name", Names.Rule);
        }
        if (plan.Timezone is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            Add("timezone", $"{Names.Shown(zone)} is not known", "an IANA name such as Asia/Tokyo");
        }
        if (plan.Lanes.IsDefaultOrEmpty)
        {
            Add("lanes", "a plan has at least one lane");
        }
        foreach (var twice in plan.Lanes.GroupBy(lane => lane.Name).Where(group => group.Count() > 1))
        {
            Add("lanes", $"two lanes are called {Names.Shown(twice.Key)}");
        }
        foreach (var twice in plan.Lanes.GroupBy(lane => lane.Target).Where(group => group.Count() > 1))
        {
            Add("lanes", $"two lanes change {Names.Shown(twice.Key)}");
        }
        for (int i = 0; i < plan.Lanes.Length; i++)
        {
            Lane(plan, i, context, Add);
        }
        Rollback(plan, Add);
        if (plan.Judge.FalseAbortMax is <= 0 or > 0.5)
        {
            Add("judge.falseAbortMax", "is more than 0 and at most 50%");
        }
        Cycles(plan, context, Add);
        return [.. violations];
    }

    /// <summary>What a plan can't promise although it is valid: steps too small to bound the failure rate that they check.</summary>
    public static ImmutableArray<string> Notes(Plan plan, Func<string, long> membersOf)
    {
        var notes = ImmutableArray.CreateBuilder<string>();
        foreach (var lane in plan.Lanes)
        {
            double limit = lane.Checks.Select(check => check.FailuresMax).Min() ?? 0;
            long members = membersOf(lane.Target);
            if (limit <= 0 || members <= 0)
            {
                continue;
            }
            long needed = (long)Math.Ceiling(Math.Log(0.01) / Math.Log(1 - limit));
            for (int i = 0; i < lane.Steps.Length; i++)
            {
                long devices = (long)((lane.Steps[i].Share ?? 0) * members);
                if (devices > 0 && devices < needed)
                {
                    double bound = 1 - Math.Pow(0.01, 1.0 / devices);
                    notes.Add(string.Create(CultureInfo.InvariantCulture, $"{lane.Name} step {i + 1}: 0 failures in {devices} devices bound nothing below {bound * 100:0.#} %; {needed} devices are needed for {limit * 100:0.#} %"));
                }
            }
        }
        return notes.ToImmutable();
    }

    private static void Lane(Plan plan, int index, PlanContext context, Action<string, string, string?> add)
    {
        var lane = plan.Lanes[index];
        var path = $"lanes[{index}]";
        if (!Names.IsValid(lane.Name))
        {
            add($"{path}.name", $"{Names.Shown(lane.Name)} is not a name", Names.Rule);
        }
        if (ReleaseName.Parse(lane.Release) is null)
        {
            add($"{path}.release", $"{Names.Shown(lane.Release)} is not a release", "name@version, for example thermostat-fw@2.4.0");
        }
        if (lane.Fallback is { } fallback && ReleaseName.Parse(fallback) is null)
        {
            add($"{path}.fallback", $"{Names.Shown(fallback)} is not a release", "name@version");
        }
        if (lane.Fallback is not null && lane.Fallback == lane.Release)
        {
            add($"{path}.fallback", "is the release itself", null);
        }
        if (!Names.IsValid(lane.Target))
        {
            add($"{path}.target", $"{Names.Shown(lane.Target)} is not a name", Names.Rule);
            return;
        }
        if (context.Target(lane.Target) is not { } target)
        {
            add($"{path}.target", $"{lane.Target} does not exist in this environment", null);
            return;
        }
        Steps(lane, path, target, context.Policy, add);
        Checks(lane, path, target, add);
        Features(lane, path, target, add);
        Needs(plan, index, context, add);
    }

    private static void Steps(LanePlan lane, string path, PlanTarget target, EnvironmentPolicy policy, Action<string, string, string?> add)
    {
        var can = target.Capabilities;
        double before = 0;
        double exposed = 0;
        for (int i = 0; i < lane.Steps.Length; i++)
        {
            var step = lane.Steps[i];
            var at = $"{path}.steps[{i}]";
            if (step.Share is null == step.Group is null)
            {
                add(at, "has either a share or a group", null);
                continue;
            }
            if (step.Group is { } group)
            {
                if (i > 0)
                {
                    add($"{at}.group", "a group is the first step only", null);
                }
                if (!can.Groups)
                {
                    add($"{at}.group", $"{lane.Target} knows no groups", null);
                }
                if (!Names.IsGroup(group))
                {
                    add($"{at}.group", $"{Names.Shown(group)} is not a group's name", "letters, digits, hyphen, underscore and colon");
                }
            }
            double share = step.Share ?? before;
            if (share is < 0 or > 1 || !double.IsFinite(share))
            {
                add($"{at}.share", $"{Percent(share)} is outside 0 % to 100 %", null);
                continue;
            }
            if (step.Share is not null)
            {
                if (i > 0 && lane.Steps[i - 1].Group is null && share <= before)
                {
                    add($"{at}.share", share == before ? $"repeats {Percent(share)}" : $"goes down from {Percent(before)} to {Percent(share)}", "steps are cumulative and rise");
                }
                if (share is > 0 and < 1 && share > can.PartialShareMax + 1e-9)
                {
                    add($"{at}.share", can.PartialShareMax == 0 ? $"{lane.Target} knows only 0 % and 100 %" : $"{lane.Target} holds no share between {Percent(can.PartialShareMax)} and 100 %", null);
                }
                if (can.ShareStep > 0 && Math.Abs((share / can.ShareStep) - Math.Round(share / can.ShareStep)) > 1e-6)
                {
                    add($"{at}.share", $"{lane.Target} takes multiples of {Percent(can.ShareStep)}", null);
                }
                if (share > 0)
                {
                    double most = exposed == 0 ? policy.FirstStepMax : policy.JumpMax;
                    if (share - exposed > most + 1e-9)
                    {
                        add($"{at}.share", exposed == 0 ? $"the first step is {Percent(share)}, this environment allows {Percent(most)}" : $"jumps by {Percent(share - exposed)}, this environment allows {Percent(most)}", null);
                    }
                    exposed = share;
                }
                before = share;
            }
            if ((step.Pause || step.Approval is not null) && !can.CanHold)
            {
                add(at, $"{lane.Target} can't be held at a step", null);
            }
            if (step.Approval is { } approval && !ApprovalPattern().IsMatch(approval))
            {
                add($"{at}.approval", $"{Names.Shown(approval)} is not an approval", "role and number of persons, for example managers-2");
            }
            if (step.BakeMin is { } bakeMin && step.BakeMax is { } bakeMax && bakeMin > bakeMax)
            {
                add($"{at}.bakeMax", "is shorter than bakeMin", null);
            }
            if (step.RequestsMin is < 0 || step.ConfirmedMin is < 0)
            {
                add(at, "a minimum is not negative", null);
            }
            if (step.RequestsMin is not null && target.Kind == TargetKind.Fleet)
            {
                add($"{at}.requestsMin", "a fleet has no requests", "confirmedMin counts devices");
            }
            if (step.ConfirmedMin is not null && target.Kind == TargetKind.Traffic)
            {
                add($"{at}.confirmedMin", "traffic has no devices", "requestsMin counts requests");
            }
            if (step.Test is not null && !can.Features.Contains("test"))
            {
                add($"{at}.test", $"{lane.Target} can't run tests before exposure", null);
            }
        }
        if (lane.Steps.IsDefaultOrEmpty || lane.Steps[^1].Share != 1)
        {
            add($"{path}.steps", "the last step is 100 %", null);
        }
    }

    private static void Checks(LanePlan lane, string path, PlanTarget target, Action<string, string, string?> add)
    {
        var fits = target.Kind == TargetKind.Fleet ? "devices" : "router";
        if (lane.Checks.IsDefaultOrEmpty)
        {
            add($"{path}.checks", "a lane without checks would be judged by nothing", null);
        }
        for (int i = 0; i < lane.Checks.Length; i++)
        {
            var check = lane.Checks[i];
            var at = $"{path}.checks[{i}]";
            if (check.Source != fits)
            {
                add($"{at}.source", $"{Names.Shown(check.Source)} shows nothing of {lane.Target}", $"use {fits}");
            }
            if (target.Kind == TargetKind.Traffic && check is { ErrorsMax: null, RatioMax: null, P99MsMax: null })
            {
                add(at, "has no limit", "errorsMax, ratioMax or p99MsMax");
            }
            if (check.RatioMax is { } ratio && ratio < 1)
            {
                add($"{at}.ratioMax", "below 1 the candidate would have to be better than the baseline", null);
            }
            if (check.FailuresMax is <= 0 or >= 1 || check.ErrorsMax is < 0 or > 1)
            {
                add(at, "a limit lies between 0 % and 100 %", null);
            }
            if (check.Interval is { } interval && interval < TimeSpan.FromMilliseconds(100))
            {
                add($"{at}.interval", "is at least 100ms", null);
            }
            if (check.Against is not (null or "" or "baseline"))
            {
                add($"{at}.against", $"{Names.Shown(check.Against)} is not known", "baseline");
            }
        }
        foreach (var twice in lane.Checks.GroupBy(check => check.Name).Where(group => group.Count() > 1))
        {
            add($"{path}.checks", $"two checks are called {Names.Shown(twice.Key)}", null);
        }
    }

    private static void Features(LanePlan lane, string path, PlanTarget target, Action<string, string, string?> add)
    {
        (string Name, bool Used)[] used =
        [
            ("window", lane.Window is not null), ("exclude", !lane.Exclude.IsDefaultOrEmpty), ("ratePerMinuteMax", lane.RatePerMinuteMax is not null), ("complete", lane.Complete is not null),
        ];
        foreach (var (name, _) in used.Where(feature => feature.Used && !target.Capabilities.Features.Contains(feature.Name)))
        {
            add($"{path}.{name}", $"{lane.Target} can't do that", null);
        }
        if (lane.RatePerMinuteMax is < 1)
        {
            add($"{path}.ratePerMinuteMax", "is at least 1", null);
        }
    }

    /// <summary>Lanes run one after another, so when a lane begins, earlier lanes run their candidates and later ones still run what they run now.</summary>
    private static void Needs(Plan plan, int index, PlanContext context, Action<string, string, string?> add)
    {
        var lane = plan.Lanes[index];
        for (int i = 0; i < lane.Needs.Length; i++)
        {
            var at = $"lanes[{index}].needs[{i}]";
            if (Need.Parse(lane.Needs[i]) is not { } need)
            {
                add(at, $"{Names.Shown(lane.Needs[i])} is not a need", "target, operator and version, for example thermostat-api >= 5");
                continue;
            }
            int other = -1;
            for (int j = 0; j < plan.Lanes.Length; j++)
            {
                other = plan.Lanes[j].Target == need.Target ? j : other;
            }
            if (other == index)
            {
                add(at, "a lane can't need its own target", null);
                continue;
            }
            var version = other >= 0 && other < index ? ReleaseName.Parse(plan.Lanes[other].Release)?.Version : context.Target(need.Target)?.CurrentVersion;
            if (other < 0 && context.Target(need.Target) is null)
            {
                add(at, $"{need.Target} does not exist in this environment", null);
            }
            else if (version is not null && !need.Holds(version))
            {
                add(at, $"{need.Target} is {version} when {lane.Name} begins", other > index ? $"put {plan.Lanes[other].Name} before {lane.Name}" : null);
            }
        }
    }

    private static void Rollback(Plan plan, Action<string, string, string?> add)
    {
        var shares = plan.Rollback.Shares;
        if (!shares.IsDefaultOrEmpty && (shares[^1] != 1 || shares.Zip(shares.Skip(1)).Any(pair => pair.First >= pair.Second) || shares.Any(share => share is <= 0 or > 1)))
        {
            add("rollback.shares", "rise and end at 100 %", null);
        }
        if (plan.Rollback.FailuresMax is < 0 or > 1)
        {
            add("rollback.failuresMax", "lies between 0 % and 100 %", null);
        }
        if (plan.Rollback.RatePerMinuteMax is < 1)
        {
            add("rollback.ratePerMinuteMax", "is at least 1", null);
        }
    }

    /// <summary>Two lanes of which each must be undone before the other could never be undone.</summary>
    private static void Cycles(Plan plan, PlanContext context, Action<string, string, string?> add)
    {
        var lanes = plan.Lanes
            .Select(lane => new UndoOrder.UndoLane(lane.Name, lane.Target, ReleaseName.Parse(lane.Fallback)?.Version ?? context.Target(lane.Target)?.CurrentVersion ?? "0", lane.Needs))
            .DistinctBy(lane => lane.Name).ToList();
        var waits = UndoOrder.WaitsFor(lanes);
        HashSet<string> undone = [];
        for (bool moved = true; moved;)
        {
            moved = false;
            foreach (var lane in lanes.Where(lane => !undone.Contains(lane.Name) && waits[lane.Name].All(undone.Contains)))
            {
                moved |= undone.Add(lane.Name);
            }
        }
        if (undone.Count < lanes.Count)
        {
            add("lanes", "could not be undone: " + string.Join(", ", lanes.Select(lane => lane.Name).Except(undone)) + " wait for each other", "look at needs and fallbacks");
        }
    }

    private static string Percent(double share) => (share * 100).ToString("0.####", CultureInfo.InvariantCulture) + " %";

    [GeneratedRegex("^[a-z][a-z0-9-]{0,40}-[1-9]$", RegexOptions.CultureInvariant)]
    private static partial Regex ApprovalPattern();
}
