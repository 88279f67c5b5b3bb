using System.Text.Json.Serialization;

namespace OtaOrchestrator.Agent.Jobs;

public enum JobOutcome { Started, Confirmed, Failed, Refused, Reverted, Nothing }

/// <summary>A job as this device has it. The outcome is decided first and told afterwards, again if need be.</summary>
/// <param name="ExecutionNumber">A repeated job has a higher one.</param>
/// <param name="Sha256">Of the image that the job leads to, once its manifest was accepted.</param>
/// <param name="StartedAt">Seconds since the epoch.</param>
public sealed record JobRecord(string Id, long ExecutionNumber, string Release, string? Sha256, long StartedAt)
{
    public const int DetailCharactersMax = 256;

    public JobOutcome Outcome { get; init; } = JobOutcome.Started;

    /// <summary>Seconds since the epoch.</summary>
    public long? ResolvedAt { get; init; }

    public string? Reason { get; init; }

    public string? Detail { get; init; }

    /// <summary>Whether the service has taken note of the outcome.</summary>
    public bool Reported { get; init; }

    [JsonIgnore]
    public bool IsResolved => Outcome != JobOutcome.Started;

    public JobRecord Resolve(JobOutcome outcome, string? reason, string? detail, long now) => this with
    {
        Outcome = outcome, Reason = reason, Detail = detail is { Length: > DetailCharactersMax } ? detail[..DetailCharactersMax] : detail, ResolvedAt = now, Reported = false,
    };
}
