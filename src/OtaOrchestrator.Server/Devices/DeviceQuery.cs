using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.IoT.Adoption;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Errors;

namespace OtaOrchestrator.Server.Devices;

/// <summary>Turns a list's filter into a query of the fleet index.</summary>
internal static class DeviceQuery
{
    private static readonly Dictionary<string, string> Fields = new(StringComparer.Ordinal)
    {
        ["release"] = "shadow.name.ota.reported.release",
        ["digest"] = "shadow.name.ota.reported.digest",
        ["health"] = "shadow.name.ota.reported.health",
        ["outcome"] = "shadow.name.ota.reported.job.outcome",
        ["reason"] = "shadow.name.ota.reported.job.reason",
        ["job"] = "shadow.name.ota.reported.job.id",
        ["hardware"] = "shadow.name.ota.reported.hardware",
        ["connected"] = "connectivity.connected",
        ["group"] = "thingGroupNames",
    };

    public static IReadOnlyDictionary<string, string> Terms(string filter) => Filter.Parse(filter, [.. Fields.Keys, "fleet", "revoked", "tail"]);

    /// <param name="version">Where the devices that are asked about say what they run.</param>
    public static string Field(string name, VersionSource version) => name == "release" && !version.IsAgent
        ? version.IndexField ?? throw RefusedException.Invalid("by", $"knows no release of devices that say it in {version}")
        : Fields.TryGetValue(name, out var field) ? field : throw RefusedException.Invalid("by", $"knows no {Names.Shown(name)}");

    /// <param name="known">The environment's fleets.</param>
    /// <param name="fleets">Those of them that are asked about; nothing outside them is shown.</param>
    /// <returns>Empty where the filter asks about none of these.</returns>
    public static string Of(string filter, IReadOnlyList<string> known, IReadOnlyList<string> fleets, VersionSource version)
    {
        var terms = Terms(filter);
        if (terms.TryGetValue("fleet", out var fleet) && !known.Contains(fleet))
        {
            throw RefusedException.Invalid("filter", $"{Names.Shown(fleet)} is no fleet of this environment");
        }
        var within = fleet is null ? fleets : [.. fleets.Where(one => one == fleet)];
        if (within.Count == 0)
        {
            return "";
        }
        List<string> parts = [within.Count == 1 ? $"thingGroupNames:{within[0]}" : $"thingGroupNames:({string.Join(" OR ", within)})"];
        foreach (var (name, value) in terms.Where(term => term.Key is not ("fleet" or "revoked" or "tail")))
        {
            parts.Add($"{Field(name, version)}:{Quoted(value)}");
        }
        if (terms.TryGetValue("revoked", out var revoked))
        {
            parts.Add($"{(Filter.Truth("revoked", revoked) ? "" : "NOT ")}attributes.{IotDevices.RevokedAttribute}:*");
        }
        return string.Join(" AND ", parts);
    }

    public static string Quoted(string value) =>
        value.Contains('"', StringComparison.Ordinal) || value.Contains('\\', StringComparison.Ordinal) ? throw RefusedException.Invalid("filter", "has no quotes inside values") : $"\"{value}\"";
}
