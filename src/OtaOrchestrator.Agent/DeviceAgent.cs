using System.Security.Cryptography.X509Certificates;
using OtaOrchestrator.Agent.Download;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Jobs;
using OtaOrchestrator.Agent.Mqtt;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent;

/// <summary>
/// The agent of one device: boots, enrols, connects, and carries out its jobs until it is cancelled. Many fit into one process.
/// </summary>
public sealed class DeviceAgent
{
    private static readonly TimeSpan SteadyAfter = TimeSpan.FromSeconds(10);
    private readonly AgentOptions _options;
    private readonly IDevice _device;
    private readonly Disk _disk;
    private readonly TimeProvider _time;
    private readonly Action<AgentEvent>? _events;
    private readonly Enrolment.Enrolment _enrolment;

    /// <exception cref="InvalidDataException">The device's record is damaged.</exception>
    public DeviceAgent(AgentOptions options, IDevice device, Disk disk, TimeProvider time, Action<AgentEvent>? events = null)
    {
        (_options, _device, _disk, _time, _events) = (options, device, disk, time, events);
        Store = new DeviceStore(disk, options.StateDirectory);
        Slots = new SlotFiles(disk, Store, options.StateDirectory);
        _enrolment = new Enrolment.Enrolment(options, disk, time);
    }

    public DeviceStore Store { get; }

    public SlotFiles Slots { get; }

    public string Thing => _options.Thing;

    public bool IsEnrolled => _enrolment.IsDone;

    /// <summary>Gets the device its own certificate; tries again until it has it.</summary>
    /// <exception cref="Enrolment.EnrolmentException">The service refused.</exception>
    public async Task<X509Certificate2> EnrolAsync(CancellationToken cancellation)
    {
        var backoff = new Backoff(_options.BackoffFirst, _options.BackoffMax, _time);
        while (true)
        {
            try
            {
                bool before = _enrolment.IsDone;
                var identity = await _enrolment.EnrolAsync(cancellation);
                if (!before)
                {
                    Tell("enrolled", identity.Subject);
                }
                return identity;
            }
            catch (ConnectionException error)
            {
                Tell("disconnected", error.Message);
                await backoff.WaitAsync(cancellation);
            }
        }
    }

    /// <summary>Runs until cancelled, through as many boots as it takes.</summary>
    /// <exception cref="Enrolment.EnrolmentException">The device isn't enrolled and the service refused to.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var boot = await _device.BootAsync(Slots, cancellation);
            var running = new Running(_options, _device, Slots, Store, boot, _time, _events);
            if (Store.Current.Trial is { } trial && trial != boot.Slot)
            {
                // A boot loader with a mind of its own went back by itself; what does not run must not be confirmed.
                Slots.GiveUp("CRASH_LOOP", "the boot loader went back to the slot before");
            }
            Trial.Settle(running);
            Tell("booted", $"{Store.Current[boot.Slot]?.Release} in slot {boot.Slot}{(Store.Current.Trial is null ? "" : ", on trial")}");
            if (Store.Current.Trial is null)
            {
                await ServeAsync(running, null, cancellation);
            }
            else
            {
                await TryAsync(running, cancellation);
            }
            Tell("rebooting", "");
            await _device.RebootAsync(cancellation);
        }
    }

    /// <summary>Serves against the clock until the image is confirmed; an image that isn't is given up.</summary>
    private async Task TryAsync(Running running, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(_options.ConfirmTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        bool isTested = false;
        try
        {
            if (await _device.SelfTestAsync(either.Token) is { } wrong)
            {
                Slots.GiveUp("SELF_TEST", wrong);
                return;
            }
            isTested = true;
            await ServeAsync(running, deadline, either.Token);
        }
        catch (Install.InstallException error)
        {
            // The boot loader does not take note of the image, so it can't be relied on to boot it again.
            Slots.GiveUp("CONFIRM_TIMEOUT", error.Message);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            if (Store.Current.Trial is null)
            {
                // Confirmed in the last moment.
                await ServeAsync(running, null, cancellation);
                return;
            }
            Slots.GiveUp(!isTested ? "SELF_TEST" : _connected ? "CONFIRM_TIMEOUT" : "NO_NETWORK", $"not confirmed within {_options.ConfirmTimeout}");
        }
    }

    private bool _connected;

    /// <summary>Stays connected, and comes back when there is an image to boot.</summary>
    private async Task ServeAsync(Running running, CancellationTokenSource? deadline, CancellationToken cancellation)
    {
        _connected = false;
        await _device.NetworkAsync(cancellation);
        using var identity = await EnrolAsync(cancellation);
        var backoff = new Backoff(_options.BackoffFirst, _options.BackoffMax, _time);
        while (true)
        {
            long since = _time.GetTimestamp();
            try
            {
                await using var connection = await DeviceConnection.OpenAsync(_options, _options.Thing, identity, _time, cancellation);
                _connected = true;
                Tell("connected", "");
                var jobs = new JobsClient(connection, _options.Thing);
                var update = new UpdateRun(jobs, new ImageDownload(_options, _disk, identity, _time), _disk, running);
                var trial = new Trial(jobs, running, () => deadline?.CancelAfter(Timeout.InfiniteTimeSpan));
                await new Session(connection, jobs, update, trial, running).RunAsync(cancellation);
                return;
            }
            catch (ConnectionException error)
            {
                Tell("disconnected", error.Message);
            }
            if (_time.GetElapsedTime(since) > SteadyAfter)
            {
                backoff.Reset();
            }
            await backoff.WaitAsync(cancellation);
        }
    }

    private void Tell(string what, string text) => _events?.Invoke(new AgentEvent(_options.Thing, what, text));
}
