using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Amazon.IoT;
using Amazon.IoT.Model;
using Amazon.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;
using OtaOrchestrator.DevicePlane;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;
using OtaOrchestrator.Simulator.Fleet;

namespace OtaOrchestrator.Agent.Tests;

/// <summary>A real device plane, a release key, and real agents on simulated devices.</summary>
internal sealed class FleetBench : IAsyncDisposable
{
    public const string Fleet = "thermostats";
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly X509Certificate2 _devicesAuthority = Certificates.Authority("devices");
    private readonly ConcurrentQueue<TestDevice> _devices = new();
    private X509Certificate2? _claim;
    private int _port;
    private int _job;

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("agent-").FullName;

    public X509Certificate2 ServerCertificate { get; } = Certificates.Server();

    public SigningKey ReleaseKey { get; } = SigningKey.Create();

    public EmbeddedDevicePlane Plane { get; private set; } = null!;

    public IAmazonIoT IoT { get; private set; } = null!;

    private long _sequence;

    public string FirmwareRoot => Path.Combine(Directory, "firmware");

    public static async Task<FleetBench> StartAsync()
    {
        var bench = new FleetBench();
        await bench.OpenAsync();
        await bench.Plane.EnsureFleetAsync(Fleet);
        return bench;
    }

    public async Task OpenAsync()
    {
        var options = new DevicePlaneOptions
        {
            DataDirectory = Path.Combine(Directory, "plane"), FirmwareRoot = FirmwareRoot, ServerCertificate = ServerCertificate, DevicesAuthority = _devicesAuthority,
            PublicHost = "localhost", MqttEndpoint = new IPEndPoint(IPAddress.Loopback, _port),
        };
        Plane = new EmbeddedDevicePlane(Options.Create(options), TimeProvider.System, NullLoggerFactory.Instance);
        await Plane.StartAsync(CancellationToken.None);
        _port = Plane.MqttEndpoint.Port;
        IoT = new AmazonIoTClient(new BasicAWSCredentials("inside", "inside"), new AmazonIoTConfig
        {
            ServiceURL = Plane.ControlPlaneUri.ToString(), AuthenticationRegion = "local-1", HttpClientFactory = Plane.ControlPlaneClientFactory, MaxErrorRetry = 0,
        });
    }

    public async Task CloseAsync()
    {
        IoT.Dispose();
        await Plane.DisposeAsync();
    }

    public static string Sample(string version) => System.IO.Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "firmware-samples"), $"thermostat-fw-{version}*.img").Single();

    public async Task<X509Certificate2> ClaimAsync()
    {
        if (_claim is null)
        {
            var issued = await Plane.IssueClaimAsync(Fleet);
            _claim = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.PrivateKeyPem);
        }
        return _claim;
    }

    public async Task<AgentOptions> OptionsAsync(string serial) => new()
    {
        Endpoint = new DnsEndPoint("localhost", _port), ServerAuthorities = [ServerCertificate], Claim = await ClaimAsync(), Fleet = Fleet, Serial = serial, HardwareId = "thermo-a1",
        StateDirectory = Path.Combine(Directory, serial), ReleaseKey = ReleaseKey.Public, CheckIn = TimeSpan.FromMilliseconds(200), ConfirmTimeout = TimeSpan.FromSeconds(15),
        ReplyTimeout = TimeSpan.FromSeconds(10), StallTimeout = TimeSpan.FromSeconds(5), BackoffFirst = TimeSpan.FromMilliseconds(20), BackoffMax = TimeSpan.FromMilliseconds(500),
    };

    /// <summary>A device with 2.3.1 from the factory; runs when told to.</summary>
    public async Task<TestDevice> DeviceAsync(string serial, Func<AgentOptions, AgentOptions>? change = null, Disk? disk = null, string initial = "2.3.1")
    {
        var options = await OptionsAsync(serial);
        var device = new TestDevice(this, change?.Invoke(options) ?? options, disk ?? new Disk(), Sample(initial));
        _devices.Enqueue(device);
        return device;
    }

    /// <summary>Signs and offers an image as the server does; returns the job's id.</summary>
    public async Task<string> OfferAsync(string imageFile, string thing, Func<Offer, Offer>? change = null, bool send = true)
    {
        byte[] image = await File.ReadAllBytesAsync(imageFile);
        var header = FirmwareImage.Header(image)!;
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(image));
        System.IO.Directory.CreateDirectory(FirmwareRoot);
        if (!File.Exists(Path.Combine(FirmwareRoot, sha256)))
        {
            await File.WriteAllBytesAsync(Path.Combine(FirmwareRoot, sha256), image);
        }
        var manifest = new Manifest(Fleet, $"{header.Name}@{header.Version}", header.Version, header.HardwareIds, header.SecurityCounter, Interlocked.Increment(ref _sequence), sha256, image.Length);
        var offer = new Offer(UpdateOperation.Update, manifest, ReleaseKey, UpdateDocument.Placeholder(sha256), []);
        offer = change?.Invoke(offer) ?? offer;
        return send ? await SendAsync(offer, thing) : "";
    }

    public async Task<string> SendAsync(Offer offer, string thing) => await SendTextAsync(offer.ToDocument().ToJson(), thing);

    public async Task<string> SendTextAsync(string document, string thing)
    {
        string id = $"job-{Interlocked.Increment(ref _job)}";
        await IoT.CreateJobAsync(new CreateJobRequest { JobId = id, Targets = [$"arn:aws:iot:local-1:000000000000:thing/{thing}"], Document = document });
        return id;
    }

    public async Task<JsonElement?> ShadowAsync(string thing, string name = "ota")
    {
        var snapshot = await Plane.SnapshotAsync();
        return snapshot.Things.FirstOrDefault(t => t.Name == thing)?.Shadows.TryGetValue(name, out var shadow) == true ? shadow : null;
    }

    /// <summary>Waits until what the device reports fits; fails with what it reported last.</summary>
    public async Task<JsonElement> ReportAsync(string thing, Func<JsonElement, bool> fits, string name = "ota")
    {
        JsonElement? last = null;
        await Wait.UntilAsync(async () => (last = await ShadowAsync(thing, name)) is { } shadow && fits(shadow), () => $"{thing} reports {last}");
        return last!.Value;
    }

    public Task<JsonElement> OutcomeAsync(string thing, string jobId) => ReportAsync(
        thing, shadow => shadow.TryGetProperty("job", out var job) && job.GetProperty("id").GetString() == jobId && job.GetProperty("outcome").GetString() != "started");

    public async Task<string?> StatusAsync(string jobId, string thing)
    {
        string? status = null;
        await Wait.UntilAsync(
            async () => (status = (await Plane.SnapshotAsync()).Jobs.Single(j => j.Id == jobId).Executions.GetValueOrDefault(thing)) is not (null or "QUEUED" or "IN_PROGRESS"),
            () => $"{jobId} is {status} on {thing}");
        return status;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var device in _devices)
        {
            await device.StopAsync();
        }
        await CloseAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

