using OtaOrchestrator.Agent.Health;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Jobs;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Tests.Install;

/// <summary>The commands are scripts over two files: the slot that the boot loader boots, and a list of what was called.</summary>
public sealed class CommandDeviceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agent-").FullName;
    private readonly SlotFiles _slots;
    private readonly DeviceStore _store;

    public CommandDeviceTests()
    {
        var disk = new Disk();
        _store = new DeviceStore(disk, _folder);
        _slots = new SlotFiles(disk, _store, _folder);
        _slots.Provision(FleetBench.Sample("2.3.1"), Images.Content(FleetBench.Sample("2.3.1")));
        BootLoader = "A";
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string BootLoader
    {
        set => File.WriteAllText(Path.Combine(_folder, "booted"), value);
    }

    private string[] Called => File.Exists(Path.Combine(_folder, "called")) ? File.ReadAllLines(Path.Combine(_folder, "called")) : [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_image_is_installed_by_the_command_with_the_verified_file()
    {
        await Device().InstallAsync(SlotName.B, "/var/firmware with space.img", Cancellation);

        Assert.Equal(["install B /var/firmware with space.img"], Called);
    }

    [Fact]
    public async Task An_installation_that_fails_says_why()
    {
        var error = await Assert.ThrowsAsync<InstallException>(() => Device(Shell("echo 'no space left' >&2; exit 7")).InstallAsync(SlotName.B, "x", Cancellation));

        Assert.Contains("7", error.Message, StringComparison.Ordinal);
        Assert.Contains("no space left", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_does_not_exist_or_does_not_end_is_a_failure()
    {
        await Assert.ThrowsAsync<InstallException>(() => Device(["/nowhere/rauc"]).InstallAsync(SlotName.B, "x", Cancellation));
        var error = await Assert.ThrowsAsync<InstallException>(() => Device(Shell("sleep 600"), TimeSpan.FromMilliseconds(300)).InstallAsync(SlotName.B, "x", Cancellation));
        Assert.Contains("took longer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trial_that_the_boot_loader_went_back_from_is_given_up()
    {
        PutOnTrial();
        BootLoader = "A";

        Assert.Equal(SlotName.A, (await Device().BootAsync(_slots, Cancellation)).Slot);
        Assert.Equal((null, "CRASH_LOOP"), (_store.Current.Trial, _store.Current.RevertReason));
        Assert.Empty(Called);
    }

    [Fact]
    public async Task An_image_on_trial_boots()
    {
        PutOnTrial();
        BootLoader = "B";

        Assert.Equal(SlotName.B, (await Device().BootAsync(_slots, Cancellation)).Slot);
        Assert.Equal(SlotName.B, _store.Current.Trial);
        Assert.Empty(Called);
    }

    [Fact]
    public async Task An_image_that_was_given_up_and_boots_again_is_left_by_revert_and_reboot()
    {
        PutOnTrial();
        _slots.GiveUp("SELF_TEST", "sensor does not answer");
        BootLoader = "B";
        using var power = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var booting = Device().BootAsync(_slots, power.Token);

        await Wait.UntilAsync(() => Called.Length == 2, () => string.Join(',', Called));
        Assert.Equal(["revert B", "reboot"], Called);
        // Nothing is served from it until the machine goes down.
        Assert.False(booting.IsCompleted);
        await power.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => booting);
    }

    [Fact]
    public async Task Boots_without_a_confirmation_run_out_and_the_image_is_left()
    {
        PutOnTrial();
        BootLoader = "B";
        for (int boot = 0; boot < SlotFiles.BootAttempts; boot++)
        {
            Assert.Equal(SlotName.B, (await Device().BootAsync(_slots, Cancellation)).Slot);
        }
        using var power = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var last = Device().BootAsync(_slots, power.Token);

        await Wait.UntilAsync(() => Called.Length == 2, () => string.Join(',', Called));
        Assert.Equal((null, "CRASH_LOOP"), (_store.Current.Trial, _store.Current.RevertReason));
        await power.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => last);
    }

    [Theory]
    [InlineData("C")]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("A, B")]
    public async Task A_slot_that_does_not_exist_is_not_believed(string said)
    {
        BootLoader = said;

        await Assert.ThrowsAsync<InvalidDataException>(() => Device().BootAsync(_slots, Cancellation));
    }

    [Fact]
    public async Task Self_test_and_health_are_what_their_commands_say()
    {
        var good = new CommandDevice(new DeviceCommands { SelfTest = ["true"], Health = ["true"] }, TimeSpan.FromSeconds(20), TimeProvider.System);
        var bad = new CommandDevice(new DeviceCommands { SelfTest = Shell("echo sensor; echo more; exit 1"), Health = ["false"] }, TimeSpan.FromSeconds(20), TimeProvider.System);

        Assert.Null(await good.SelfTestAsync(Cancellation));
        Assert.Equal(new HealthReport(HealthState.Healthy), await good.HealthAsync(Cancellation));
        Assert.Equal("sensor", await bad.SelfTestAsync(Cancellation));
        Assert.Equal(HealthState.Unhealthy, (await bad.HealthAsync(Cancellation)).State);
    }

    [Fact]
    public async Task An_image_that_the_boot_loader_will_not_take_note_of_is_given_up()
    {
        await using var bench = await FleetBench.StartAsync();
        var options = await bench.OptionsAsync("0001");
        Directory.CreateDirectory(options.StateDirectory);
        // Install, boot and reboot leave it to the agent's own record; only the confirmation fails.
        var device = new CommandDevice(new DeviceCommands { Confirm = Shell("echo read-only; exit 1") }, TimeSpan.FromSeconds(20), TimeProvider.System);
        var agent = new DeviceAgent(options, device, new Disk(), TimeProvider.System);
        agent.Slots.Provision(FleetBench.Sample("2.3.1"), Images.Content(FleetBench.Sample("2.3.1")));
        using var power = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var running = Task.Run(() => agent.RunAsync(power.Token));
        await bench.ReportAsync(options.Thing, s => s.GetProperty("release").GetString() == "thermostat-fw@2.3.1");

        var job = await bench.OfferAsync(FleetBench.Sample("2.4.0"), options.Thing);
        var report = await bench.OutcomeAsync(options.Thing, job);

        Assert.Equal("reverted", report.GetProperty("job").GetProperty("outcome").GetString());
        Assert.Contains("read-only", report.GetProperty("job").GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("thermostat-fw@2.3.1", report.GetProperty("release").GetString());
        Assert.Equal("FAILED", await bench.StatusAsync(job, options.Thing));
        await power.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static string[] Shell(string script) => ["sh", "-c", script];

    private CommandDevice Device(string[]? install = null, TimeSpan? timeout = null)
    {
        string[] Note(params string[] words) => ["sh", "-c", "echo \"$*\" >> \"$0\"", Path.Combine(_folder, "called"), .. words];
        return new CommandDevice(
            new DeviceCommands
            {
                Install = install ?? Note("install", "{slot}", "{file}"), BootedSlot = ["cat", Path.Combine(_folder, "booted")], Revert = Note("revert", "{slot}"), Reboot = Note("reboot"),
            },
            timeout ?? TimeSpan.FromSeconds(20), TimeProvider.System);
    }

    private void PutOnTrial()
    {
        var successor = Path.Combine(_folder, "successor.part");
        File.Copy(FleetBench.Sample("2.4.0"), successor);
        _store.Save(_store.Current with { Job = new JobRecord("job-1", 1, "thermostat-fw@2.4.0", null, 1) });
        _slots.Fill(successor, Images.Content(FleetBench.Sample("2.4.0")));
        _slots.StartTrial();
    }
}
