using System.Globalization;
using System.Text.Json;
using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.ControlPlane;

/// <summary>The operations on jobs and executions. Each runs inside the writer and writes its answer.</summary>
internal sealed class JobsApi(PlaneState state, Arn arns, DevicePlaneOptions options)
{
    private const int PageLimit = 250;
    private const int DescriptionChars = 2028;

    public void CreateJob(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        request.Refuse("documentSource", "jobTemplateArn", "documentParameters", "schedulingConfig", "jobExecutionsRetryConfig", "namespaceId", "destinationPackageVersions");
        var id = Names.Job(request.Path("jobId"));
        var document = request.RequiredText("document", JobDocument.MaxChars);
        JobDocument.Validate(document);
        var targets = request.Texts("targets", JobTargets.MaxTargets);
        if (targets.Length == 0)
        {
            throw RefusedException.Invalid("targets must name at least one thing or thing group");
        }

        if (state.Jobs.ContainsKey(id))
        {
            throw new RefusedException(Refusal.AlreadyExists, $"job '{id}' exists already");
        }

        var selection = request.Text("targetSelection") switch
        {
            null or "SNAPSHOT" => TargetSelection.SNAPSHOT,
            "CONTINUOUS" => TargetSelection.CONTINUOUS,
            _ => throw RefusedException.Invalid("targetSelection must be SNAPSHOT or CONTINUOUS"),
        };
        var now = tx.Clock.WallMs;
        var record = Configure(
            new JobRecord(id, [.. targets.Select(t => JobTargets.Parse(state, arns, t)).Distinct(StringComparer.Ordinal)], document, request.Text("description", DescriptionChars), selection, JobStatus.IN_PROGRESS, now, now),
            request);
        var members = JobTargets.Members(state, record.Targets);
        var job = new Job(record) { Backlog = [.. members.Select(t => t.Name)] };
        tx.Set(state.Jobs, id, job);
        PlaneRows.Write(tx, record);
        if (job.Backlog.Length > 0)
        {
            PlaneRows.WriteBacklog(tx, id, job.Backlog);
        }

        JobBook.RollOut(state, tx, job, options.DefaultJobRatePerMinute);
        WriteIds(w, job);
    }

    public void DescribeJob(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var job = state.Job(Names.Job(request.Path("jobId")));
        var record = job.Record;
        w.WriteStartObject("job");
        WriteSummary(w, job);
        if (record.ForceCanceled)
        {
            w.WriteBoolean("forceCanceled", true);
        }

        WriteText(w, "reasonCode", record.ReasonCode);
        WriteText(w, "comment", record.Comment);
        WriteText(w, "description", record.Description);
        w.WriteStartArray("targets");
        foreach (var target in record.Targets)
        {
            w.WriteStringValue(JobTargets.ToArn(arns, target));
        }

        w.WriteEndArray();
        w.WriteStartObject("presignedUrlConfig");
        if (record.LinkLifeSeconds is { } life)
        {
            w.WriteNumber("expiresInSec", life);
        }

        w.WriteEndObject();
        WriteConfiguration(w, record);
        w.WriteStartObject("jobProcessDetails");
        w.WriteNumber("numberOfCanceledThings", job.Count(ExecutionStatus.CANCELED));
        w.WriteNumber("numberOfSucceededThings", job.Count(ExecutionStatus.SUCCEEDED));
        w.WriteNumber("numberOfFailedThings", job.Count(ExecutionStatus.FAILED));
        w.WriteNumber("numberOfRejectedThings", job.Count(ExecutionStatus.REJECTED));
        w.WriteNumber("numberOfQueuedThings", job.Count(ExecutionStatus.QUEUED));
        w.WriteNumber("numberOfInProgressThings", job.Count(ExecutionStatus.IN_PROGRESS));
        w.WriteNumber("numberOfRemovedThings", job.Count(ExecutionStatus.REMOVED));
        w.WriteNumber("numberOfTimedOutThings", job.Count(ExecutionStatus.TIMED_OUT));
        w.WriteEndObject();
        w.WriteEndObject();
    }

