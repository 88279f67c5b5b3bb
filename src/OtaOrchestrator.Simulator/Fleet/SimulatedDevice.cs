using System.Security.Cryptography;
using OtaOrchestrator.Agent.Health;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Slots;

namespace OtaOrchestrator.Simulator.Fleet;

/// <summary>
/// A device without the hardware: flash is files, booting is reading one, and what the image does is what it says of itself. Everything above it is the real agent.
/// </summary>
public sealed class SimulatedDevice(TimeSpan bootTime, TimeProvider time) : IDevice
{
    private ImageBehaviour _image = new();
    private long _healthySince;

    /// <summary>A boot loader that checks what it boots, and counts.</summary>
    /// <exception cref="InvalidDataException">The slot that boots for good doesn't hold what it should: a dead device.</exception>
    public async Task<Boot> BootAsync(SlotFiles slots, CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(bootTime, time, cancellation);
            var slot = slots.ChooseAtPowerOn();
            if (slots.Content(slot) is { } content && await IsIntactAsync(slots.PathOf(slot), content, cancellation))
            {
                _image = ImageBehaviour.Read(slots.PathOf(slot));
                if (_image.Boots)
                {
                    _healthySince = time.GetTimestamp();
                    return new Boot(slot, Guid.NewGuid().ToString());
                }
            }
            else if (!slots.IsOnTrial)
            {
                throw new InvalidDataException($"slot {slot} boots for good, but does not hold its image");
            }
        }
    }

    public Task InstallAsync(SlotName slot, string imageFile, CancellationToken cancellation) => Task.CompletedTask;

    public Task<string?> SelfTestAsync(CancellationToken cancellation) => Task.FromResult(_image.SelfTest);

    public Task NetworkAsync(CancellationToken cancellation) => _image.Network ? Task.CompletedTask : Task.Delay(Timeout.InfiniteTimeSpan, time, cancellation);

    public Task<HealthReport> HealthAsync(CancellationToken cancellation) => Task.FromResult(
        _image.UnhealthyAfterSeconds is { } seconds && time.GetElapsedTime(_healthySince).TotalSeconds >= seconds
            ? new HealthReport(HealthState.Unhealthy, _image.HealthReason ?? "")
            : new HealthReport(HealthState.Healthy));

    public Task ConfirmAsync(SlotName slot, CancellationToken cancellation)
    {
        _healthySince = time.GetTimestamp();
        return Task.CompletedTask;
    }

    public Task RebootAsync(CancellationToken cancellation) => Task.CompletedTask;

    private static async Task<bool> IsIntactAsync(string file, SlotContent content, CancellationToken cancellation)
    {
        if (!File.Exists(file))
        {
            return false;
        }
        await using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation)) == content.Sha256;
    }
}
