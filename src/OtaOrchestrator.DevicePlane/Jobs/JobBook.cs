using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Jobs;

/// <summary>
/// The one place where executions and jobs change their status: keeps thing, job, counters, timers and rows in step, evaluates abort
/// criteria and ends jobs that have nothing left to do.
/// </summary>
internal static class JobBook
{
    public static readonly TimeSpan RatePeriod = TimeSpan.FromMinutes(1);

    /// <summary>Queues the job on the thing unless it has it already and hasn't ended it by leaving.</summary>
    public static void Queue(PlaneState state, PlaneTransaction tx, Job job, Thing thing)
    {
        job.Executions.TryGetValue(thing.Name, out var earlier);
        if (earlier is not null && earlier.Status != ExecutionStatus.REMOVED)
        {
            return;
        }

        var order = state.NextOrder++;
        tx.Undo(() => state.NextOrder = order);
        var now = tx.Clock.WallMs;
        Put(state, tx, thing, new JobExecution(job, thing.Name, (earlier?.Number ?? 0) + 1, ExecutionStatus.QUEUED, now, now, 1, order));
    }

    /// <summary>Ends an execution on the service's side: canceled, timed out, removed.</summary>
    public static void End(PlaneState state, PlaneTransaction tx, JobExecution execution, ExecutionStatus status, bool forced = false, IReadOnlyDictionary<string, string>? details = null) => Change(
        state, tx, execution with
        {
            Status = status,
            UpdatedMs = tx.Clock.WallMs,
            Version = execution.Version + 1,
            ForceCanceled = forced,
            Details = details ?? execution.Details,
            InProgressDeadlineMs = null,
            StepDeadlineMs = null,
        });

    /// <summary>Stores the new state of an execution; when it ends there, its job may abort or complete.</summary>
    public static void Change(PlaneState state, PlaneTransaction tx, JobExecution execution)
    {
        state.Things.TryGetValue(execution.ThingName, out var thing);
        Put(state, tx, thing, execution);
        if (execution.IsTerminal)
        {
            AbortIfCriteriaAreMet(state, tx, execution.Job);
            CompleteIfDone(tx, execution.Job);
        }
    }

    /// <summary>Forgets an execution altogether.</summary>
    public static void Delete(PlaneState state, PlaneTransaction tx, JobExecution execution)
    {
        var job = execution.Job;
        tx.Remove(job.Executions, execution.ThingName);
        Count(tx, job, execution.Status, -1);
        tx.Delete(PlaneTable.Execution, execution.Key);
        if (state.Things.TryGetValue(execution.ThingName, out var thing))
        {
            SetExecutions(tx, thing, [.. thing.Executions.Where(e => e.Job != job)]);
        }
    }

    public static void Update(PlaneTransaction tx, Job job, JobRecord record)
    {
        var before = job.Record;
        job.Record = record;
        tx.Undo(() => job.Record = before);
        PlaneRows.Write(tx, record);
    }

    public static void Cancel(PlaneState state, PlaneTransaction tx, Job job, bool force, string? reasonCode, string? comment)
    {
        var now = tx.Clock.WallMs;
        Update(tx, job, job.Record with
        {
            Status = JobStatus.CANCELED,
            UpdatedMs = now,
            CompletedMs = job.Record.CompletedMs ?? now,
            ForceCanceled = job.Record.ForceCanceled || force,
            ReasonCode = reasonCode ?? job.Record.ReasonCode,
            Comment = comment ?? job.Record.Comment,
        });
        DropBacklog(tx, job);
        foreach (var execution in job.Executions.Values.Where(e => e.Status == ExecutionStatus.QUEUED || (force && e.Status == ExecutionStatus.IN_PROGRESS)).ToList())
        {
            End(state, tx, execution, ExecutionStatus.CANCELED, force);
        }
    }

    public static void CompleteIfDone(PlaneTransaction tx, Job job)
    {
        if (!job.IsActive || job.Record.Selection == TargetSelection.CONTINUOUS || !job.IsRolledOut || job.Open > 0)
        {
            return;
        }

        var now = tx.Clock.WallMs;
        Update(tx, job, job.Record with { Status = JobStatus.COMPLETED, UpdatedMs = now, CompletedMs = now });
        DropBacklog(tx, job);
    }

    /// <summary>Queues the next part of the backlog, as the job's rate allows for this minute.</summary>
    public static void RollOut(PlaneState state, PlaneTransaction tx, Job job, int defaultRate)
    {
        var rate = RateOf(job, defaultRate);
        var (before, next) = (job.NextBatchMs, tx.Clock.SteadyMs + (long)RatePeriod.TotalMilliseconds);
        job.NextBatchMs = next;
        tx.Undo(() => job.NextBatchMs = before);
        var at = job.Record.RolledOut;
        for (var queued = 0; at < job.Backlog.Length && queued < rate; at++)
        {
            if (state.Things.TryGetValue(job.Backlog[at], out var thing))
            {
                Queue(state, tx, job, thing);
                queued++;
            }
        }

        Update(tx, job, job.Record with { RolledOut = at, UpdatedMs = tx.Clock.WallMs });
        CompleteIfDone(tx, job);
    }

