using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using OtaOrchestrator.Agent;
using OtaOrchestrator.Agent.Enrolment;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Signing;

namespace OtaOrchestrator.Simulator.Fleet;

/// <summary>Many real agents in one process, each with its own key, certificate, connection and directory.</summary>
public sealed class SimulatedFleet(FleetOptions options, TimeProvider time, Action<AgentEvent>? events = null)
{
    /// <summary>Enrolments at once; the server's TLS is the limit, and a device that waits costs nothing.</summary>
    private const int EnrolmentsAtOnce = 16;

    private readonly HashSet<string> _reported = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done when every device that is switched on has connected and reported once.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Devices that are switched on.</summary>
    public int Running { get; private set; }

    private bool _enrolled;

    /// <exception cref="InvalidDataException">A file isn't what it should be.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var (content, agents) = await PrepareAsync(cancellation);
        await EnrolAsync(agents, content, cancellation);
        var random = new Random(options.Seed);
        var on = agents.Where(_ => random.NextDouble() >= options.OfflineShare).ToList();
        (Running, _enrolled) = (on.Count, true);
        Check();
        await Task.WhenAll(on.Select(device => RunAsync(device, cancellation)));
    }

    private async Task<(SlotContent Content, List<(string Serial, DeviceAgent Agent)> Agents)> PrepareAsync(CancellationToken cancellation)
    {
        await using var image = File.OpenRead(options.InitialImageFile);
        var reading = await FirmwareImage.ReadAsync(image, cancellation);
        if (reading is not { Problem: ImageProblem.None, Header: { } header })
        {
            throw new InvalidDataException($"{options.InitialImageFile} {reading.Text}");
        }
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(options.CaFile);
        var shared = new AgentOptions
        {
            Endpoint = options.Mqtt, ServerAuthorities = authorities, Claim = X509Certificate2.CreateFromPemFile(options.ClaimCertificateFile, options.ClaimKeyFile),
            Fleet = options.Fleet, Serial = "", HardwareId = options.Hardware, StateDirectory = "",
            ReleaseKey = VerificationKey.FromPem(await File.ReadAllTextAsync(options.ReleaseKeyFile, cancellation)),
            CheckIn = options.CheckIn, ConfirmTimeout = options.ConfirmTimeout, StallTimeout = TimeSpan.FromSeconds(10),
            BackoffFirst = TimeSpan.FromMilliseconds(200), BackoffMax = TimeSpan.FromSeconds(4),
        };
        var agents = Enumerable.Range(1, options.Devices).Select(number =>
        {
            string serial = number.ToString("D4", CultureInfo.InvariantCulture);
            var own = shared with { Serial = serial, StateDirectory = Path.Combine(options.StateDirectory, serial) };
            var disk = new Disk();
            Directory.CreateDirectory(own.StateDirectory);
            var device = new SimulatedDevice(options.BootTime, time);
            var agent = new DeviceAgent(own, device, disk, time, Heard);
            return (serial, agent);
        }).ToList();
        return (new SlotContent(Convert.ToHexStringLower(reading.FileSha256), $"{header.Name}@{header.Version}", header.Version, header.SecurityCounter, reading.FileBytes), agents);
    }

    private Task EnrolAsync(List<(string Serial, DeviceAgent Agent)> agents, SlotContent content, CancellationToken cancellation) => Parallel.ForEachAsync(
        agents,
        new ParallelOptions { MaxDegreeOfParallelism = EnrolmentsAtOnce, CancellationToken = cancellation },
        async (device, token) =>
        {
            if (device.Agent.Store.Current is { SlotA: null, SlotB: null })
            {
                device.Agent.Slots.Provision(options.InitialImageFile, content);
            }
            if (!device.Agent.IsEnrolled)
            {
                using var identity = await device.Agent.EnrolAsync(token);
            }
        });

    /// <summary>One device that fails for good is told and leaves the others running.</summary>
    private async Task RunAsync((string Serial, DeviceAgent Agent) device, CancellationToken cancellation)
    {
        try
        {
            await device.Agent.RunAsync(cancellation);
        }
        catch (Exception error) when (error is InvalidDataException or EnrolmentException or IOException)
        {
            Heard(new AgentEvent($"{options.Fleet}-{device.Serial}", "dead", error.Message));
        }
    }

    private void Heard(AgentEvent e)
    {
        events?.Invoke(e);
        if (e.Event == "reported")
        {
            lock (_reported)
            {
                _reported.Add(e.Thing);
            }
            Check();
        }
    }

    private void Check()
    {
        lock (_reported)
        {
            if (_enrolled && _reported.Count >= Running)
            {
                _ready.TrySetResult();
            }
        }
    }
}
