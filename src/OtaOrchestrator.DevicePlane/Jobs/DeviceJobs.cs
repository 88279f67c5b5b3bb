using System.Text.Json;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Jobs;

/// <summary>The four operations that a device has on its own executions. Each runs inside the writer.</summary>
internal static class DeviceJobs
{
    /// <summary>At most so many executions are listed to a device, in progress and queued together.</summary>
    public const int MaxListed = 10;

    private const int MaxDetails = 10;
    private const int MaxDetailChars = 1024;

    /// <summary>In progress first; of a device that isn't registered, nothing is pending.</summary>
    public static List<JobExecution> GetPending(PlaneState state, string thingName) =>
        state.Things.TryGetValue(thingName, out var thing) ? JobExecution.Pending(thing.Executions) : [];

    /// <summary>The execution the device works on now, or null when there is none.</summary>
    public static JobExecution? StartNext(PlaneState state, PlaneTransaction tx, string thingName, JobsRequest request)
    {
        var next = GetPending(state, thingName).FirstOrDefault();
        if (next is null || next.Status == ExecutionStatus.IN_PROGRESS)
        {
            return next;
        }

        var started = Step(tx, Started(tx, next) with { Version = next.Version + 1, UpdatedMs = tx.Clock.WallMs, Details = request.Details ?? next.Details }, request);
        JobBook.Change(state, tx, started);
        return started;
    }

    /// <param name="state">The plane.</param>
    /// <param name="thingName">Who asks.</param>
    /// <param name="jobId">A job, or <c>$next</c>: what start-next would take, without starting it.</param>
    /// <param name="request">May name an execution number.</param>
    public static JobExecution? Describe(PlaneState state, string thingName, string jobId, JobsRequest request)
    {
        if (jobId == "$next")
        {
            return GetPending(state, thingName).FirstOrDefault();
        }

        var execution = Find(state, thingName, jobId, request);
        return execution.IsTerminal ? throw new RefusedException(Refusal.TerminalStateReached, $"the execution has ended: {execution.Status}") : execution;
    }

    /// <exception cref="RefusedException">In the order: no such execution, lost race, ended already, illegal status.</exception>
    public static JobExecution Update(PlaneState state, PlaneTransaction tx, string thingName, string jobId, JobsRequest request, bool reportTerminal)
    {
        var execution = Find(state, thingName, jobId, request);
        if (request.ExpectedVersion is { } expected && expected != execution.Version)
        {
            throw new RefusedException(Refusal.VersionConflict, $"Expected version {expected} but found version {execution.Version}") { Execution = execution };
        }

        var status = request.Status switch
        {
            null => throw RefusedException.Invalid("Value null at 'status' failed to satisfy constraint: Member must not be null"),
            "IN_PROGRESS" => ExecutionStatus.IN_PROGRESS,
            "SUCCEEDED" => ExecutionStatus.SUCCEEDED,
            "FAILED" => ExecutionStatus.FAILED,
            "REJECTED" => ExecutionStatus.REJECTED,
            "QUEUED" when !execution.IsTerminal => throw Illegal(execution, "QUEUED"),
            "QUEUED" or "CANCELED" or "TIMED_OUT" or "REMOVED" => throw RefusedException.Invalid($"a device can't set the status {request.Status}"),
            _ => throw RefusedException.Invalid("status must be IN_PROGRESS, SUCCEEDED, FAILED or REJECTED"),
        };
        if (execution.IsTerminal)
        {
            throw reportTerminal
                ? new RefusedException(Refusal.TerminalStateReached, $"the execution has ended: {execution.Status}") { Execution = execution }
                : Illegal(execution, status.ToString());
        }

        var changed = execution with { Version = execution.Version + 1, UpdatedMs = tx.Clock.WallMs, Details = request.Details ?? execution.Details };
        changed = status == ExecutionStatus.IN_PROGRESS
            ? Step(tx, Started(tx, changed), request)
            : changed with { Status = status, InProgressDeadlineMs = null, StepDeadlineMs = null };
        JobBook.Change(state, tx, changed);
        return changed;
    }

    /// <summary>Flat map of text to text, as devices send it.</summary>
    public static IReadOnlyDictionary<string, string> ParseDetails(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw RefusedException.Invalid("statusDetails must be an object");
        }

        var details = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
        {
            if (!Names.IsThing(member.Name) || member.Value.ValueKind != JsonValueKind.String)
            {
                throw RefusedException.Invalid("statusDetails must map names [a-zA-Z0-9:_-]{1,128} to text");
            }

            var value = member.Value.GetString()!;
            if (value.Length is 0 or > MaxDetailChars || value.Any(char.IsControl))
            {
                throw RefusedException.Invalid($"a value in statusDetails must have 1 to {MaxDetailChars} characters and no control characters");
            }

            details[member.Name] = value;
        }

        return details.Count > MaxDetails ? throw RefusedException.Invalid($"statusDetails may have {MaxDetails} members at most") : details;
    }

    private static JobExecution Find(PlaneState state, string thingName, string jobId, JobsRequest request)
    {
        if (!Names.IsJob(jobId))
        {
            throw RefusedException.Invalid("jobId must match [a-zA-Z0-9_-]{1,64}");
        }

        return state.Jobs.TryGetValue(jobId, out var job) && job.Executions.TryGetValue(thingName, out var execution)
            && (request.ExecutionNumber is not { } number || number == execution.Number)
            ? execution
            : throw RefusedException.NotFound("no such execution");
    }

    private static JobExecution Started(PlaneTransaction tx, JobExecution execution)
    {
        if (execution.Status == ExecutionStatus.IN_PROGRESS)
        {
            return execution;
        }

        return execution with
        {
            Status = ExecutionStatus.IN_PROGRESS,
            StartedMs = tx.Clock.WallMs,
            InProgressDeadlineMs = execution.Job.Record.InProgressTimeoutMinutes is { } minutes ? tx.Clock.SteadyMs + minutes * 60_000 : null,
        };
    }

    private static JobExecution Step(PlaneTransaction tx, JobExecution execution, JobsRequest request) => request.StepTimeoutMinutes switch
    {
        null => execution,
        -1 => execution with { StepDeadlineMs = null },
        { } minutes when execution.InProgressDeadlineMs is { } whole && tx.Clock.SteadyMs + minutes * 60_000 > whole =>
            throw RefusedException.Invalid("stepTimeoutInMinutes outlasts the time that is left for the execution"),
        { } minutes => execution with { StepDeadlineMs = tx.Clock.SteadyMs + minutes * 60_000 },
    };

    private static RefusedException Illegal(JobExecution execution, string status) =>
        new(Refusal.InvalidStateTransition, $"can't go from {execution.Status} to {status}") { Execution = execution };
}
