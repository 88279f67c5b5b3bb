namespace OtaOrchestrator.DevicePlane.Jobs;

internal enum ExecutionStatus
{
    QUEUED,
    IN_PROGRESS,
    SUCCEEDED,
    FAILED,
    TIMED_OUT,
    REJECTED,
    REMOVED,
    CANCELED,
}

/// <summary>
/// One job on one thing. Times of day are epoch milliseconds of the wall clock; deadlines are milliseconds of <see cref="SteadyClock"/>
/// and are stored as what is left of them.
/// </summary>
internal sealed record JobExecution(Job Job, string ThingName, long Number, ExecutionStatus Status, long QueuedMs, long UpdatedMs, long Version, long Order)
{
    public static readonly IReadOnlyDictionary<string, string> NoDetails = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Details { get; init; } = NoDetails;

    public long? StartedMs { get; init; }

    public bool ForceCanceled { get; init; }

    public long? InProgressDeadlineMs { get; init; }

    public long? StepDeadlineMs { get; init; }

    public bool IsTerminal => Status is not (ExecutionStatus.QUEUED or ExecutionStatus.IN_PROGRESS);

    public long? DeadlineMs => Status != ExecutionStatus.IN_PROGRESS ? null
        : StepDeadlineMs is not { } step ? InProgressDeadlineMs
        : InProgressDeadlineMs is not { } whole ? step : Math.Min(step, whole);

    public string Key => KeyOf(Job.Id, ThingName);

    public static string KeyOf(string job, string thing) => $"{job}/{thing}";

    /// <summary>What is pending, in the order in which a device gets it: in progress first, then queued, each as queued.</summary>
    public static List<JobExecution> Pending(JobExecution[] executions)
    {
        var pending = new List<JobExecution>();
        foreach (var execution in executions)
        {
            if (!execution.IsTerminal)
            {
                pending.Add(execution);
            }
        }

        if (pending.Count > 1)
        {
            pending.Sort(static (a, b) =>
            {
                var byStatus = b.Status.CompareTo(a.Status);
                return byStatus != 0 ? byStatus : a.Order.CompareTo(b.Order);
            });
        }

        return pending;
    }
}
