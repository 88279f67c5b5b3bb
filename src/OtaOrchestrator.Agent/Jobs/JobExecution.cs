using System.Text.Json;

namespace OtaOrchestrator.Agent.Jobs;

/// <summary>A job execution as the service tells it.</summary>
public sealed record JobExecution(string JobId, string Status, long ExecutionNumber, JsonElement Document)
{
    public bool IsPending => Status is "QUEUED" or "IN_PROGRESS";

    /// <summary>From <c>{execution: {…}}</c>; null when there is none in it or it is not for this thing.</summary>
    public static JobExecution? From(JsonElement reply, string thing)
    {
        if (!reply.TryGetProperty("execution", out var execution) || execution.ValueKind != JsonValueKind.Object
            || Text(execution, "jobId") is not { Length: > 0 and <= 64 } id || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            || Text(execution, "thingName") is { } named && named != thing)
        {
            return null;
        }
        long number = execution.TryGetProperty("executionNumber", out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long known) ? known : 1;
        execution.TryGetProperty("jobDocument", out var document);
        return new JobExecution(id, Text(execution, "status") ?? "QUEUED", number, document);
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
