using System.Buffers;
using System.Text.Json;

namespace OtaOrchestrator.DevicePlane.Jobs;

/// <summary>The JSON that devices get. Times are whole epoch seconds.</summary>
internal sealed class JobsPayload(SteadyClock clock, Firmware.FirmwareLinks links)
{
    public byte[] Pending(List<JobExecution> pending, string? token) => Make(token, w =>
    {
        WriteSummaries(w, "inProgressJobs", pending.Where(e => e.Status == ExecutionStatus.IN_PROGRESS).Take(DeviceJobs.MaxListed));
        var inProgress = Math.Min(DeviceJobs.MaxListed, pending.Count(e => e.Status == ExecutionStatus.IN_PROGRESS));
        WriteSummaries(w, "queuedJobs", pending.Where(e => e.Status == ExecutionStatus.QUEUED).Take(DeviceJobs.MaxListed - inProgress));
    });

    /// <summary>Answer to start-next and get, and the payload of notify-next; without an execution it says that there is none.</summary>
    public byte[] Execution(JobExecution? execution, bool withDocument, string? token) => Make(token, w =>
    {
        if (execution is not null)
        {
            w.WritePropertyName("execution");
            WriteExecution(w, execution, withDocument);
        }
    });

    public byte[] Updated(JobExecution execution, JobsRequest request) => Make(request.ClientToken, w =>
    {
        if (request.IncludeExecutionState)
        {
            WriteState(w, execution);
        }

        if (request.IncludeJobDocument)
        {
            WriteDocument(w, execution);
        }
    });

    public byte[] Rejected(string code, string message, string? token, JobExecution? execution) => Make(token, w =>
    {
        w.WriteString("code", code);
        w.WriteString("message", message);
        if (execution is not null)
        {
            WriteState(w, execution);
        }
    });

    /// <summary>The payload of notify: what is pending now.</summary>
    public byte[] Changed(List<JobExecution> pending) => Make(null, w =>
    {
        w.WriteStartObject("jobs");
        foreach (var status in pending.Take(DeviceJobs.MaxListed).GroupBy(e => e.Status))
        {
            WriteSummaries(w, status.Key.ToString(), status);
        }

        w.WriteEndObject();
    });

    private static void WriteSummaries(Utf8JsonWriter w, string name, IEnumerable<JobExecution> executions)
    {
        w.WriteStartArray(name);
        foreach (var execution in executions)
        {
            w.WriteStartObject();
            w.WriteString("jobId", execution.Job.Id);
            WriteTimes(w, execution);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    private static void WriteTimes(Utf8JsonWriter w, JobExecution execution)
    {
        w.WriteNumber("queuedAt", execution.QueuedMs / 1000);
        if (execution.StartedMs is { } started)
        {
            w.WriteNumber("startedAt", started / 1000);
        }

        w.WriteNumber("lastUpdatedAt", execution.UpdatedMs / 1000);
        w.WriteNumber("versionNumber", execution.Version);
        w.WriteNumber("executionNumber", execution.Number);
    }

    private static void WriteState(Utf8JsonWriter w, JobExecution execution)
    {
        w.WriteStartObject("executionState");
        w.WriteString("status", execution.Status.ToString());
        if (execution.Details.Count > 0)
        {
            WriteDetails(w, execution);
        }

        w.WriteNumber("versionNumber", execution.Version);
        w.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter w, JobExecution execution)
    {
        w.WriteStartObject("statusDetails");
        foreach (var (key, value) in execution.Details)
        {
            w.WriteString(key, value);
        }

        w.WriteEndObject();
    }

    private void WriteExecution(Utf8JsonWriter w, JobExecution execution, bool withDocument)
    {
        w.WriteStartObject();
        w.WriteString("jobId", execution.Job.Id);
        w.WriteString("thingName", execution.ThingName);
        w.WriteString("status", execution.Status.ToString());
        WriteDetails(w, execution);
        WriteTimes(w, execution);
        if (execution.DeadlineMs is { } deadline)
        {
            w.WriteNumber("approximateSecondsBeforeTimedOut", Math.Max(0, (deadline - clock.SteadyMs) / 1000));
        }

        if (withDocument)
        {
            WriteDocument(w, execution);
        }

        w.WriteEndObject();
    }

    private void WriteDocument(Utf8JsonWriter w, JobExecution execution)
    {
        w.WritePropertyName("jobDocument");
        var life = execution.Job.Record.LinkLifeSeconds ?? Firmware.FirmwareLinks.DefaultLifeSeconds;

        // The document was valid JSON when the job was made, and links are escaped.
        w.WriteRawValue(execution.Job.Document.Resolve(key => links.Issue(key, execution.ThingName, life)), skipInputValidation: true);
    }

    private byte[] Make(string? token, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, PlaneJson.Writing))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteNumber("timestamp", clock.WallSeconds);
            if (token is not null)
            {
                writer.WriteString("clientToken", token);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
