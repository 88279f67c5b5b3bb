using System.Collections.Immutable;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>What can be said of a plan without a server: its defaults are the product's, its targets are what the plan treats them as.</summary>
internal sealed record PlanCheck(Plan Filled, ImmutableArray<FilledDefault> Defaults)
{
    /// <summary>Filled and valid; every violation at once as a <see cref="CliFailure"/> otherwise.</summary>
    public static PlanCheck Valid(Plan plan)
    {
        TargetKind KindOf(string target) => plan.Lanes.FirstOrDefault(lane => lane.Target == target) is { } lane && IsFleet(lane) ? TargetKind.Fleet : TargetKind.Traffic;
        var (filled, defaults) = PlanDefaults.Fill(plan, new EnvironmentPolicy(), KindOf);
        var violations = PlanValidator.Validate(filled, PlanContext.Offline(KindOf));
        return violations.IsEmpty ? new PlanCheck(filled, defaults) : throw PlanSource.Refuse(violations);
    }

    /// <summary>Only devices are grouped, confirm, and have windows; without any of that, firmware is told by its name.</summary>
    private static bool IsFleet(LanePlan lane) =>
        lane.Window is not null || lane.RatePerMinuteMax is not null || lane.Complete is not null || lane.ObserveFor is not null
        || lane.Checks.Any(check => check.Source == "devices")
        || lane.Steps.Any(step => step.Group is not null || step.ConfirmedMin is not null || step.Reach is not null)
        || (lane.Checks.IsDefaultOrEmpty && ReleaseName.Parse(lane.Release) is { } release && (release.Name.EndsWith("-fw", StringComparison.Ordinal) || release.Name.Contains("firmware", StringComparison.Ordinal)));
}
