using System.Globalization;
using System.Text.Json;
using Amazon.Lambda.Model;

namespace OtaOrchestrator.Aws.Lambda;

/// <summary>Where an alias sends requests: to one version, and a share of them to another.</summary>
/// <param name="Version">Gets what <paramref name="Added"/> does not.</param>
/// <param name="Added">The other version; null for none.</param>
/// <param name="Weight">Of the other version, 0 to 1.</param>
/// <param name="RevisionId">Changes with every write, also with one that changes nothing.</param>
/// <param name="Since">Epoch seconds when this was read first.</param>
internal sealed record AliasState(string Version, string? Added, double Weight, string RevisionId, long Since)
{
    public static AliasState Of(GetAliasResponse alias, DateTimeOffset now)
    {
        var added = alias.RoutingConfig?.AdditionalVersionWeights is { Count: > 0 } weights ? weights.First() : default;
        return new AliasState(alias.FunctionVersion, added.Key, added.Value, alias.RevisionId, now.ToUnixTimeSeconds());
    }

    public static AliasState? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<AliasState>(json);

    public string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>Requests go to the same places, whatever the revision.</summary>
    public bool Serves(AliasState other) => Version == other.Version && Added == other.Added && Math.Abs(Weight - other.Weight) < 1e-9;

    public double ShareOf(string version) => (Version == version ? 1 - Weight : 0) + (Added == version ? Weight : 0);

    /// <summary>Whether a request to change the alias, as CloudTrail keeps it, asked for this: what it left out stayed as it was.</summary>
    public bool IsMadeBy(JsonElement request, string function, string alias)
    {
        string? Text(string name) => request.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (Text("name") != alias || Text("functionName") is not { } named || (named != function && !function.EndsWith(":" + named, StringComparison.Ordinal) && !named.EndsWith(":" + function, StringComparison.Ordinal)))
        {
            return false;
        }

        if (Text("functionVersion") is { } version && version != Version)
        {
            return false;
        }

        if (!request.TryGetProperty("routingConfig", out var routing) || routing.ValueKind != JsonValueKind.Object)
        {
            return true;
        }

        var weights = routing.EnumerateObject().Where(member => member.Name.Equals("additionalVersionWeights", StringComparison.OrdinalIgnoreCase) && member.Value.ValueKind == JsonValueKind.Object)
            .SelectMany(member => member.Value.EnumerateObject()).ToList();
        return Added is null ? weights.Count == 0 : weights is [var only] && only.Name == Added && Math.Abs(only.Value.GetDouble() - Weight) < 1e-9;
    }

    public override string ToString() => Added is null ? $"all to {Version}" : string.Create(CultureInfo.InvariantCulture, $"{1 - Weight:0.##%} to {Version}, {Weight:0.##%} to {Added}");
}
