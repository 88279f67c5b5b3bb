using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Shadows;

namespace OtaOrchestrator.DevicePlane.Index;

/// <summary>A thing as queries see it: an immutable snapshot, replaced when the thing changes.</summary>
internal sealed class IndexedThing(ThingRecord record, NamedShadow[] shadows, bool connected)
{
    public ThingRecord Record { get; } = record;

    public NamedShadow[] Shadows { get; } = shadows;

    public bool Connected { get; } = connected;
}
