namespace OtaOrchestrator.Core.Rollouts;

/// <summary>What is to be done outside, or looked at, because a decision said so.</summary>
public enum EffectKind
{
    /// <summary>Make the candidate ready, exposing nobody.</summary>
    Prepare,

    /// <summary>Offer the lane's step and read back until it holds.</summary>
    Expose,

    /// <summary>Stop offering; what has it keeps it.</summary>
    Hold,

    /// <summary>Observe and judge, again and again.</summary>
    Look,

    /// <summary>Make the candidate what the target runs.</summary>
    Promote,

    /// <summary>Return to the fallback and read back until it holds.</summary>
    Restore,

    /// <summary>Count the devices that have not come back yet, again and again.</summary>
    FollowTail,
}

/// <summary>
/// One thing to do for one lane. A decision that touches a lane replaces every effect of that lane that is not done;
/// the store gives it the key <c>rollout/revision/ordinal</c>.
/// </summary>
/// <param name="Delay">Counted from the commit on a clock that does not jump.</param>
public sealed record Effect(string Lane, EffectKind Kind, TimeSpan Delay = default)
{
    /// <summary>Looking and counting change nothing outside, so that they may run beside a write and at any time again.</summary>
    public bool ReadsOnly => Kind is EffectKind.Look or EffectKind.FollowTail;

    /// <summary>The effects that a lane in this state lives by. Nothing else may be under way for it.</summary>
    public static IEnumerable<Effect> Of(Lane lane)
    {
        var look = new Effect(lane.Name, EffectKind.Look, lane.Interval);
        return lane.State switch
        {
            LaneState.Preparing => [new(lane.Name, EffectKind.Prepare)],
            LaneState.Exposing => [new(lane.Name, EffectKind.Expose), look],
            LaneState.Baking or LaneState.Held or LaneState.Drifted => [look],
            LaneState.AwaitingApproval or LaneState.AwaitingPromotion => lane.Exposed ? [look] : [],
            LaneState.Paused => lane.Exposed ? [new(lane.Name, EffectKind.Hold), look] : [],
            LaneState.Promoting => [new(lane.Name, EffectKind.Promote), look],
            LaneState.Succeeded => lane.GuardOver ? [] : [look],
            LaneState.RollingBack => [new(lane.Name, EffectKind.Restore)],
            LaneState.RollbackStuck => lane.Halted ? [] : [new(lane.Name, EffectKind.Restore, TimeSpan.FromSeconds(30))],
            LaneState.RolledBack => lane.Tail > 0 ? [new(lane.Name, EffectKind.FollowTail, TimeSpan.FromSeconds(5))] : [],
            _ => [],
        };
    }
}
