using System.Collections.Immutable;
using System.Globalization;

namespace OtaOrchestrator.Core.Plans;

/// <summary>One value that the plan left out.</summary>
/// <param name="Origin"><c>environment</c>, <c>product</c>, or what it was computed from.</param>
public sealed record FilledDefault(string Path, string Value, string Origin);

/// <summary>Fills what a plan leaves out: first from the environment, then from the product. After it nothing that the lifecycle needs is missing.</summary>
public static class PlanDefaults
{
    private static readonly TimeSpan IntervalMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan IntervalMax = TimeSpan.FromMinutes(1);

    public static (Plan Plan, ImmutableArray<FilledDefault> Filled) Fill(Plan plan, EnvironmentPolicy environment, Func<string, TargetKind> kindOf)
    {
        var filled = new Filling();
        var product = EnvironmentPolicy.Default;
        var lanes = plan.Lanes.Select((lane, i) => Lane(lane, $"lanes[{i}]", kindOf(lane.Target), environment, filled)).ToImmutableArray();
        var judge = new JudgePlan
        {
            FalseAbortMax = filled.Take("judge.falseAbortMax", plan.Judge.FalseAbortMax, environment.Judge.FalseAbortMax, product.Judge.FalseAbortMax),
            NoData = filled.Take("judge.noData", plan.Judge.NoData, environment.Judge.NoData, product.Judge.NoData),
            Unhealthy = filled.Take("judge.unhealthy", plan.Judge.Unhealthy, environment.Judge.Unhealthy, product.Judge.Unhealthy),
        };
        var rollback = new RollbackPlan
        {
            UntilAfter = filled.Take("rollback.untilAfter", plan.Rollback.UntilAfter, environment.Rollback.UntilAfter, product.Rollback.UntilAfter),
            IgnoreWindow = filled.Take("rollback.ignoreWindow", plan.Rollback.IgnoreWindow, environment.Rollback.IgnoreWindow, product.Rollback.IgnoreWindow),
            RatePerMinuteMax = plan.Rollback.RatePerMinuteMax ?? environment.Rollback.RatePerMinuteMax,
            Shares = filled.Take("rollback.shares", plan.Rollback.Shares, environment.Rollback.Shares, product.Rollback.Shares),
            FailuresMax = filled.Take("rollback.failuresMax", plan.Rollback.FailuresMax, environment.Rollback.FailuresMax, product.Rollback.FailuresMax),
            UndoWait = filled.Take("rollback.undoWait", plan.Rollback.UndoWait, environment.Rollback.UndoWait, product.Rollback.UndoWait),
        };
        return (plan with { Lanes = lanes, Judge = judge, Rollback = rollback }, filled.ToImmutable());
    }

