namespace OtaOrchestrator.DevicePlane.Jobs;

internal enum JobStatus
{
    IN_PROGRESS,
    CANCELED,
    COMPLETED,
}

internal enum TargetSelection
{
    SNAPSHOT,
    CONTINUOUS,
}

/// <summary>Either criterion may be null: the rate then only follows the other.</summary>
internal sealed record ExponentialRate(int BaseRatePerMinute, double IncrementFactor, int? NotifiedThings, int? SucceededThings);

internal sealed record AbortCriterion(string FailureType, double ThresholdPercentage, int MinExecutedThings);

/// <summary>What is stored of a job. The document is the caller's text, unchanged. <see cref="RolledOut"/> counts how much of the backlog was queued.</summary>
internal sealed record JobRecord(string Id, string[] Targets, string Document, string? Description, TargetSelection Selection, JobStatus Status, long CreatedMs, long UpdatedMs)
{
    public long? CompletedMs { get; init; }

    public string? ReasonCode { get; init; }

    public string? Comment { get; init; }

    public bool ForceCanceled { get; init; }

    public int? MaximumPerMinute { get; init; }

    public ExponentialRate? ExponentialRate { get; init; }

    public AbortCriterion[]? AbortCriteria { get; init; }

    public long? InProgressTimeoutMinutes { get; init; }

    public int? LinkLifeSeconds { get; init; }

    public int RolledOut { get; init; }
}

/// <summary>A job with its executions. Changed by the writer only.</summary>
internal sealed class Job(JobRecord record)
{
    private JobDocument? _document;

    public JobRecord Record { get; set; } = record;

    public string Id => Record.Id;

    public JobDocument Document => _document ??= new JobDocument(Record.Document);

    /// <summary>The newest execution of each thing.</summary>
    public Dictionary<string, JobExecution> Executions { get; } = new(StringComparer.Ordinal);

    /// <summary>Executions per status; the index is <see cref="ExecutionStatus"/>.</summary>
    public int[] Counts { get; } = new int[Enum.GetValues<ExecutionStatus>().Length];

    /// <summary>The things known when the job was created that wait for their execution, from <see cref="JobRecord.RolledOut"/> on.</summary>
    public string[] Backlog { get; set; } = [];

    /// <summary>When the next part of the backlog is due, in steady milliseconds.</summary>
    public long NextBatchMs { get; set; }

    public bool IsActive => Record.Status == JobStatus.IN_PROGRESS;

    public bool IsRolledOut => Record.RolledOut >= Backlog.Length;

    public int Count(ExecutionStatus status) => Counts[(int)status];

    public int Open => Count(ExecutionStatus.QUEUED) + Count(ExecutionStatus.IN_PROGRESS);
}
