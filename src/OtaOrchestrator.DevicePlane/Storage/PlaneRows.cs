using System.Text.Json;
using System.Text.Json.Serialization;
using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Shadows;

namespace OtaOrchestrator.DevicePlane.Storage;

/// <summary>An execution as stored: deadlines are what is left of them, so that neither a restart nor a set clock ends them early.</summary>
internal sealed record ExecutionRow(
    string Job, string Thing, long Number, ExecutionStatus Status, long QueuedMs, long UpdatedMs, long Version, long Order,
    IReadOnlyDictionary<string, string>? Details, long? StartedMs, bool ForceCanceled, long? InProgressLeftMs, long? StepLeftMs);

internal sealed record ShadowRow(string Thing, string Name, long Version, JsonElement? Reported, JsonElement? Desired);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ThingRecord))]
[JsonSerializable(typeof(GroupRecord))]
[JsonSerializable(typeof(CertificateRecord))]
[JsonSerializable(typeof(JobRecord))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(ExecutionRow))]
[JsonSerializable(typeof(ShadowRow))]
internal sealed partial class PlaneRowContext : JsonSerializerContext;

/// <summary>How each kind of state becomes a row, and all rows become state again.</summary>
internal static class PlaneRows
{
    public static void Write(PlaneTransaction tx, ThingRecord thing) => tx.Write(PlaneTable.Thing, thing.Name, () => JsonSerializer.SerializeToUtf8Bytes(thing, PlaneRowContext.Default.ThingRecord));

    public static void Write(PlaneTransaction tx, GroupRecord group) => tx.Write(PlaneTable.ThingGroup, group.Name, () => JsonSerializer.SerializeToUtf8Bytes(group, PlaneRowContext.Default.GroupRecord));

    public static void Write(PlaneTransaction tx, CertificateRecord certificate) =>
        tx.Write(PlaneTable.Certificate, certificate.Id, () => JsonSerializer.SerializeToUtf8Bytes(certificate, PlaneRowContext.Default.CertificateRecord));

    public static void Write(PlaneTransaction tx, JobRecord job) => tx.Write(PlaneTable.Job, job.Id, () => JsonSerializer.SerializeToUtf8Bytes(job, PlaneRowContext.Default.JobRecord));

    public static void WriteBacklog(PlaneTransaction tx, string job, string[] things) =>
        tx.Write(PlaneTable.JobBacklog, job, () => JsonSerializer.SerializeToUtf8Bytes(things, PlaneRowContext.Default.StringArray));

    public static void Write(PlaneTransaction tx, JobExecution execution)
    {
        var clock = tx.Clock;
        tx.Write(PlaneTable.Execution, execution.Key, () => JsonSerializer.SerializeToUtf8Bytes(ToRow(execution, clock.SteadyMs), PlaneRowContext.Default.ExecutionRow));
    }

    public static void Write(PlaneTransaction tx, string thing, NamedShadow shadow) => tx.Write(
        PlaneTable.Shadow, ShadowKey(thing, shadow.Name), () => JsonSerializer.SerializeToUtf8Bytes(shadow.ToRow(thing), PlaneRowContext.Default.ShadowRow));

    public static string ShadowKey(string thing, string shadow) => $"{thing}/{shadow}";