    public void UpdateJob(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        request.Refuse("jobExecutionsRetryConfig");
        var job = state.Job(Names.Job(request.Path("jobId")));
        if (!job.IsActive)
        {
            throw RefusedException.Invalid($"the job is {job.Record.Status}");
        }

        JobBook.Update(tx, job, Configure(job.Record with { Description = request.Text("description", DescriptionChars) ?? job.Record.Description, UpdatedMs = tx.Clock.WallMs }, request));
    }

    public void CancelJob(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var job = state.Job(Names.Job(request.Path("jobId")));
        if (job.Record.Status == JobStatus.COMPLETED)
        {
            throw RefusedException.Invalid("the job is COMPLETED");
        }

        JobBook.Cancel(state, tx, job, request.QueryFlag("force"), request.Text("reasonCode", 128), request.Text("comment", DescriptionChars));
        WriteIds(w, job);
    }

    public void DeleteJob(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var job = state.Job(Names.Job(request.Path("jobId")));
        if (!request.QueryFlag("force") && (job.IsActive || job.Open > 0))
        {
            throw new RefusedException(Refusal.InvalidStateTransition, "the job is in progress; cancel it first, or force");
        }

        DeleteJob(tx, job);
    }

    public void DeleteJob(PlaneTransaction tx, Job job)
    {
        foreach (var execution in job.Executions.Values.ToList())
        {
            JobBook.Delete(state, tx, execution);
        }

        tx.Remove(state.Jobs, job.Id);
        tx.Delete(PlaneTable.Job, job.Id);
        tx.Delete(PlaneTable.JobBacklog, job.Id);
    }

    public void ListJobs(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var (status, selection, group) = (request.Query("status"), request.Query("targetSelection"), request.Query("thingGroupName"));
        if (request.Query("thingGroupId") is not null)
        {
            throw RefusedException.Invalid("thingGroupId isn't supported by this device plane");
        }

        Page(
            request, w, "jobs",
            state.Jobs.Values.Where(j => (status is null || j.Record.Status.ToString() == status) && (selection is null || j.Record.Selection.ToString() == selection)
                && (group is null || j.Record.Targets.Contains(JobTargets.GroupPrefix + group))),
            j => j.Id,
            j =>
            {
                w.WriteStartObject();
                WriteSummary(w, j);
                w.WriteEndObject();
            });
    }

    public void GetJobDocument(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w) =>
        w.WriteString("document", state.Job(Names.Job(request.Path("jobId"))).Record.Document);

    public void AssociateTargets(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var job = state.Job(Names.Job(request.Path("jobId")));
        if (!job.IsActive || job.Record.Selection != TargetSelection.CONTINUOUS)
        {
            throw RefusedException.Invalid("targets can only be added to a CONTINUOUS job that is IN_PROGRESS");
        }

        var added = request.Texts("targets", JobTargets.MaxTargets).Select(t => JobTargets.Parse(state, arns, t)).ToArray();
        var targets = job.Record.Targets.Union(added, StringComparer.Ordinal).ToArray();
        if (added.Length == 0 || targets.Length > JobTargets.MaxTargets)
        {
            throw new RefusedException(Refusal.LimitExceeded, $"a job has 1 to {JobTargets.MaxTargets} targets");
        }

        JobBook.Update(tx, job, job.Record with { Targets = targets, UpdatedMs = tx.Clock.WallMs, Comment = request.Text("comment", DescriptionChars) ?? job.Record.Comment });
        var waiting = job.Backlog.Skip(job.Record.RolledOut).ToHashSet(StringComparer.Ordinal);
        foreach (var thing in JobTargets.Members(state, added).Where(t => !waiting.Contains(t.Name)))
        {
            JobBook.Queue(state, tx, job, thing);
        }

        WriteIds(w, job);
    }

