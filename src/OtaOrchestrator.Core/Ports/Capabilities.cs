namespace OtaOrchestrator.Core.Ports;

/// <summary>How a target goes back: at once, by deploying again, or not at all.</summary>
public enum RestoreKind { Instant, Redeploy, None }

/// <summary>What a target can do, declared by its adapter and checked against the plan before a rollout is created.</summary>
public sealed record Capabilities
{
    /// <summary>The largest share below 1 that the target can hold: 0 for a target that knows only {0, 1}, 0.15 for CloudFront, 1 for a router.</summary>
    public double PartialShareMax { get; init; } = 1;

    /// <summary>Shares are multiples of this; 0 means any. A fleet's is 0.01, one cohort.</summary>
    public double ShareStep { get; init; }

    /// <summary>A step may name a group instead of a share.</summary>
    public bool Groups { get; init; }

    /// <summary>The target keeps a partial exposure for as long as it is asked to.</summary>
    public bool CanHold { get; init; } = true;

    /// <summary>Exposure in progress can be stopped and continued.</summary>
    public bool CanPause { get; init; } = true;

    /// <summary>A rollout may take over from one that has exposed something here, and return what that one had brought.</summary>
    public bool CanBeTakenOver { get; init; } = true;

    public RestoreKind Restore { get; init; } = RestoreKind.Instant;

    /// <summary>Requests, errors and latency are known for candidate and baseline apart.</summary>
    public bool PerVariantMetrics { get; init; }

    /// <summary>Writes are fenced by the target itself, so that a late one is refused.</summary>
    public bool CompareAndSwap { get; init; }

    /// <summary>Plan features beyond steps and checks that the target honours, for example <c>window</c> or <c>exclude</c>. A plan that uses another is refused.</summary>
    public IReadOnlySet<string> Features { get; init; } = new HashSet<string>(StringComparer.Ordinal);
}