    /// <summary>Reads the whole store. Connections of a former life are over; deadlines start again with what was left of them.</summary>
    public static PlaneState Load(PlaneStore store, SteadyClock clock)
    {
        var state = new PlaneState(new PlaneCertificates(clock));
        foreach (var body in store.ReadAll(PlaneTable.ThingGroup))
        {
            var group = new ThingGroup(JsonSerializer.Deserialize(body, PlaneRowContext.Default.GroupRecord)!);
            state.Groups.Add(group.Name, group);
        }

        foreach (var group in state.Groups.Values.Where(g => g.Record.Parent is not null))
        {
            state.Groups[group.Record.Parent!].Children.Add(group);
        }

        foreach (var body in store.ReadAll(PlaneTable.Thing))
        {
            var thing = new Thing(JsonSerializer.Deserialize(body, PlaneRowContext.Default.ThingRecord)!, state.Slots.Count);
            state.Things.Add(thing.Name, thing);
            state.Slots.Add(thing);
            foreach (var group in thing.Record.Groups)
            {
                state.Groups[group].Members.Add(thing);
            }
        }

        foreach (var body in store.ReadAll(PlaneTable.Certificate))
        {
            var certificate = JsonSerializer.Deserialize(body, PlaneRowContext.Default.CertificateRecord)!;
            state.Certificates.Add(certificate.Id, certificate);
            state.Active.Set(certificate);
            if (certificate.Token is { } token)
            {
                state.Unprovisioned.Add(token, certificate);
            }
        }

        foreach (var body in store.ReadAll(PlaneTable.Shadow))
        {
            var row = JsonSerializer.Deserialize(body, PlaneRowContext.Default.ShadowRow)!;
            var thing = state.Things[row.Thing];
            thing.Shadows = [.. thing.Shadows, NamedShadow.FromRow(row)];
        }

        LoadJobs(store, state, clock);
        foreach (var thing in state.Things.Values)
        {
            state.Index.Set(thing.Slot, new Index.IndexedThing(thing.Record, thing.Shadows, connected: false));
        }

        return state;
    }

    private static void LoadJobs(PlaneStore store, PlaneState state, SteadyClock clock)
    {
        foreach (var body in store.ReadAll(PlaneTable.Job))
        {
            var job = new Job(JsonSerializer.Deserialize(body, PlaneRowContext.Default.JobRecord)!)
            {
                // How long ago the last part was queued isn't known; a full minute keeps the rate.
                NextBatchMs = clock.SteadyMs + 60_000,
            };
            state.Jobs.Add(job.Id, job);
        }

        foreach (var (id, body) in store.ReadPairs(PlaneTable.JobBacklog))
        {
            state.Jobs[id].Backlog = JsonSerializer.Deserialize(body, PlaneRowContext.Default.StringArray)!;
        }

        var executions = new List<JobExecution>();
        foreach (var body in store.ReadAll(PlaneTable.Execution))
        {
            executions.Add(FromRow(JsonSerializer.Deserialize(body, PlaneRowContext.Default.ExecutionRow)!, state, clock.SteadyMs));
        }

        executions.Sort((a, b) => a.Order.CompareTo(b.Order));
        foreach (var execution in executions)
        {
            execution.Job.Executions.Add(execution.ThingName, execution);
            execution.Job.Counts[(int)execution.Status]++;
            state.NextOrder = execution.Order + 1;
            if (execution.DeadlineMs is { } deadline)
            {
                state.Deadlines.Enqueue((execution.Job.Id, execution.ThingName), deadline);
            }
        }

        foreach (var ofThing in executions.GroupBy(e => e.ThingName))
        {
            // Executions outlive their thing.
            if (state.Things.TryGetValue(ofThing.Key, out var thing))
            {
                thing.Executions = [.. ofThing];
            }
        }
    }

    private static ExecutionRow ToRow(JobExecution e, long steadyMs) => new(
        e.Job.Id, e.ThingName, e.Number, e.Status, e.QueuedMs, e.UpdatedMs, e.Version, e.Order, e.Details.Count == 0 ? null : e.Details, e.StartedMs, e.ForceCanceled,
        Left(e.InProgressDeadlineMs, steadyMs), Left(e.StepDeadlineMs, steadyMs));

    private static JobExecution FromRow(ExecutionRow row, PlaneState state, long steadyMs) =>
        new(state.Jobs[row.Job], row.Thing, row.Number, row.Status, row.QueuedMs, row.UpdatedMs, row.Version, row.Order)
        {
            Details = row.Details ?? JobExecution.NoDetails,
            StartedMs = row.StartedMs,
            ForceCanceled = row.ForceCanceled,
            InProgressDeadlineMs = steadyMs + row.InProgressLeftMs,
            StepDeadlineMs = steadyMs + row.StepLeftMs,
        };

    private static long? Left(long? deadlineMs, long steadyMs) => deadlineMs is { } d ? Math.Max(0, d - steadyMs) : null;
}
