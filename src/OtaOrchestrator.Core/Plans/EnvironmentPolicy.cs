using System.Collections.Immutable;

namespace OtaOrchestrator.Core.Plans;

/// <summary>What an environment says for every plan: caps that a plan may not exceed, and defaults for what it leaves out.</summary>
public sealed record EnvironmentPolicy
{
    /// <summary>Largest share of the first step that exposes anybody, 0 to 1.</summary>
    public double FirstStepMax { get; init; } = 1;

    /// <summary>Largest difference between two steps, 0 to 1.</summary>
    public double JumpMax { get; init; } = 1;
    public ImmutableArray<StepPlan> TrafficSteps { get; init; } = [];
    public ImmutableArray<StepPlan> FleetSteps { get; init; } = [];
    public ImmutableArray<CheckPlan> TrafficChecks { get; init; } = [];
    public ImmutableArray<CheckPlan> FleetChecks { get; init; } = [];
    public JudgePlan Judge { get; init; } = new();
    public RollbackPlan Rollback { get; init; } = new();

    /// <summary>The product's own defaults.</summary>
    public static readonly EnvironmentPolicy Default = new()
    {
        TrafficSteps =
        [
            new StepPlan { Share = 0 },
            new StepPlan { Share = 0.05, BakeMin = TimeSpan.FromMinutes(30), RequestsMin = 500 },
            new StepPlan { Share = 0.25, BakeMin = TimeSpan.FromMinutes(30), RequestsMin = 500 },
            new StepPlan { Share = 1, BakeMin = TimeSpan.FromMinutes(30), RequestsMin = 500 },
        ],
        FleetSteps =
        [
            new StepPlan { Share = 0.01, BakeMin = TimeSpan.FromHours(1) },
            new StepPlan { Share = 0.1, BakeMin = TimeSpan.FromHours(4) },
            new StepPlan { Share = 0.5, BakeMin = TimeSpan.FromHours(4) },
            new StepPlan { Share = 1, BakeMin = TimeSpan.FromHours(4) },
        ],
        TrafficChecks = [new CheckPlan { Name = "errors", Source = "router", ErrorsMax = 0.01, SamplesMin = 200 }],
        FleetChecks = [new CheckPlan { Name = "install", Source = "devices", FailuresMax = 0.02, SilentAfter = TimeSpan.FromMinutes(30) }],
        Judge = new JudgePlan { FalseAbortMax = 0.01, NoData = OnVerdict.Hold, Unhealthy = OnVerdict.Rollback },
        Rollback = new RollbackPlan
        {
            UntilAfter = TimeSpan.FromHours(72),
            IgnoreWindow = true,
            Shares = [0.1, 1],
            FailuresMax = 0.1,
            UndoWait = TimeSpan.FromMinutes(30),
        },
    };
}
