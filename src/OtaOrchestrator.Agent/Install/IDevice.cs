using OtaOrchestrator.Agent.Health;
using OtaOrchestrator.Agent.Slots;

namespace OtaOrchestrator.Agent.Install;

/// <summary>Which slot runs, and since which boot.</summary>
public sealed record Boot(SlotName Slot, string BootId);

/// <summary>The hardware under the agent: flash, boot, and whether the image works. A real one runs commands, a simulated one asks the image.</summary>
public interface IDevice
{
    /// <summary>Called when the agent starts and after each <see cref="RebootAsync"/>: what was booted.</summary>
    Task<Boot> BootAsync(SlotFiles slots, CancellationToken cancellation);

    /// <summary>Writes the verified image file to the slot that does not boot.</summary>
    /// <exception cref="InstallException">It could not be written.</exception>
    Task InstallAsync(SlotName slot, string imageFile, CancellationToken cancellation);

    /// <summary>The image's own check of itself, after boot and before it is confirmed. Null when it passed, else what is wrong.</summary>
    Task<string?> SelfTestAsync(CancellationToken cancellation);

    /// <summary>Comes back once there is a network.</summary>
    Task NetworkAsync(CancellationToken cancellation);

    /// <summary>How the image does now.</summary>
    Task<HealthReport> HealthAsync(CancellationToken cancellation);

    /// <summary>Tells the boot loader that the slot on trial is good. Repeated after a power loss.</summary>
    Task ConfirmAsync(SlotName slot, CancellationToken cancellation);

    /// <summary>Ends what runs and boots. A real device does not come back from it.</summary>
    Task RebootAsync(CancellationToken cancellation);
}

/// <summary>The image was good, the installation was not.</summary>
public sealed class InstallException(string message) : Exception(message);
