using System.Text.Json;
using OtaOrchestrator.DevicePlane.Registry;

namespace OtaOrchestrator.DevicePlane;

/// <summary>A thing as the plane has it. <see cref="Shadows"/> maps a shadow's name to what the device reports, as JSON.</summary>
public sealed record DevicePlaneThing(string Name, string? Fleet, IReadOnlyList<string> Groups, bool Connected, bool Revoked, IReadOnlyDictionary<string, JsonElement> Shadows);

/// <summary>A job as the plane has it. <see cref="Executions"/> maps a thing's name to the status of its newest execution.</summary>
public sealed record DevicePlaneJob(string Id, string Status, string Document, IReadOnlyDictionary<string, string> Executions);

/// <summary>All that is durable at one moment. Made for checks, not for polling.</summary>
public sealed record DevicePlaneSnapshot(IReadOnlyList<DevicePlaneThing> Things, IReadOnlyList<string> Groups, IReadOnlyList<DevicePlaneJob> Jobs)
{
    internal static DevicePlaneSnapshot Of(PlaneState state) => new(
        [.. state.Things.Values.Select(t => new DevicePlaneThing(
            t.Name, t.Record.Fleet, [.. t.Record.Groups], t.Connected,
            t.Record.CertificateId is { } id && state.Certificates[id].Status == CertificateStatus.REVOKED,
            t.Shadows.Where(s => s.Reported is not null).ToDictionary(s => s.Name, s => JsonElement.Parse(s.Reported!), StringComparer.Ordinal)))],
        [.. state.Groups.Keys],
        [.. state.Jobs.Values.Select(j => new DevicePlaneJob(
            j.Id, j.Record.Status.ToString(), j.Record.Document, j.Executions.ToDictionary(e => e.Key, e => e.Value.Status.ToString(), StringComparer.Ordinal)))]);
}
