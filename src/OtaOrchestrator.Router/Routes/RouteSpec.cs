using System.Text.Json.Serialization;

namespace OtaOrchestrator.Router.Routes;

/// <summary>What the orchestrator asks for, whole and absolute. Nothing of an earlier request is kept.</summary>
internal sealed record RouteSpec
{
    public required Fence Fence { get; init; }
    public required Variant Baseline { get; init; }
    public Variant? Candidate { get; init; }

    /// <summary>Share of the requests that the candidate answers, 0 to 1.</summary>
    public double CandidateWeight { get; init; }

    public Lease? Lease { get; init; }

    /// <summary>How long a client keeps the number that decides its side; absent when each request is drawn for itself.</summary>
    // Left out when not used, so that the router before this one can read the state again.
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? StickySeconds { get; init; }

    /// <summary>Share of the baseline's requests of which the candidate gets a copy, 0 to 1; its answers are dropped.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Mirror { get; init; }

    /// <summary>A request that shows it in <c>x-ota-preview</c> is answered by the candidate, whatever the weight. Never shown again.</summary>
    public string? PreviewToken { get; init; }
}

/// <summary>Orders of writes: a lower fence than the stored one is refused.</summary>
internal readonly record struct Fence : IComparable<Fence>
{
    [JsonConstructor]
    public Fence(long epoch, long revision) => (Epoch, Revision) = (epoch, revision);

    /// <summary>Grows with each rollout that takes the route.</summary>
    [JsonRequired]
    public long Epoch { get; init; }

    /// <summary>The rollout's revision in which the write was decided.</summary>
    [JsonRequired]
    public long Revision { get; init; }

    public int CompareTo(Fence other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Revision.CompareTo(other.Revision);
    public static bool operator <(Fence left, Fence right) => left.CompareTo(right) < 0;
    public static bool operator >(Fence left, Fence right) => left.CompareTo(right) > 0;
    public override string ToString() => $"({Epoch}, {Revision})";
}

/// <param name="Release">For example <c>thermostat-api@5.0.3</c>.</param>
/// <param name="Addresses">Origins that answer for it, for example <c>https://10.0.0.7:9001</c>.</param>
internal sealed record Variant(string Release, IReadOnlyList<string> Addresses);

/// <summary>How long an exposure outlives silence of the orchestrator. Each accepted or repeated PUT renews it.</summary>
internal sealed record Lease(int Seconds, OnLoss OnLoss);

/// <param name="Epoch">Of the rollout that holds the route.</param>
internal sealed record LeaseRenewal(long Epoch);

/// <summary>What happens when a lease runs out: the weights stay, or the baseline gets everything back.</summary>
internal enum OnLoss { Hold, Return }

internal enum Side { Baseline, Candidate, Preview, Mirror }
