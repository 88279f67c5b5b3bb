using System.Collections.Immutable;
using System.Text.Json.Serialization;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Rollouts;

/// <summary>Who did something: a person by the name in the certificate, or a part of the product.</summary>
public readonly record struct Actor(string Name)
{
    public static readonly Actor Judge = new("system:judge");
    public static readonly Actor Orchestrator = new("system:orchestrator");

    public override string ToString() => Name;
}

/// <summary>A rollout at one revision: the plan with every default filled in, and its lanes in the plan's order.</summary>
public sealed record Rollout
{
    public required string Environment { get; init; }
    public required string Id { get; init; }
    public required Plan Plan { get; init; }
    public required ImmutableArray<Lane> Lanes { get; init; }
    public required Actor StartedBy { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
    public long Revision { get; init; }
    public ImmutableArray<Approval> Approvals { get; init; } = [];

    /// <summary>Goes there and back without reaching an ordinary user, to show that the way back works.</summary>
    public bool Rehearsal { get; init; }

    /// <summary>The rollout whose targets and last good releases this one took over; empty for none.</summary>
    public string Supersedes { get; init; } = "";

    /// <summary>The rollout that took over.</summary>
    public string SupersededBy { get; init; } = "";

    /// <summary>Why it was taken back, held, frozen or refused; empty while all is well.</summary>
    public string Cause { get; init; } = "";

    /// <summary>The state that the lanes add up to: the one that most wants attention.</summary>
    [JsonIgnore]
    public LaneState State => Lifecycle.Derive(Lanes);

    /// <summary>No lane has anything left to do or to guard; the targets are free. A tail may still be followed.</summary>
    [JsonIgnore]
    public bool Ended => Lanes.All(lane => lane.Ended);

    public Lane Lane(string name) => Lanes.First(lane => lane.Name == name);
}

/// <summary>One person's consent to one step.</summary>
public sealed record Approval(Actor Actor, string Lane, int Step, string Name, DateTimeOffset At);

/// <summary>One target's part of a rollout, with its own state.</summary>
public sealed record Lane
{
    public required string Name { get; init; }
    public required string Target { get; init; }

    /// <summary>What the target is in this environment: the router's route, or the fleet's thing group.</summary>
    public string Place { get; init; } = "";
    public required TargetKind Kind { get; init; }
    public required TargetRelease Candidate { get; init; }
    public required TargetRelease Fallback { get; init; }

    /// <summary>What the rollouts that this one took over had offered here, the earliest first; null for nothing.</summary>
    public ImmutableArray<Predecessor>? Predecessors { get; init; }

    /// <summary>Of the target, when this rollout took it.</summary>
    public required long Epoch { get; init; }
    public required LanePlan Plan { get; init; }

    /// <summary>Lanes that must be undone before this one.</summary>
    public ImmutableArray<string> UndoAfter { get; init; } = [];

    public LaneState State { get; init; } = LaneState.Pending;

    /// <summary>The step that was ordered last; -1 before the first.</summary>
    public int Step { get; init; } = -1;

    /// <summary>Counts resumptions. What was seen in an earlier attempt and not committed belongs to that one.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>The share that a read-back confirmed, 0 to 1.</summary>
    public double Share { get; init; }

    /// <summary>Healthy time of the current step or guard, summed over looks, so that no jump of the clock adds to it.</summary>
    public TimeSpan Baked { get; init; }

    /// <summary>Time spent on the current step without enough evidence.</summary>
    public TimeSpan Waited { get; init; }
    public int HealthyEvaluations { get; init; }
    public DateTimeOffset LookedAt { get; init; }
    public Judgement? Judgement { get; init; }

    /// <summary>Of all committed looks since the first exposure. It outlives steps, pauses and waits.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>What the fleet showed at the look that condemned it.</summary>
    public FleetObservation? Condemned { get; init; }

    /// <summary>What the fleet had shown when a person went on in spite of the judge: it is no longer held against the candidate.</summary>
    public FleetObservation? Overruled { get; init; }

    /// <summary>What the target showed when the current step was reached.</summary>
    public Observation? Since { get; init; }
    public LaneState? ResumeTo { get; init; }

    /// <summary>Index into the rollback's shares.</summary>
    public int UndoStep { get; init; }

    /// <summary>One call to the target is given up after this; fixed when the rollout is created.</summary>
    public TimeSpan? CallTimeout { get; init; }

    /// <summary>How long the return must stay as it should be, so that a late forward call would show.</summary>
    public TimeSpan Settle { get; init; }

    /// <summary>How the target was before this rollout touched it, in the target's own words.</summary>
    public string? Before { get; init; }

    /// <summary>What the target last showed when it was as it should be, or what a person has seen of a change.</summary>
    public string? Seen { get; init; }

    /// <summary>What somebody else has changed, while nobody has taken or accepted it.</summary>
    public Drift? Drift { get; init; }

    /// <summary>A person stopped the rollback.</summary>
    public bool Halted { get; init; }
    public long Tail { get; init; }
    public bool GuardOver { get; init; }
    public string Cause { get; init; } = "";
    public string Detail { get; init; } = "";
    public DateTimeOffset? SucceededAt { get; init; }
    public DateTimeOffset? RestoreUntil { get; init; }
    public DateTimeOffset? RestoredAt { get; init; }

    /// <summary>From the decision to return to the read-back of it, on a clock that does not jump.</summary>
    public TimeSpan? ReturnTook { get; init; }

    /// <summary>Somebody was, or may have been, offered the candidate, or that of the rollout which this one took over.</summary>
    [JsonIgnore]
    public bool Exposed => Step >= 0 || Predecessors is not null;

    [JsonIgnore]
    public bool Ended => State switch
    {
        LaneState.Refused or LaneState.Cancelled or LaneState.Superseded => true,
        LaneState.Succeeded => GuardOver,
        LaneState.RolledBack => true,
        _ => false,
    };

    /// <summary>Time between two looks of the judge.</summary>
    [JsonIgnore]
    public TimeSpan Interval => Plan.Checks.Select(check => check.Interval).Where(interval => interval is not null).Min() ?? TimeSpan.FromSeconds(30);

    /// <summary>The return's own waves. Traffic goes back at once.</summary>
    public ImmutableArray<double> UndoShares(Plan plan) => Kind == TargetKind.Traffic || plan.Rollback.Shares.IsDefaultOrEmpty ? [1] : plan.Rollback.Shares;

    public TargetOrder Order(Rollout rollout, long revision) => new()
    {
        Environment = rollout.Environment,
        Target = Place.Length > 0 ? Place : Target,
        Rollout = rollout.Id,
        Lane = Name,
        Fence = new Fence(Epoch, revision),
        Candidate = Candidate,
        Fallback = Fallback,
        Predecessors = Predecessors ?? [],
        Before = Before,
        Seen = Seen,
        Steps = [.. Plan.Steps.Select(step => step.ToTarget())],
        Step = Step,
        Attempt = Attempt,
        RestoreShare = UndoShares(rollout.Plan)[UndoStep],
        RatePerMinuteMax = State is LaneState.RollingBack or LaneState.RollbackStuck ? rollout.Plan.Rollback.RatePerMinuteMax : Plan.RatePerMinuteMax,
        StickyFor = Plan.StickyFor,
        Lease = Plan.LeaseFor is { } lease ? new Lease(lease, Plan.OnControllerLoss == "return") : null,
        ObserveFor = Plan.ObserveFor ?? TimeSpan.Zero,
        SilentAfter = Plan.Checks.Select(check => check.SilentAfter).Where(silent => silent is not null).Min() ?? TimeSpan.FromMinutes(30),
    };
}
