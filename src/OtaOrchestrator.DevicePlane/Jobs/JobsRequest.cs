using System.Globalization;
using System.Text.Json;

namespace OtaOrchestrator.DevicePlane.Jobs;

/// <summary>What a device may send to any of the Jobs topics. Members that an operation doesn't know are ignored, as AWS does.</summary>
internal sealed record JobsRequest
{
    private const int MaxTokenChars = 64;

    public string? ClientToken { get; private init; }

    public string? Status { get; private init; }

    public IReadOnlyDictionary<string, string>? Details { get; private init; }

    public long? ExpectedVersion { get; private init; }

    public long? ExecutionNumber { get; private init; }

    public long? StepTimeoutMinutes { get; private init; }

    public bool IncludeJobDocument { get; private init; }

    public bool IncludeExecutionState { get; private init; }

    /// <summary>The client token alone, so that a refusal of the rest can carry it.</summary>
    public static string? TokenOf(JsonElement body) =>
        body.TryGetProperty("clientToken", out var token) && token.ValueKind == JsonValueKind.String && token.GetString() is { Length: <= MaxTokenChars } text ? text : null;

    /// <param name="body">A JSON object.</param>
    /// <param name="documentByDefault">Whether the document is included when the request doesn't say.</param>
    /// <exception cref="RefusedException">InvalidRequest.</exception>
    public static JobsRequest Parse(JsonElement body, bool documentByDefault)
    {
        if (body.TryGetProperty("clientToken", out _) && TokenOf(body) is null)
        {
            throw RefusedException.Invalid($"clientToken must be text of at most {MaxTokenChars} characters");
        }

        var step = Integer(body, "stepTimeoutInMinutes");
        if (step is not (null or -1 or (>= 1 and <= 10_080)))
        {
            throw RefusedException.Invalid("stepTimeoutInMinutes must be -1 or 1 to 10080");
        }

        return new JobsRequest
        {
            ClientToken = TokenOf(body),
            Status = Text(body, "status"),
            Details = body.TryGetProperty("statusDetails", out var details) && details.ValueKind != JsonValueKind.Null ? DeviceJobs.ParseDetails(details) : null,
            ExpectedVersion = Integer(body, "expectedVersion"),
            ExecutionNumber = Integer(body, "executionNumber"),
            StepTimeoutMinutes = step,
            IncludeJobDocument = Flag(body, "includeJobDocument") ?? documentByDefault,
            IncludeExecutionState = Flag(body, "includeJobExecutionState") ?? false,
        };
    }

    private static string? Text(JsonElement body, string name) => !body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw RefusedException.Invalid($"{name} must be text");

    private static bool? Flag(JsonElement body, string name) => !body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw RefusedException.Invalid($"{name} must be true or false");

    /// <summary>The SDKs send numbers, the C library decimal text.</summary>
    private static long? Integer(JsonElement body, string name)
    {
        if (!body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number))
            || (value.ValueKind == JsonValueKind.String && long.TryParse(value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number))
            ? number
            : throw RefusedException.Invalid($"{name} must be a whole number");
    }
}
