using System.Text.Json;

namespace OtaOrchestrator.Aws.CodeDeploy;

/// <summary>What a deployment group did last.</summary>
/// <param name="Last">Id of the last deployment that anybody started; empty for none.</param>
/// <param name="At">Epoch seconds when it was read.</param>
internal sealed record GroupState(string Last, long At)
{
    public static GroupState? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<GroupState>(json);

    public string ToJson() => JsonSerializer.Serialize(this);
}
