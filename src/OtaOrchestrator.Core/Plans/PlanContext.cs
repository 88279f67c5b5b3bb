using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Plans;

/// <summary>What a plan is checked against: the environment's policy, and what it knows of a target.</summary>
public sealed record PlanContext
{
    public EnvironmentPolicy Policy { get; init; } = EnvironmentPolicy.Default;

    /// <summary>Null for a target that does not exist.</summary>
    public required Func<string, PlanTarget?> Target { get; init; }

    /// <summary>A step may name a test that only the environment knows.</summary>
    public bool UnknownTests { get; init; }

    /// <summary>The rollout is to turn round before it reaches an ordinary user.</summary>
    public bool Rehearsal { get; init; }

    /// <summary>For checks without a server: every target exists and can do everything its kind can. What a certain target can't, only its environment knows.</summary>
    public static PlanContext Offline(Func<string, TargetKind> kindOf)
    {
        var traffic = new Capabilities { PerVariantMetrics = true, CompareAndSwap = true, Features = new HashSet<string>(PlanFeatures.OfTraffic, StringComparer.Ordinal) };
        var fleet = new Capabilities { Groups = true, ShareStep = 1.0 / Cohorts.Count, Features = new HashSet<string>(PlanFeatures.OfFleets, StringComparer.Ordinal) };
        return new() { UnknownTests = true, Target = name => new PlanTarget(kindOf(name), kindOf(name) == TargetKind.Fleet ? fleet : traffic) };
    }
}

/// <param name="CurrentVersion">Of the release that the target runs; null when it is not known.</param>
public sealed record PlanTarget(TargetKind Kind, Capabilities Capabilities, string? CurrentVersion = null);

/// <summary>What a target must declare in <see cref="Capabilities.Features"/> before a plan may use it.</summary>
public static class PlanFeatures
{
    public const string Test = "test";
    public const string Window = "window";
    public const string Exclude = "exclude";
    public const string RatePerMinuteMax = "ratePerMinuteMax";
    public const string TailMax = "tailMax";
    public const string StickyFor = "stickyFor";
    public const string Lease = "leaseFor";
    public const string Mirror = "mirror";

    public static readonly IReadOnlyList<string> OfTraffic = [Test, StickyFor, Lease, Mirror];
    public static readonly IReadOnlyList<string> OfFleets = [Window, Exclude, RatePerMinuteMax, TailMax];
}