/// <summary>What is offered, before it is signed.</summary>
internal sealed record Offer(UpdateOperation Operation, Manifest Manifest, SigningKey Key, string Url, IReadOnlyList<string> Candidates)
{
    public UpdateDocument ToDocument()
    {
        byte[] bytes = Manifest.ToBytes();
        return new UpdateDocument(
            Operation, "r-1", "firmware", Manifest.Release, Candidates, bytes, Key.SignDigest(SHA256.HashData(bytes)), Key.SignDigest(Convert.FromHexString(Manifest.Sha256)), Url, Manifest.Size);
    }
}

/// <summary>A device that can be switched on and off.</summary>
internal sealed class TestDevice(FleetBench bench, AgentOptions options, Disk disk, string initialImage) : IAsyncDisposable
{
    private CancellationTokenSource? _power;
    private Task _running = Task.CompletedTask;

    public string Thing => options.Thing;

    public AgentOptions Options => options;

    public ConcurrentQueue<AgentEvent> Events { get; } = new();

    public DeviceAgent Agent { get; private set; } = null!;

    public FleetBench Bench => bench;

    public bool IsOnGoodDisk { get; private set; }

    public TestDevice Start() => StartOn(disk);

    /// <summary>After a power loss.</summary>
    public TestDevice StartOnGoodDisk()
    {
        IsOnGoodDisk = true;
        return StartOn(new Disk());
    }

    private TestDevice StartOn(Disk medium)
    {
        Agent = new DeviceAgent(options, new SimulatedDevice(TimeSpan.FromMilliseconds(10), TimeProvider.System), medium, TimeProvider.System, Events.Enqueue);
        if (Agent.Store.Current is { SlotA: null, SlotB: null })
        {
            Agent.Slots.Provision(initialImage, Images.Content(initialImage));
        }
        _power = new CancellationTokenSource();
        _running = Task.Run(() => Agent.RunAsync(_power.Token));
        return this;
    }

    public async Task StopAsync()
    {
        if (_power is null)
        {
            return;
        }
        await _power.CancelAsync();
        try
        {
            await _running;
        }
        catch (Exception error) when (error is OperationCanceledException or PowerLostException)
        {
            // As asked, or as staged.
        }
        _power.Dispose();
        _power = null;
    }

    public ValueTask DisposeAsync() => new(StopAsync());

    public int Count(string what) => Events.Count(e => e.Event == what);
}

internal static class Images
{
    public static SlotContent Content(string file)
    {
        byte[] image = File.ReadAllBytes(file);
        var header = FirmwareImage.Header(image)!;
        return new SlotContent(Convert.ToHexStringLower(SHA256.HashData(image)), $"{header.Name}@{header.Version}", header.Version, header.SecurityCounter, image.Length);
    }
}
