using System.Collections.Immutable;
using Google.Protobuf;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Server.Store;
using Environment = OtaOrchestrator.Protocol.V1.Environment;
using Wire = OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Environments;

/// <summary>An environment's defaults are parts of a plan, so the plan's reader reads them.</summary>
internal static class Policies
{
    public static EnvironmentPolicy Of(EnvironmentRow row) => Of(JsonParser.Default.Parse<Environment>(row.Spec)).Policy!;

    public static ImmutableArray<PlanViolation> Problems(Environment environment)
    {
        var problems = Of(environment).Problems;
        foreach (var (name, value) in ((string, double?)[])[("caps.firstStepMax", environment.Caps is { HasFirstStepMax: true } ? environment.Caps.FirstStepMax : null), ("caps.jumpMax", environment.Caps is { HasJumpMax: true } ? environment.Caps.JumpMax : null)])
        {
            if (value is <= 0 or > 1 || value is { } number && double.IsNaN(number))
            {
                problems = problems.Add(new PlanViolation(name, "is more than 0 and at most 1"));
            }
        }
        return environment.Title.Length > 200 ? problems.Add(new PlanViolation("title", "is longer than 200 characters")) : problems;
    }

    private static (EnvironmentPolicy? Policy, ImmutableArray<PlanViolation> Problems) Of(Environment environment)
    {
        var defaults = environment.Defaults ?? new Wire.EnvironmentDefaults();
        var plan = new Wire.Plan { Name = "defaults", Judge = defaults.Judge, Rollback = defaults.Rollback };
        plan.Lanes.Add(new Wire.LanePlan { Target = "traffic", Steps = { defaults.TrafficSteps }, Checks = { defaults.TrafficChecks } });
        plan.Lanes.Add(new Wire.LanePlan { Target = "fleet", Steps = { defaults.FleetSteps }, Checks = { defaults.FleetChecks } });
        var reading = PlanText.Parse(JsonFormatter.Default.Format(plan));
        if (reading.Plan is not { } read)
        {
            return (null, [.. reading.Violations.Select(violation => violation with { Path = "defaults." + violation.Path, Line = 0 })]);
        }
        return (new EnvironmentPolicy
        {
            FirstStepMax = environment.Caps is { HasFirstStepMax: true } ? environment.Caps.FirstStepMax : 1,
            JumpMax = environment.Caps is { HasJumpMax: true } ? environment.Caps.JumpMax : 1,
            TrafficSteps = read.Lanes[0].Steps,
            TrafficChecks = read.Lanes[0].Checks,
            FleetSteps = read.Lanes[1].Steps,
            FleetChecks = read.Lanes[1].Checks,
            Judge = read.Judge,
            Rollback = read.Rollback,
        }, []);
    }
}
