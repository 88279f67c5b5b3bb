using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Rollouts;

/// <summary>What the lifecycle is told: a person's command, or the outcome of an effect. The journal keeps it, so that the rollout can be told again.</summary>
public sealed record Signal(Trigger Trigger, Actor Actor)
{
    /// <summary>The lane that the outcome is of, or the only one that a rollback is to take back.</summary>
    public string? Lane { get; init; }
    public string? Reason { get; init; }

    /// <summary>Promote: skip the remaining steps.</summary>
    public bool Full { get; init; }
    public Preparation? Preparation { get; init; }
    public Reading? Reading { get; init; }
    public Observation? Observation { get; init; }
    public Judgement? Judgement { get; init; }
    public Restoration? Restoration { get; init; }
    public Drift? Drift { get; init; }

    /// <summary>How long the effect has been at it, on a clock that does not jump.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>The environment's largest step, for a promotion that skips steps.</summary>
    public double JumpMax { get; init; } = 1;
}

/// <summary>Why a command was not carried out.</summary>
public enum RefusalReason { WrongState, NothingToUndo, WindowClosed, NotApprover, Gate }

public sealed record Refusal(RefusalReason Reason, string Text);

/// <summary>
/// What follows from a signal. The caller stores <see cref="Next"/> and the journal entry, replaces the effects of <see cref="Replanned"/> by
/// <see cref="Effects"/>, all in one transaction, and acts only after the commit.
/// </summary>
public sealed record Decision
{
    /// <summary>Null when nothing changes.</summary>
    public Rollout? Next { get; init; }
    public IReadOnlyList<Effect> Effects { get; init; } = [];

    /// <summary>Lanes whose pending effects are replaced.</summary>
    public IReadOnlyList<string> Replanned { get; init; } = [];
    public Refusal? Refusal { get; init; }

    /// <summary>What happened, for the journal and for people.</summary>
    public string Text { get; init; } = "";

    /// <summary>Nothing to store; an effect that brought the signal looks again later.</summary>
    public static readonly Decision Unchanged = new();

    public static Decision Refuse(RefusalReason reason, string text) => new() { Refusal = new(reason, text) };
}