    /// <summary>Times out what is over its time.</summary>
    public static void TimeOut(PlaneState state, PlaneTransaction tx)
    {
        while (state.Deadlines.TryPeek(out var due, out var deadline) && deadline <= tx.Clock.SteadyMs)
        {
            state.Deadlines.Dequeue();
            tx.Undo(() => state.Deadlines.Enqueue(due, deadline));
            if (state.Jobs.TryGetValue(due.Job, out var job) && job.Executions.TryGetValue(due.Thing, out var execution)
                && execution.DeadlineMs is { } actual && actual <= tx.Clock.SteadyMs)
            {
                End(state, tx, execution, ExecutionStatus.TIMED_OUT);
            }
        }
    }

    private static int RateOf(Job job, int defaultRate)
    {
        var most = job.Record.MaximumPerMinute ?? defaultRate;
        if (job.Record.ExponentialRate is not { } rate)
        {
            return most;
        }

        var steps = Math.Max(
            rate.NotifiedThings is { } notified ? job.Executions.Count / notified : 0,
            rate.SucceededThings is { } succeeded ? job.Count(ExecutionStatus.SUCCEEDED) / succeeded : 0);
        return (int)Math.Min(most, rate.BaseRatePerMinute * Math.Pow(rate.IncrementFactor, steps));
    }

    private static void AbortIfCriteriaAreMet(PlaneState state, PlaneTransaction tx, Job job)
    {
        if (!job.IsActive || job.Record.AbortCriteria is not { } criteria)
        {
            return;
        }

        var (failed, rejected, timedOut) = (job.Count(ExecutionStatus.FAILED), job.Count(ExecutionStatus.REJECTED), job.Count(ExecutionStatus.TIMED_OUT));
        var executed = job.Count(ExecutionStatus.SUCCEEDED) + failed + rejected + timedOut;
        foreach (var criterion in criteria)
        {
            var counted = criterion.FailureType switch
            {
                "FAILED" => failed,
                "REJECTED" => rejected,
                "TIMED_OUT" => timedOut,
                _ => failed + rejected + timedOut,
            };
            if (executed >= criterion.MinExecutedThings && executed > 0 && counted > 0 && 100.0 * counted / executed >= criterion.ThresholdPercentage)
            {
                Cancel(state, tx, job, force: false, "ABORT_CRITERIA_MET", string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"{counted} of {executed} executions ended {criterion.FailureType}; threshold {criterion.ThresholdPercentage}% of at least {criterion.MinExecutedThings}"));
                return;
            }
        }
    }

    private static void Put(PlaneState state, PlaneTransaction tx, Thing? thing, JobExecution execution)
    {
        var job = execution.Job;
        if (job.Executions.TryGetValue(execution.ThingName, out var before))
        {
            Count(tx, job, before.Status, -1);
        }

        tx.Set(job.Executions, execution.ThingName, execution);
        Count(tx, job, execution.Status, +1);
        if (thing is not null)
        {
            var at = Array.FindIndex(thing.Executions, e => e.Job == job);
            JobExecution[] executions = at < 0 ? [.. thing.Executions, execution] : [.. thing.Executions];
            if (at >= 0)
            {
                executions[at] = execution;
            }

            SetExecutions(tx, thing, executions);
        }

        if (execution.DeadlineMs is { } deadline && deadline != before?.DeadlineMs)
        {
            state.Deadlines.Enqueue((job.Id, execution.ThingName), deadline);
        }

        PlaneRows.Write(tx, execution);
    }

    private static void SetExecutions(PlaneTransaction tx, Thing thing, JobExecution[] executions)
    {
        tx.Touch(thing);
        var before = thing.Executions;
        thing.Executions = executions;
        tx.Undo(() => thing.Executions = before);
    }

    private static void Count(PlaneTransaction tx, Job job, ExecutionStatus status, int change)
    {
        job.Counts[(int)status] += change;
        tx.Undo(() => job.Counts[(int)status] -= change);
    }

    private static void DropBacklog(PlaneTransaction tx, Job job)
    {
        if (job.Backlog.Length == 0)
        {
            return;
        }

        var before = job.Backlog;
        job.Backlog = [];
        tx.Undo(() => job.Backlog = before);
        tx.Delete(PlaneTable.JobBacklog, job.Id);
    }
}
