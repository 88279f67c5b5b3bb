using System.Text.Json.Serialization;
using OtaOrchestrator.Agent.Jobs;
using OtaOrchestrator.Agent.Slots;

namespace OtaOrchestrator.Agent.Storage;

/// <summary>
/// All that a device must remember, in one file: what it has accepted, what its slots hold, which one boots, and the job it works on. One file, so that one atomic
/// rename takes all of it from one consistent state to the next.
/// </summary>
public sealed record DeviceRecord
{
    public const int CurrentFormat = 1;

    public int Format { get; init; } = CurrentFormat;

    /// <summary>Images with a lower security counter are refused. Raised on confirmation only.</summary>
    public long SecurityCounter { get; init; }

    /// <summary>The highest sequence of the manifests that were accepted.</summary>
    public long Sequence { get; init; }

    /// <summary>SHA-256 of the manifest with that sequence, hex.</summary>
    public string AcceptedManifest { get; init; } = "";

    /// <summary>The slot that boots for good.</summary>
    public SlotName Active { get; init; }

    /// <summary>The slot that boots until it is confirmed, reverted or out of attempts.</summary>
    public SlotName? Trial { get; init; }

    /// <summary>How often the slot on trial may still be booted.</summary>
    public int AttemptsLeft { get; init; }

    /// <summary>Why the last trial was given up.</summary>
    public string? RevertReason { get; init; }

    /// <summary>More of it, for people.</summary>
    public string? RevertDetail { get; init; }

    public SlotContent? SlotA { get; init; }

    public SlotContent? SlotB { get; init; }

    /// <summary>The newest job, with its outcome.</summary>
    public JobRecord? Job { get; init; }

    public SlotContent? this[SlotName slot] => slot == SlotName.A ? SlotA : SlotB;

    public DeviceRecord With(SlotName slot, SlotContent? content) => slot == SlotName.A ? this with { SlotA = content } : this with { SlotB = content };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(DeviceRecord))]
internal sealed partial class RecordJson : JsonSerializerContext;
