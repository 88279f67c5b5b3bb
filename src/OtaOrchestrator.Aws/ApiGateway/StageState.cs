using System.Globalization;
using System.Text.Json;
using Amazon.APIGateway.Model;

namespace OtaOrchestrator.Aws.ApiGateway;

/// <summary>Where a stage sends requests: to one deployment, and a share of them to another.</summary>
/// <param name="Deployment">Gets what <paramref name="Canary"/> does not.</param>
/// <param name="Canary">The other deployment; null for none.</param>
/// <param name="Percent">Of the other deployment, 0 to 100.</param>
/// <param name="Overrides">Stage variables of the canary alone, as <c>name=value</c> in order.</param>
/// <param name="Since">Epoch seconds when this was read first.</param>
internal sealed record StageState(string Deployment, string? Canary, double Percent, string Overrides, long Since)
{
    public static StageState Of(GetStageResponse stage, DateTimeOffset now)
    {
        var overrides = stage.CanarySettings?.StageVariableOverrides ?? [];
        return new StageState(
            stage.DeploymentId, stage.CanarySettings?.DeploymentId, stage.CanarySettings?.PercentTraffic ?? 0,
            string.Join(' ', overrides.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}={one.Value}")), now.ToUnixTimeSeconds());
    }

    public static StageState? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<StageState>(json);

    public string ToJson() => JsonSerializer.Serialize(this);

    public bool Serves(StageState other) => Deployment == other.Deployment && Canary == other.Canary && Math.Abs(Percent - other.Percent) < 1e-9 && Overrides == other.Overrides;

    public double ShareOf(string deployment) => (Deployment == deployment ? 1 - (Percent / 100) : 0) + (Canary == deployment ? Percent / 100 : 0);

    public override string ToString() => Canary is null ? $"all to {Deployment}" : string.Create(CultureInfo.InvariantCulture, $"{100 - Percent:0.##}% to {Deployment}, {Percent:0.##}% to {Canary}")
        + (Overrides.Length > 0 ? $" with {Overrides}" : "");
}
