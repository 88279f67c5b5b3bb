using System.Text.Json;
using OtaOrchestrator.DevicePlane.Index;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Shadows;

/// <summary>
/// A named shadow: what the device reports and what is desired of it, as compact UTF-8 JSON objects, with the version that grows with each
/// change. The values that queries look at are laid out once, when the shadow changes.
/// </summary>
internal sealed class NamedShadow
{
    public NamedShadow(string name, long version, byte[]? reported, byte[]? desired)
    {
        Name = name;
        Version = version;
        Reported = reported;
        Desired = desired;
        Entries = reported is null ? [] : IndexEntry.Flatten(reported);
        HasDelta = ShadowMerge.Delta(desired, reported) is not null;
    }

    public string Name { get; }

    public long Version { get; }

    public byte[]? Reported { get; }

    public byte[]? Desired { get; }

    public bool HasDelta { get; }

    /// <summary>A deleted shadow keeps its version, so that a late update is still recognised as late.</summary>
    public bool IsDeleted => Reported is null && Desired is null;

    public IndexEntry[] Entries { get; }

    public ShadowRow ToRow(string thing) => new(thing, Name, Version, ToElement(Reported), ToElement(Desired));

    public static NamedShadow FromRow(ShadowRow row) => new(row.Name, row.Version, ToBytes(row.Reported), ToBytes(row.Desired));

    private static JsonElement? ToElement(byte[]? json) => json is null ? null : JsonElement.Parse(json);

    private static byte[]? ToBytes(JsonElement? element) => element is { ValueKind: JsonValueKind.Object } e ? ShadowMerge.ToBytes(e) : null;
}