    private static LanePlan Lane(LanePlan lane, string path, TargetKind kind, EnvironmentPolicy environment, Filling filled)
    {
        var product = EnvironmentPolicy.Default;
        bool traffic = kind == TargetKind.Traffic;
        var steps = filled.Take($"{path}.steps", lane.Steps, traffic ? environment.TrafficSteps : environment.FleetSteps, traffic ? product.TrafficSteps : product.FleetSteps);
        steps = [.. steps.Select((step, i) => Step(step, $"{path}.steps[{i}]", kind, filled))];
        var given = lane.Checks;
        var own = traffic ? environment.TrafficChecks : environment.FleetChecks;
        if (!given.IsDefaultOrEmpty && !own.IsDefaultOrEmpty)
        {
            // A step may name a test that stands in the environment.
            given = given.AddRange(own.Where(check => check.IsTest() && steps.Any(step => step.Test == check.Name) && given.All(mine => mine.Name != check.Name)));
        }
        var checks = filled.Take($"{path}.checks", given, traffic ? environment.TrafficChecks : environment.FleetChecks, traffic ? product.TrafficChecks : product.FleetChecks);
        var shortest = steps.Select(step => step.BakeMin).Where(bake => bake > TimeSpan.Zero).Min() ?? TimeSpan.FromMinutes(10);
        var interval = shortest / 10 < IntervalMin ? IntervalMin : shortest / 10 > IntervalMax ? IntervalMax : shortest / 10;
        checks = [.. checks.Select((check, i) => check with
        {
            Name = filled.Text($"{path}.checks[{i}].name", check.Name, check.Source, "the check's source"),
            Interval = filled.Take($"{path}.checks[{i}].interval", check.Interval, null, interval, "a tenth of the shortest bake, 250 ms to 1 min"),
            When = filled.Text($"{path}.checks[{i}].when", check.When ?? "", "exposed", "product"),
            SilentAfter = traffic || check.Asks() ? check.SilentAfter : filled.Take($"{path}.checks[{i}].silentAfter", check.SilentAfter, null, TimeSpan.FromMinutes(30)),
            FailuresMax = traffic || check.Asks() ? check.FailuresMax : filled.Take($"{path}.checks[{i}].failuresMax", check.FailuresMax, null, 0.02),
            SamplesMin = check.Asks() ? filled.Take($"{path}.checks[{i}].samplesMin", check.SamplesMin, null, 1)
                : traffic ? filled.Take($"{path}.checks[{i}].samplesMin", check.SamplesMin, null, 200) : check.SamplesMin,
            Timeout = check.Asks() ? filled.Take($"{path}.checks[{i}].timeout", check.Timeout, null, TimeSpan.FromSeconds(5)) : check.Timeout,
            FailuresInRowMax = check.Asks() ? filled.Take($"{path}.checks[{i}].failuresInRowMax", check.FailuresInRowMax, null, 2) : check.FailuresInRowMax,
        })];
        return lane with
        {
            Name = filled.Text($"{path}.name", lane.Name, lane.Target, "the lane's target"),
            Complete = lane.Complete is { } complete ? complete with { Of = filled.Text($"{path}.complete.of", complete.Of ?? "", "reachable", "product") } : null,
            Steps = steps,
            Checks = checks,
            OnControllerLoss = lane.LeaseFor is null ? lane.OnControllerLoss : filled.Text($"{path}.onControllerLoss", lane.OnControllerLoss ?? "", "hold", "product"),
            GuardAfter = filled.Take($"{path}.guardAfter", lane.GuardAfter, null, TimeSpan.Zero),
            ObserveFor = filled.Take($"{path}.observeFor", lane.ObserveFor, null, TimeSpan.Zero),
        };
    }

    private static StepPlan Step(StepPlan step, string path, TargetKind kind, Filling filled)
    {
        bool exposesNobody = !step.Exposes() && step.Test is null;
        var bakeMin = filled.Take($"{path}.bakeMin", step.BakeMin, null, exposesNobody ? TimeSpan.Zero : TimeSpan.FromMinutes(10));
        var most = bakeMin * 4 > bakeMin + TimeSpan.FromHours(1) ? bakeMin * 4 : bakeMin + TimeSpan.FromHours(1);
        return step with
        {
            BakeMin = bakeMin,
            BakeMax = filled.Take($"{path}.bakeMax", step.BakeMax, null, most, "four bakes, at least an hour more"),
            Reach = kind == TargetKind.Fleet ? filled.Take($"{path}.reach", step.Reach, null, 0.9) : step.Reach,
        };
    }

    /// <summary>Takes the first value that is there and remembers where it came from.</summary>
    private sealed class Filling
    {
        private readonly List<FilledDefault> _filled = [];

        public T Take<T>(string path, T? given, T? environment, T? product, string origin = "product") where T : struct
        {
            if (given is { } value)
            {
                return value;
            }
            var (taken, from) = environment is { } own ? (own, "environment") : (product!.Value, origin);
            _filled.Add(new FilledDefault(path, Shown(taken), from));
            return taken;
        }

        public ImmutableArray<T> Take<T>(string path, ImmutableArray<T> given, ImmutableArray<T> environment, ImmutableArray<T> product)
        {
            if (!given.IsDefaultOrEmpty)
            {
                return given;
            }
            bool own = !environment.IsDefaultOrEmpty;
            var taken = own ? environment : product;
            _filled.Add(new FilledDefault(path, string.Join(", ", taken.Select(value => Shown(value))), own ? "environment" : "product"));
            return taken;
        }

        public string Text(string path, string given, string taken, string origin)
        {
            if (given.Length > 0)
            {
                return given;
            }
            _filled.Add(new FilledDefault(path, taken, origin));
            return taken;
        }

        public ImmutableArray<FilledDefault> ToImmutable() => [.. _filled];

        private static string Shown(object? value) => value switch
        {
            TimeSpan span => span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + "s",
            StepPlan step => step.Group ?? (step.Share ?? 0).ToString("0.##%", CultureInfo.InvariantCulture),
            CheckPlan check => check.Name,
            bool flag => flag ? "true" : "false",
            Enum word => word.ToString().ToLowerInvariant(),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value?.ToString() ?? "",
        };
    }
}