    public void DescribeExecution(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var execution = Find(request, request.QueryInteger("executionNumber"));
        w.WriteStartObject("execution");
        w.WriteString("jobId", execution.Job.Id);
        w.WriteString("status", execution.Status.ToString());
        if (execution.ForceCanceled)
        {
            w.WriteBoolean("forceCanceled", true);
        }

        w.WriteStartObject("statusDetails");
        RegistryApi.WriteMap(w, "detailsMap", execution.Details);
        w.WriteEndObject();
        w.WriteString("thingArn", arns.Thing(execution.ThingName));
        WriteTimes(w, execution);
        w.WriteNumber("executionNumber", execution.Number);
        w.WriteNumber("versionNumber", execution.Version);
        if (execution.DeadlineMs is { } deadline)
        {
            w.WriteNumber("approximateSecondsBeforeTimedOut", Math.Max(0, (deadline - tx.Clock.SteadyMs) / 1000));
        }

        w.WriteEndObject();
    }

    public void CancelExecution(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var execution = Find(request, null);
        if (ControlPlaneRequest.Integer(request.Body, "expectedVersion", 0, long.MaxValue) is { } expected && expected != execution.Version)
        {
            throw new RefusedException(Refusal.VersionConflict, $"Expected version {expected} but found version {execution.Version}");
        }

        var details = ControlPlaneRequest.Member(request.Body, "statusDetails", JsonValueKind.Object) is { } given ? DeviceJobs.ParseDetails(given) : null;
        var force = request.QueryFlag("force");
        if (execution.IsTerminal || (execution.Status == ExecutionStatus.IN_PROGRESS && !force))
        {
            throw new RefusedException(Refusal.InvalidStateTransition, $"the execution is {execution.Status}");
        }

        JobBook.End(state, tx, execution, ExecutionStatus.CANCELED, force, details);
    }

