using System.Collections.Immutable;

namespace OtaOrchestrator.Core.Plans;

/// <summary>
/// The whole intent of a rollout as data. The names are those of <c>ota.v1.Plan</c>. A value that the file leaves out is null
/// until <see cref="PlanDefaults"/> fills it from the environment.
/// </summary>
public sealed record Plan
{
    public string Name { get; init; } = "";
    public string? Timezone { get; init; }
    public ImmutableArray<LanePlan> Lanes { get; init; } = [];
    public JudgePlan Judge { get; init; } = new();
    public RollbackPlan Rollback { get; init; } = new();
}

/// <summary>One target's part of a plan.</summary>
public sealed record LanePlan
{
    /// <summary>Unique in the plan; the target's name when left out.</summary>
    public string Name { get; init; } = "";
    public string Target { get; init; } = "";

    /// <summary><c>name@version</c>.</summary>
    public string Release { get; init; } = "";

    /// <summary><c>name@version</c>; the target's current release when left out.</summary>
    public string? Fallback { get; init; }

    /// <summary>For example <c>thermostat-api &gt;= 5</c>: the only source of the undo order.</summary>
    public ImmutableArray<string> Needs { get; init; } = [];
    public ImmutableArray<string> Exclude { get; init; } = [];
    public WindowPlan? Window { get; init; }
    public int? RatePerMinuteMax { get; init; }
    public ImmutableArray<StepPlan> Steps { get; init; } = [];

    /// <summary>How long the judge stays armed after the last step.</summary>
    public TimeSpan? GuardAfter { get; init; }

    /// <summary>How long a confirmed device must stay healthy before it counts.</summary>
    public TimeSpan? ObserveFor { get; init; }
    public ImmutableArray<CheckPlan> Checks { get; init; } = [];
    public CompletePlan? Complete { get; init; }
}

/// <summary>An exposure to reach, a bake, the evidence it needs, an optional pause. Exactly one of share and group is set.</summary>
public sealed record StepPlan
{
    /// <summary>Cumulative, 0 to 1.</summary>
    public double? Share { get; init; }

    /// <summary>A named group of devices; first step only.</summary>
    public string? Group { get; init; }
    public TimeSpan? BakeMin { get; init; }

    /// <summary>When the evidence is still missing after this, the lane is held.</summary>
    public TimeSpan? BakeMax { get; init; }
    public long? RequestsMin { get; init; }
    public long? ConfirmedMin { get; init; }

    /// <summary><c>name-n</c>: n persons of that role must approve before the step; the one who started does not count.</summary>
    public string? Approval { get; init; }
    public string? Test { get; init; }

    /// <summary>Wait for <c>promote</c> after the bake.</summary>
    public bool Pause { get; init; }

    /// <summary>Share of the reachable offered devices that must be resolved before the next step, 0 to 1.</summary>
    public double? Reach { get; init; }
}

/// <summary>What is watched. Limits end in Min or Max.</summary>
public sealed record CheckPlan
{
    public string Name { get; init; } = "";

    /// <summary><c>router</c> or <c>devices</c>.</summary>
    public string Source { get; init; } = "";

    /// <summary><c>baseline</c> or nothing.</summary>
    public string? Against { get; init; }

    /// <summary>Candidate's error ratio over the baseline's.</summary>
    public double? RatioMax { get; init; }

    /// <summary>Candidate's share of failed requests, 0 to 1.</summary>
    public double? ErrorsMax { get; init; }

    /// <summary>Share of failed devices, 0 to 1.</summary>
    public double? FailuresMax { get; init; }

    /// <summary>Candidate's 99th percentile, milliseconds.</summary>
    public double? P99MsMax { get; init; }

    /// <summary>Evidence without which the check is inconclusive: candidate requests, or resolved devices.</summary>
    public long? SamplesMin { get; init; }
    public TimeSpan? SilentAfter { get; init; }
    public TimeSpan? Interval { get; init; }
}

public sealed record WindowPlan(string From, string To, string? Clock);

public sealed record CompletePlan
{
    public double? ConfirmedMin { get; init; }
    public string? Of { get; init; }
    public TimeSpan? TailMax { get; init; }
}

public enum OnVerdict { Hold, Rollback }

public sealed record JudgePlan
{
    /// <summary>Probability of ever aborting a good release, per rollout.</summary>
    public double? FalseAbortMax { get; init; }
    public OnVerdict? NoData { get; init; }
    public OnVerdict? Unhealthy { get; init; }
}

public sealed record RollbackPlan
{
    /// <summary>How long after success the way back stays open.</summary>
    public TimeSpan? UntilAfter { get; init; }
    public bool? IgnoreWindow { get; init; }
    public int? RatePerMinuteMax { get; init; }

    /// <summary>The return's own waves: cumulative shares of what was exposed; the last is 1.</summary>
    public ImmutableArray<double> Shares { get; init; } = [];

    /// <summary>Share of devices that may fail to return before a person is called.</summary>
    public double? FailuresMax { get; init; }

    /// <summary>How long a lane that another one waits for may take before its remainder becomes the tail.</summary>
    public TimeSpan? UndoWait { get; init; }
}
