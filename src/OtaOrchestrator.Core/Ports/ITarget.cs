namespace OtaOrchestrator.Core.Ports;

/// <summary>
/// What a rollout changes: a traffic target or a fleet. Every write is absolute, may be repeated, and carries a fence;
/// what holds is known only from a read. A method throws <see cref="TargetException"/> for what the target refuses, and I/O exceptions for the rest.
/// A target that is changed by others too throws <see cref="DriftException"/> when it is neither as it was last seen nor as it is to be, and writes nothing then;
/// only <see cref="RestoreAsync"/> goes on, for it is what protects users.
/// </summary>
public interface ITarget
{
    Capabilities Capabilities { get; }

    /// <summary>Says whom each step of the order would reach, before anything is done. Reads only, in a number of calls that does not grow with the fleet.</summary>
    Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>Makes the candidate ready without exposing anybody to it, and says how many members (devices; 0 for traffic) the target has.</summary>
    Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>Offers the candidate to everything up to and including <see cref="TargetOrder.Step"/>. Never lowers exposure.</summary>
    Task ExposeAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>Reads whether the exposure of <see cref="TargetOrder.Step"/> holds.</summary>
    Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>
    /// Says that the orchestrator is still there, before <see cref="TargetOrder.Lease"/> runs out, and finds out whether somebody else has changed what was last seen.
    /// </summary>
    Task RenewAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>Stops offering the candidate to more; what has it keeps it. A target without anything queued does nothing.</summary>
    Task HoldAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>Makes the candidate what the target runs, while the way back stays open.</summary>
    Task PromoteAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>Withdraws the candidate everywhere and returns <see cref="TargetOrder.RestoreShare"/> of what was exposed to the fallback. Needs no health data.</summary>
    Task RestoreAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>Reads how far the return is; also withdraws nothing and starts nothing.</summary>
    Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>What users or devices show now, for the judge. Null where the target has nothing to show.</summary>
    Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation);

    /// <summary>Who made a change that was found; empty while nobody knows. It may be known only minutes later.</summary>
    Task<string> AuthorAsync(TargetOrder order, Drift drift, CancellationToken cancellation) => Task.FromResult("");
}

