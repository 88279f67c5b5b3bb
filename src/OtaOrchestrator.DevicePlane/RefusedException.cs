namespace OtaOrchestrator.DevicePlane;

/// <summary>Why a request was not carried out. Each front (Jobs over MQTT, shadows, control plane) has its own spelling of these.</summary>
internal enum Refusal
{
    InvalidTopic,
    InvalidJson,
    InvalidRequest,
    InvalidQuery,
    InvalidAggregation,
    InvalidStateTransition,
    TerminalStateReached,
    NotFound,
    AlreadyExists,
    VersionConflict,
    TooLarge,
    LimitExceeded,
    Unauthorized,
    Unavailable,
    Internal,
}

/// <summary>A request that is refused: nothing was changed. The text is meant for the requester.</summary>
internal sealed class RefusedException(Refusal reason, string message) : Exception(message)
{
    public Refusal Reason { get; } = reason;

    /// <summary>The execution's state, which the Jobs protocol returns with a lost race or an illegal move.</summary>
    public Jobs.JobExecution? Execution { get; init; }

    public static RefusedException Invalid(string message) => new(Refusal.InvalidRequest, message);

    public static RefusedException NotFound(string message) => new(Refusal.NotFound, message);
}
