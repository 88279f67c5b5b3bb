using System.Diagnostics;
using OtaOrchestrator.Agent.Health;
using OtaOrchestrator.Agent.Slots;

namespace OtaOrchestrator.Agent.Install;

/// <summary>
/// The commands of a real device, each a program with its arguments. <c>{file}</c> stands for the verified image, <c>{slot}</c> for A or B. A command that is not set is left
/// out. With RAUC: <c>install: ["rauc","install","{file}"]</c>, <c>confirm: ["rauc","status","mark-good"]</c>.
/// </summary>
public sealed record DeviceCommands
{
    public string[] Install { get; init; } = [];

    /// <summary>Prints the slot that runs, A or B. Without it the agent's own record decides, and counts the boots.</summary>
    public string[] BootedSlot { get; init; } = [];

    /// <summary>Exit code 0: passed. Else the first line of its output says what is wrong.</summary>
    public string[] SelfTest { get; init; } = [];

    /// <summary>As <see cref="SelfTest"/>, at each check-in.</summary>
    public string[] Health { get; init; } = [];

    public string[] Confirm { get; init; } = [];

    /// <summary>Tells the boot loader not to boot the slot that runs again, for its image was given up; the reboot follows. With RAUC: <c>["rauc","status","mark-bad"]</c>.</summary>
    public string[] Revert { get; init; } = [];

    public string[] Reboot { get; init; } = [];
}

/// <summary>A real device: flash and boot are done by the system's own tools.</summary>
public sealed class CommandDevice(DeviceCommands commands, TimeSpan timeout, TimeProvider time) : IDevice
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";
    private const int OutputCharactersMax = 4096;

    public async Task<Boot> BootAsync(SlotFiles slots, CancellationToken cancellation)
    {
        string bootId = File.Exists(BootIdFile) ? (await File.ReadAllTextAsync(BootIdFile, cancellation)).Trim() : Guid.NewGuid().ToString();
        if (commands.BootedSlot.Length == 0)
        {
            return new Boot(slots.ChooseAtPowerOn(), bootId);
        }
        var (code, output) = await RunAsync(commands.BootedSlot, null, null, cancellation);
        SlotName? booted = output switch { "A" => SlotName.A, "B" => SlotName.B, _ => null };
        if (code != 0 || booted is not { } slot)
        {
            throw new InvalidDataException($"the command for the booted slot ended with {code} and said '{output}', not A or B");
        }
        if (slots.ChooseAtPowerOn() == slot)
        {
            return new Boot(slot, bootId);
        }
        if (slots.IsOnTrial)
        {
            slots.GiveUp("CRASH_LOOP", "the boot loader went back");
            return new Boot(slot, bootId);
        }
        // The image was given up, and the boot loader boots it all the same: it knows nothing of that yet. Without commands for it, the agent at least says what runs.
        if (commands.Revert.Length > 0 && await RunAsync(commands.Revert, slot, null, cancellation) is (not 0, var trouble))
        {
            throw new InvalidDataException($"{commands.Revert[0]}: {trouble}");
        }
        await RebootAsync(cancellation);
        return new Boot(slot, bootId);
    }

    public async Task InstallAsync(SlotName slot, string imageFile, CancellationToken cancellation)
    {
        if (commands.Install.Length == 0)
        {
            return;
        }
        var (code, output) = await RunAsync(commands.Install, slot, imageFile, cancellation);
        if (code != 0)
        {
            throw new InstallException($"{commands.Install[0]} ended with {code}: {output}");
        }
    }

    public async Task<string?> SelfTestAsync(CancellationToken cancellation) => await WrongAsync(commands.SelfTest, cancellation);

    public Task NetworkAsync(CancellationToken cancellation) => Task.CompletedTask;

    public async Task<HealthReport> HealthAsync(CancellationToken cancellation) =>
        await WrongAsync(commands.Health, cancellation) is { } wrong ? new HealthReport(HealthState.Unhealthy, wrong) : new HealthReport(HealthState.Healthy);

    public async Task ConfirmAsync(SlotName slot, CancellationToken cancellation)
    {
        if (commands.Confirm.Length > 0 && await RunAsync(commands.Confirm, slot, null, cancellation) is (not 0, var output))
        {
            throw new InstallException($"{commands.Confirm[0]}: {output}");
        }
    }

    /// <summary>Runs the command and waits to be ended by it; without one, comes back, as after a boot.</summary>
    public async Task RebootAsync(CancellationToken cancellation)
    {
        if (commands.Reboot.Length > 0)
        {
            var (code, output) = await RunAsync(commands.Reboot, null, null, cancellation);
            if (code != 0)
            {
                throw new InvalidDataException($"{commands.Reboot[0]} ended with {code}: {output}");
            }
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellation);
        }
    }

    private async Task<string?> WrongAsync(string[] command, CancellationToken cancellation)
    {
        if (command.Length == 0)
        {
            return null;
        }
        var (code, output) = await RunAsync(command, null, null, cancellation);
        return code == 0 ? null : output.Length > 0 ? output : $"{command[0]} ended with {code}";
    }

    private async Task<(int Code, string FirstLine)> RunAsync(string[] command, SlotName? slot, string? file, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument.Replace("{file}", file, StringComparison.Ordinal).Replace("{slot}", slot?.ToString(), StringComparison.Ordinal));
        }
        try
        {
            using var process = Process.Start(start) ?? throw new InstallException($"{command[0]} did not start");
            using var patience = new CancellationTokenSource(timeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
            try
            {
                var errors = process.StandardError.ReadToEndAsync(either.Token);
                string output = await process.StandardOutput.ReadToEndAsync(either.Token);
                string text = output.Trim().Length > 0 ? output.Trim() : (await errors).Trim();
                await process.WaitForExitAsync(either.Token);
                string line = text.Split('\n')[0];
                return (process.ExitCode, line.Length <= OutputCharactersMax ? line : line[..OutputCharactersMax]);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellation.ThrowIfCancellationRequested();
                return (-1, $"{command[0]} took longer than {timeout}");
            }
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return (-1, $"{command[0]}: {error.Message}");
        }
    }
}