/// <summary>Orders of writes to one target: a write with a lower fence than the last accepted one is refused.</summary>
/// <param name="Epoch">Grows with every rollout that takes the target.</param>
/// <param name="Revision">The rollout's revision in which the write was decided.</param>
public readonly record struct Fence(long Epoch, long Revision) : IComparable<Fence>
{
    public int CompareTo(Fence other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Revision.CompareTo(other.Revision);
    public static bool operator <(Fence left, Fence right) => left.CompareTo(right) < 0;
    public static bool operator >(Fence left, Fence right) => left.CompareTo(right) > 0;
    public static bool operator <=(Fence left, Fence right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Fence left, Fence right) => left.CompareTo(right) >= 0;
}

/// <summary>A release as a target needs it.</summary>
/// <param name="Name">For example <c>thermostat-fw</c>.</param>
/// <param name="Version">For example <c>2.4.0</c>.</param>
/// <param name="Digest"><c>sha256:</c> and 64 hex digits: of the image, or of the back end's canonical description.</param>
public sealed record TargetRelease(string Name, string Version, string Digest)
{
    /// <summary>Where a back-end release answers.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>What a back-end release is for targets that are not reached by an address: the kind of target (<c>lambda</c>) to a URI.</summary>
    public IReadOnlyDictionary<string, string> Artifacts { get; init; } = new Dictionary<string, string>();

    /// <summary>The signed update document for a fleet, as JSON of at most 32,768 characters.</summary>
    public string? Document { get; init; }

    /// <summary>
    /// What FreeRTOS's OTA agent is offered, in place of a document. Of a fallback it is its twin, where the agents refuse a lower version: the same code under a version above the
    /// candidate's.
    /// </summary>
    public OtaImage? Image { get; init; }

    public override string ToString() => $"{Name}@{Version}";
}

/// <summary>An image as FreeRTOS's OTA agent takes it.</summary>
/// <param name="Version">That it says of itself, to be compared with the one that runs.</param>
/// <param name="Sha256">64 hex digits.</param>
/// <param name="Signature">ECDSA P-256 over the SHA-256 of the exact image, DER in base64.</param>
public sealed record OtaImage(string Version, string Sha256, string Signature);

/// <summary>What a superseded rollout had offered on a target.</summary>
/// <param name="Release"><c>name@version</c>.</param>
/// <param name="Share">Of users or devices, at most, 0 to 1.</param>
/// <param name="Groups">Named groups of devices.</param>
public sealed record Predecessor(string Rollout, string Lane, string Release, string Digest, double Share, IReadOnlyList<string> Groups);

/// <summary>One step of a lane as the target sees it: a cumulative share, or a named group of devices.</summary>
public readonly record struct TargetStep(double Share, string? Group)
{
    /// <summary>Share of the fallback's requests that is copied to the candidate, whose answers are dropped.</summary>
    public double Mirror { get; init; }
}

/// <summary>What a target does with a partial exposure when the orchestrator is lost.</summary>
/// <param name="For">Counted from the last write or renewal.</param>
/// <param name="Return">Everybody to the fallback; otherwise the shares stay as they are.</param>
public readonly record struct Lease(TimeSpan For, bool Return);

/// <summary>Everything that one call to a target needs, fixed when the call was decided.</summary>
public sealed record TargetOrder
{
    public required string Environment { get; init; }
    public required string Target { get; init; }
    public required string Rollout { get; init; }
    public required string Lane { get; init; }
    public required Fence Fence { get; init; }
    public required TargetRelease Candidate { get; init; }
    public required TargetRelease Fallback { get; init; }

    /// <summary>What the rollouts that this one took over had offered here and the target may still run in part, the earliest first.</summary>
    public IReadOnlyList<Predecessor> Predecessors { get; init; } = [];

    /// <summary>What <see cref="Preparation.Before"/> said: how the target was before this rollout touched it; null where it says nothing.</summary>
    public string? Before { get; init; }

    /// <summary>What the target last showed when it was as it should be, and the condition of the next write; null where it says nothing.</summary>
    public string? Seen { get; init; }

    /// <summary>What puts a fleet's cohorts in order: a rollout that took over begins with the devices that were reached already.</summary>
    public string Seed => Predecessors.Count > 0 ? Predecessors[0].Rollout : Rollout;

    public required IReadOnlyList<TargetStep> Steps { get; init; }

    /// <summary>The step to expose, or when restoring the highest step that was ordered; -1 for none.</summary>
    public required int Step { get; init; }

    /// <summary>Counts pauses: a fleet's resumed step is a new attempt.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>How much of what was exposed is to return in this part of the rollback, 0 to 1.</summary>
    public double RestoreShare { get; init; } = 1;

    public int? RatePerMinuteMax { get; init; }

    /// <summary>How long a client stays on the side that it was given.</summary>
    public TimeSpan? StickyFor { get; init; }
    public Lease? Lease { get; init; }

    /// <summary>How long a confirmed device must stay healthy before it counts.</summary>
    public TimeSpan ObserveFor { get; init; }

    /// <summary>A started or confirmed device that was not heard of for longer is silent; one heard of within it is reachable.</summary>
    public TimeSpan SilentAfter { get; init; } = TimeSpan.FromMinutes(30);

    public double Share => Step < 0 ? 0 : Steps[Step].Share;
}

/// <param name="Members">Devices that the target has; 0 for traffic.</param>
/// <param name="Problem">Null when ready; otherwise why the candidate can't be exposed here.</param>
/// <param name="Before">How the target was before, in the target's own words, to return to exactly that; kept with the rollout.</param>
/// <param name="Seen">How it is now, in the target's own words.</param>
/// <param name="Pending">What is still being done, for people; null when it is done. The preparation is asked for again.</param>
public sealed record Preparation(long Members, string? Problem = null, string? Before = null, string? Seen = null, string? Pending = null);

/// <param name="Members">Devices that the target has; 0 for traffic.</param>
/// <param name="Steps">One for each step.</param>
public sealed record Forecast(long Members, IReadOnlyList<StepForecast> Steps);

/// <param name="Added">Devices that the step adds; 0 for traffic.</param>
/// <param name="Who">Which devices or requests, for people.</param>
public readonly record struct StepForecast(long Added, string Who);

/// <param name="Agrees">The exposure asked for holds.</param>
/// <param name="Share">The exposure that holds, 0 to 1.</param>
/// <param name="Offered">Devices with an execution.</param>
/// <param name="Eligible">Devices that should have one.</param>
/// <param name="Seen">How the target is, in its own words.</param>
public sealed record Reading(bool Agrees, double Share, string Detail, long Offered = 0, long Eligible = 0, string? Seen = null);

/// <summary>How far a return is. Traffic has counts of 0.</summary>
/// <param name="Agrees">Nothing reachable runs the candidate any more within the share asked for, and nothing is offered.</param>
/// <param name="Candidate">Reachable devices that still run the candidate.</param>
/// <param name="Returned">Devices that run the fallback again.</param>
/// <param name="Failed">Devices that tried to return and failed.</param>
/// <param name="Tail">Exposed devices that are not heard of, or failed to return.</param>
public sealed record Restoration(bool Agrees, string Detail, long Candidate = 0, long Returned = 0, long Failed = 0, long Tail = 0);

/// <summary>A change of a target that no rollout made.</summary>
/// <param name="What">For people: what was changed, from what to what.</param>
/// <param name="Share">The candidate's share now, 0 to 1.</param>
/// <param name="Seen">How the target is now, in its own words: who takes or accepts this has seen it.</param>
/// <param name="Author">Who did it; empty while nobody knows.</param>
public sealed record Drift(string What, double Share, string Seen, string Author = "");

/// <summary>Somebody else has changed the target. Nothing was written.</summary>
public sealed class DriftException(Drift drift) : Exception(drift.What)
{
    public Drift Drift { get; } = drift;
}

/// <summary>The target refused, and repeating will not help.</summary>
public sealed class TargetException : Exception
{
    public TargetException(string message) : base(message) { }
    public TargetException(string message, Exception inner) : base(message, inner) { }
    public TargetException() { }
}
