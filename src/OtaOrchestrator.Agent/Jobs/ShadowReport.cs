using System.Text.Json.Nodes;
using OtaOrchestrator.Agent.Health;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Jobs;

/// <summary>What a device says of itself in its named shadows <c>ota</c> and <c>$package</c>.</summary>
internal static class ShadowReport
{
    private const int TextCharactersMax = 256;

    /// <summary>All of it, as after a boot. A null removes what an earlier report said.</summary>
    public static JsonObject Whole(AgentOptions options, DeviceRecord record, Boot boot, HealthReport health, long now)
    {
        var running = record[boot.Slot];
        var other = record[SlotFiles.Other(boot.Slot)];
        var reported = CheckIn(health, now);
        reported["fleet"] = options.Fleet;
        reported["hardware"] = options.HardwareId;
        reported["release"] = running?.Release;
        reported["digest"] = running?.Digest;
        reported["previous"] = other?.Release;
        reported["previousDigest"] = other?.Digest;
        reported["slot"] = boot.Slot.ToString();
        reported["bootId"] = boot.BootId;
        reported["counter"] = record.SecurityCounter;
        reported["sequence"] = record.Sequence;
        reported["job"] = Job(record.Job);
        return reported;
    }

    public static JsonObject CheckIn(HealthReport health, long now) => new()
    {
        ["checkIn"] = now,
        ["health"] = health.State switch { HealthState.Healthy => "healthy", HealthState.Unhealthy => "unhealthy", _ => "unknown" },
        ["healthReason"] = health.Reason.Length == 0 ? null : Cut(health.Reason),
    };

    public static JsonObject? Job(JobRecord? job) => job is null ? null : new JsonObject
    {
        ["id"] = job.Id,
        ["startedAt"] = job.StartedAt,
        ["outcome"] = Name(job.Outcome),
        ["resolvedAt"] = job.ResolvedAt,
        ["reason"] = job.Reason,
        ["detail"] = job.Detail,
    };

    public static JsonObject Package(SlotContent content) => new() { [content.Release.Split('@')[0]] = new JsonObject { ["version"] = content.Version } };

    public static JsonObject Update(JsonObject reported) => new() { ["state"] = new JsonObject { ["reported"] = reported } };

    public static string Name(JobOutcome outcome) => outcome switch
    {
        JobOutcome.Started => "started",
        JobOutcome.Confirmed => "confirmed",
        JobOutcome.Failed => "failed",
        JobOutcome.Refused => "refused",
        JobOutcome.Reverted => "reverted",
        _ => "nothing",
    };

    public static string Status(JobOutcome outcome) => outcome switch
    {
        JobOutcome.Confirmed or JobOutcome.Nothing => "SUCCEEDED",
        JobOutcome.Refused => "REJECTED",
        JobOutcome.Started => "IN_PROGRESS",
        _ => "FAILED",
    };

    private static string Cut(string text) => text.Length <= TextCharactersMax ? text : text[..TextCharactersMax];
}
