using System.Text.Json;
using System.Text.Json.Serialization;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Server.Store;

/// <summary>How the core's records stand in the store: names and order as declared, no white space, so that equal records have equal bytes.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Rollout))]
[JsonSerializable(typeof(Signal))]
[JsonSerializable(typeof(TargetOrder))]
[JsonSerializable(typeof(Judgement))]
[JsonSerializable(typeof(Observation))]
[JsonSerializable(typeof(LaneProgress))]
[JsonSerializable(typeof(JournalContent))]
public sealed partial class StoredJson : JsonSerializerContext
{
    public static string Of(Rollout rollout) => JsonSerializer.Serialize(rollout, Default.Rollout);

    public static Rollout RolloutOf(string json) => JsonSerializer.Deserialize(json, Default.Rollout) ?? throw new InvalidDataException("a rollout is null");
}

/// <summary>What a lane's target showed last.</summary>
public sealed record LaneProgress
{
    public string Detail { get; init; } = "";
    public Judgement? Judgement { get; init; }

    /// <summary>The lane's when <see cref="Judgement"/> was made.</summary>
    public int Attempt { get; init; }
    public Observation? Observation { get; init; }
    public Reading? Reading { get; init; }
    public Restoration? Restoration { get; init; }
    public long Members { get; init; }
    public string Error { get; init; } = "";
}

/// <summary>The canonical content of a journal entry: enough to decide it again.</summary>
/// <param name="AtMs">Epoch milliseconds.</param>
/// <param name="NextSha256">Of the rollout's stored bytes after the entry, hex.</param>
public sealed record JournalContent(string Environment, string Rollout, long Revision, long AtMs, Signal Signal, string NextSha256);