    public void DeleteExecution(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var number = long.TryParse(request.Path("executionNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw RefusedException.Invalid("executionNumber must be a whole number");
        var execution = Find(request, number);
        if (execution.Status == ExecutionStatus.IN_PROGRESS && !request.QueryFlag("force"))
        {
            throw new RefusedException(Refusal.InvalidStateTransition, "the execution is IN_PROGRESS; force deletes it");
        }

        JobBook.Delete(state, tx, execution);
        JobBook.CompleteIfDone(tx, execution.Job);
    }

    public void ListExecutionsForJob(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var status = Status(request);
        Page(
            request, w, "executionSummaries", state.Job(Names.Job(request.Path("jobId"))).Executions.Values.Where(e => status is null || e.Status == status), e => e.Order.ToString("D19", CultureInfo.InvariantCulture),
            e =>
            {
                w.WriteStartObject();
                w.WriteString("thingArn", arns.Thing(e.ThingName));
                WriteExecutionSummary(w, e);
                w.WriteEndObject();
            });
    }

    public void ListExecutionsForThing(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var (status, job) = (Status(request), request.Query("jobId"));
        Page(
            request, w, "executionSummaries",
            state.Thing(Names.Thing(request.Path("thingName"))).Executions.Where(e => (status is null || e.Status == status) && (job is null || e.Job.Id == job)), e => e.Order.ToString("D19", CultureInfo.InvariantCulture),
            e =>
            {
                w.WriteStartObject();
                w.WriteString("jobId", e.Job.Id);
                WriteExecutionSummary(w, e);
                w.WriteEndObject();
            });
    }

    private static JobRecord Configure(JobRecord record, ControlPlaneRequest request)
    {
        if (request.Object("presignedUrlConfig") is { } links)
        {
            record = record with { LinkLifeSeconds = (int?)ControlPlaneRequest.Integer(links, "expiresInSec", 60, 3600) };
        }

        if (request.Object("timeoutConfig") is { } timeout)
        {
            record = record with { InProgressTimeoutMinutes = ControlPlaneRequest.Integer(timeout, "inProgressTimeoutInMinutes", 1, 10_080) };
        }

        if (request.Object("jobExecutionsRolloutConfig") is { } rollout)
        {
            record = record with { MaximumPerMinute = (int?)ControlPlaneRequest.Integer(rollout, "maximumPerMinute", 1, 1000), ExponentialRate = ParseExponentialRate(rollout) };
        }

        return request.Object("abortConfig") is { } abort ? record with { AbortCriteria = ParseAbortCriteria(abort) } : record;
    }

    private static ExponentialRate? ParseExponentialRate(JsonElement rollout)
    {
        if (ControlPlaneRequest.Member(rollout, "exponentialRate", JsonValueKind.Object) is not { } rate)
        {
            return null;
        }

        var criteria = ControlPlaneRequest.Member(rate, "rateIncreaseCriteria", JsonValueKind.Object) ?? throw RefusedException.Invalid("rateIncreaseCriteria is missing");
        var notified = (int?)ControlPlaneRequest.Integer(criteria, "numberOfNotifiedThings", 1, int.MaxValue);
        var succeeded = (int?)ControlPlaneRequest.Integer(criteria, "numberOfSucceededThings", 1, int.MaxValue);
        return notified is null == succeeded is null
            ? throw RefusedException.Invalid("rateIncreaseCriteria must have one of numberOfNotifiedThings, numberOfSucceededThings")
            : new ExponentialRate(
                (int)(ControlPlaneRequest.Integer(rate, "baseRatePerMinute", 1, 1000) ?? throw RefusedException.Invalid("baseRatePerMinute is missing")),
                ControlPlaneRequest.Number(rate, "incrementFactor", 1.1, 5) ?? throw RefusedException.Invalid("incrementFactor is missing"), notified, succeeded);
    }

    private static AbortCriterion[] ParseAbortCriteria(JsonElement abort)
    {
        if (ControlPlaneRequest.Member(abort, "criteriaList", JsonValueKind.Array) is not { } list || list.GetArrayLength() is 0 or > 4)
        {
            throw RefusedException.Invalid("criteriaList must have 1 to 4 criteria");
        }

        return [.. list.EnumerateArray().Select(c =>
        {
            if (c.ValueKind != JsonValueKind.Object || ControlPlaneRequest.Text(c, "action") != "CANCEL")
            {
                throw RefusedException.Invalid("a criterion's action must be CANCEL");
            }

            var type = ControlPlaneRequest.Text(c, "failureType");
            return new AbortCriterion(
                type is "FAILED" or "REJECTED" or "TIMED_OUT" or "ALL" ? type : throw RefusedException.Invalid("failureType must be FAILED, REJECTED, TIMED_OUT or ALL"),
                ControlPlaneRequest.Number(c, "thresholdPercentage", 0, 100) ?? throw RefusedException.Invalid("thresholdPercentage is missing"),
                (int)(ControlPlaneRequest.Integer(c, "minNumberOfExecutedThings", 1, int.MaxValue) ?? throw RefusedException.Invalid("minNumberOfExecutedThings is missing")));
        })];
    }

    private static ExecutionStatus? Status(ControlPlaneRequest request) => request.Query("status") is not { } text ? null
        : Enum.TryParse<ExecutionStatus>(text, out var status) && Enum.IsDefined(status) && !char.IsDigit(text[0]) ? status : throw RefusedException.Invalid("no such status");

    private JobExecution Find(ControlPlaneRequest request, long? number)
    {
        var (thing, job) = (Names.Thing(request.Path("thingName")), Names.Job(request.Path("jobId")));
        return state.Jobs.TryGetValue(job, out var found) && found.Executions.TryGetValue(thing, out var execution) && (number is null || number == execution.Number)
            ? execution
            : throw RefusedException.NotFound($"job '{job}' has no such execution on thing '{thing}'");
    }

    private void WriteIds(Utf8JsonWriter w, Job job)
    {
        w.WriteString("jobArn", arns.Job(job.Id));
        w.WriteString("jobId", job.Id);
        WriteText(w, "description", job.Record.Description);
    }

    private void WriteSummary(Utf8JsonWriter w, Job job)
    {
        w.WriteString("jobArn", arns.Job(job.Id));
        w.WriteString("jobId", job.Id);
        w.WriteString("targetSelection", job.Record.Selection.ToString());
        w.WriteString("status", job.Record.Status.ToString());
        w.WriteNumber("createdAt", job.Record.CreatedMs / 1000.0);
        w.WriteNumber("lastUpdatedAt", job.Record.UpdatedMs / 1000.0);
        if (job.Record.CompletedMs is { } completed)
        {
            w.WriteNumber("completedAt", completed / 1000.0);
        }
    }

    private static void WriteConfiguration(Utf8JsonWriter w, JobRecord record)
    {
        if (record.MaximumPerMinute is not null || record.ExponentialRate is not null)
        {
            w.WriteStartObject("jobExecutionsRolloutConfig");
            if (record.MaximumPerMinute is { } most)
            {
                w.WriteNumber("maximumPerMinute", most);
            }

            if (record.ExponentialRate is { } rate)
            {
                w.WriteStartObject("exponentialRate");
                w.WriteNumber("baseRatePerMinute", rate.BaseRatePerMinute);
                w.WriteNumber("incrementFactor", rate.IncrementFactor);
                w.WriteStartObject("rateIncreaseCriteria");
                w.WriteNumber(rate.NotifiedThings is null ? "numberOfSucceededThings" : "numberOfNotifiedThings", (rate.NotifiedThings ?? rate.SucceededThings)!.Value);
                w.WriteEndObject();
                w.WriteEndObject();
            }

            w.WriteEndObject();
        }

        if (record.AbortCriteria is { } criteria)
        {
            w.WriteStartObject("abortConfig");
            w.WriteStartArray("criteriaList");
            foreach (var criterion in criteria)
            {
                w.WriteStartObject();
                w.WriteString("failureType", criterion.FailureType);
                w.WriteString("action", "CANCEL");
                w.WriteNumber("thresholdPercentage", criterion.ThresholdPercentage);
                w.WriteNumber("minNumberOfExecutedThings", criterion.MinExecutedThings);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        if (record.InProgressTimeoutMinutes is { } minutes)
        {
            w.WriteStartObject("timeoutConfig");
            w.WriteNumber("inProgressTimeoutInMinutes", minutes);
            w.WriteEndObject();
        }
    }

    private static void WriteExecutionSummary(Utf8JsonWriter w, JobExecution execution)
    {
        w.WriteStartObject("jobExecutionSummary");
        w.WriteString("status", execution.Status.ToString());
        WriteTimes(w, execution);
        w.WriteNumber("executionNumber", execution.Number);
        w.WriteEndObject();
    }

    private static void WriteTimes(Utf8JsonWriter w, JobExecution execution)
    {
        w.WriteNumber("queuedAt", execution.QueuedMs / 1000.0);
        if (execution.StartedMs is { } started)
        {
            w.WriteNumber("startedAt", started / 1000.0);
        }

        w.WriteNumber("lastUpdatedAt", execution.UpdatedMs / 1000.0);
    }

    private static void WriteText(Utf8JsonWriter w, string name, string? text)
    {
        if (text is not null)
        {
            w.WriteString(name, text);
        }
    }

    /// <summary>Items in the order of their keys; the token is the last key given.</summary>
    internal static void Page<T>(ControlPlaneRequest request, Utf8JsonWriter w, string name, IEnumerable<T> items, Func<T, string> key, Action<T> write)
    {
        var after = request.Query("nextToken");
        var limit = request.MaxResults(PageLimit);
        var page = items.Select(i => (Key: key(i), Item: i)).Where(i => after is null || string.CompareOrdinal(i.Key, after) > 0).OrderBy(i => i.Key, StringComparer.Ordinal).Take(limit + 1).ToList();
        w.WriteStartArray(name);
        foreach (var (_, item) in page.Take(limit))
        {
            write(item);
        }

        w.WriteEndArray();
        if (page.Count > limit)
        {
            w.WriteString("nextToken", page[limit - 1].Key);
        }
    }
}
