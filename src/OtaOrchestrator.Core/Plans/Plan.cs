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

    /// <summary>Traffic: how long a client stays on the side that it was given.</summary>
    public TimeSpan? StickyFor { get; init; }

    /// <summary>Traffic: a partial exposure that the orchestrator has not renewed for so long falls to <see cref="OnControllerLoss"/>.</summary>
    public TimeSpan? LeaseFor { get; init; }

    /// <summary><c>hold</c> or <c>return</c>.</summary>
    public string? OnControllerLoss { get; init; }
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
    /// <summary>The check with <c>when: test</c> that must be healthy before the next step.</summary>
    public string? Test { get; init; }

    /// <summary>Wait for <c>promote</c> after the bake.</summary>
    public bool Pause { get; init; }

    /// <summary>Share of the reachable offered devices that must be resolved before the next step, 0 to 1.</summary>
    public double? Reach { get; init; }

    /// <summary>Traffic: share of the baseline's requests that is copied to the candidate, its answers dropped, 0 to 1.</summary>
    public double? Mirror { get; init; }

    /// <summary>Users or devices reach the candidate, and can be counted.</summary>
    public bool Exposes() => this is not { Share: 0, Group: null };

    public Ports.TargetStep ToTarget() => new(Share ?? 0, Group) { Mirror = Mirror ?? 0 };
}

/// <summary>What is watched. Limits end in Min or Max.</summary>
public sealed record CheckPlan
{
    public string Name { get; init; } = "";

    /// <summary>One of <see cref="CheckSources"/>.</summary>
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

    /// <summary>Router: <c>errors</c> or <c>latency</c>, which counts requests slower than the stable 99th percentile as errors.</summary>
    public string? Metric { get; init; }

    /// <summary><c>exposed</c>: from the first exposure to the end of the guard. <c>test</c>: at the steps that name it.</summary>
    public string? When { get; init; }

    /// <summary>Probes and queries. <c>{candidate}</c> and <c>{baseline}</c> stand for each address of that release.</summary>
    public string? Url { get; init; }

    /// <summary>Prometheus, where <c>{candidate}</c> and <c>{baseline}</c> stand for the releases; CloudWatch, see <see cref="MetricQuery"/>.</summary>
    public string? Query { get; init; }

    /// <summary>CloudWatch: an alarm's name or ARN.</summary>
    public string? Alarm { get; init; }

    /// <summary>The name that the gRPC health service is asked for.</summary>
    public string? Service { get; init; }
    public double? ValueMax { get; init; }
    public double? ValueMin { get; init; }

    /// <summary>Of one reading.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Probes and queries: one more failed reading in a row condemns.</summary>
    public int? FailuresInRowMax { get; init; }

    /// <summary>What follows when there is nothing to tell from; the judge's when left out.</summary>
    public OnVerdict? NoData { get; init; }

    /// <summary>Judged and shown, but nothing follows from it.</summary>
    public bool DryRun { get; init; }

    /// <summary>Its readings come from an address, not from the target.</summary>
    public bool Asks() => CheckSources.Asked.Contains(Source);

    /// <summary>Looked at only by the steps that name it.</summary>
    public bool IsTest() => When == "test";
}

/// <summary>Where a check's readings come from.</summary>
public static class CheckSources
{
    /// <summary>What the router counts, per side.</summary>
    public const string Router = "router";
    public const string Devices = "devices";
    public const string Http = "http";
    public const string Grpc = "grpc";
    public const string Prometheus = "prometheus";
    public const string Webhook = "webhook";

    /// <summary>An alarm, or a metric of <see cref="MetricQuery"/>.</summary>
    public const string CloudWatch = "cloudwatch";

    /// <summary>Those that are asked beside the target.</summary>
    public static readonly IReadOnlyList<string> Asked = [Http, Grpc, Prometheus, Webhook, CloudWatch];
    public static readonly IReadOnlyList<string> All = [Router, Devices, .. Asked];

    /// <summary>TLS to anybody; plaintext on this machine only. Null for what is not asked.</summary>
    public static Uri? Address(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) && address.UserInfo.Length == 0
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)) ? address : null;
}

public sealed record WindowPlan(string From, string To, string? Clock);

public sealed record CompletePlan
{
    public double? ConfirmedMin { get; init; }
    public string? Of { get; init; }
    public TimeSpan? TailMax { get; init; }
}

/// <summary>What follows from a verdict: wait for evidence to the contrary, go back, wait for a person, or nothing.</summary>
public enum OnVerdict { Hold, Rollback, Freeze, Ignore }

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
