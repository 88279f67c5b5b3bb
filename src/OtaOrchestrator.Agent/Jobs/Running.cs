using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Jobs;

/// <summary>What belongs to one boot of a device.</summary>
internal sealed record Running(AgentOptions Options, IDevice Device, SlotFiles Slots, DeviceStore Store, Boot Boot, TimeProvider Time, Action<AgentEvent>? Events)
{
    /// <summary>Seconds since the epoch.</summary>
    public long Now => Time.GetUtcNow().ToUnixTimeSeconds();

    public void Tell(string what, string text) => Events?.Invoke(new AgentEvent(Options.Thing, what, text));
}
