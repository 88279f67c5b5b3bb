using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Amazon.IoT;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.DevicePlane;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>A device plane of its own, a fleet in it, and the adapter before it.</summary>
public sealed class FleetFixture : IAsyncDisposable
{
    public const string Fleet = "thermostats";
    public const string Rollout = "r-2026-11-23-1";

    private readonly string _directory = Directory.CreateTempSubdirectory("ota-aws-").FullName;
    private readonly EmbeddedDevicePlane _plane;
    private readonly X509Certificate2 _authority = Authority();
    private readonly X509Certificate2 _server;
    private readonly List<MqttThing> _things = [];
    private ClaimCredential? _claim;
    private int _serial;

    private FleetFixture()
    {
        _server = Server();
        _plane = new EmbeddedDevicePlane(
            Options.Create(new DevicePlaneOptions
            {
                DataDirectory = Path.Combine(_directory, "plane"),
                FirmwareRoot = Path.Combine(_directory, "firmware"),
                ServerCertificate = _server,
                DevicesAuthority = _authority,
            }),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        Iot = new ModelCheckedClient(Config());
        Iot.BeforeRequestEvent += (_, _) => Calls++;
        Target = new IotFleet(Iot, Settings, Clock);
    }

    public AmazonIoTClient Iot { get; }

    public IotFleetOptions Settings { get; } = new();

    public FakeTimeProvider Clock { get; } = new(TimeProvider.System.GetUtcNow());

    public IotFleet Target { get; }

    /// <summary>Calls to the control plane so far.</summary>
    public int Calls { get; private set; }

    /// <summary>Where the plane's images lie, each under its SHA-256.</summary>
    public string Firmware => Path.Combine(_directory, "firmware");

    public long Now => Clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>A client that asks for what no model allows.</summary>
    public AmazonIoTClient Unchecked() => new(new Amazon.Runtime.BasicAWSCredentials("key", "secret"), Config());

    public Uri ControlPlaneUri => _plane.ControlPlaneUri;

    /// <summary>Asks the control plane what is not asked by a client of AWS.</summary>
    internal HttpClient ControlPlane() => _plane.ControlPlaneClientFactory.CreateHttpClient(Config());

    public static async Task<FleetFixture> StartAsync()
    {
        var fixture = new FleetFixture();
        await fixture._plane.StartAsync(CancellationToken.None);
        await fixture._plane.EnsureFleetAsync(Fleet);
        fixture._claim = await fixture._plane.IssueClaimAsync(Fleet);
        return fixture;
    }

    /// <summary>A rollout in two steps: a tenth of the cohorts, then all.</summary>
    public static TargetOrder Order(int step, int attempt = 1, long revision = 1, string rollout = Rollout, double restoreShare = 1) => new()
    {
        Environment = "staging",
        Target = Fleet,
        Rollout = rollout,
        Lane = "devices",
        Fence = new Fence(1, revision),
        Candidate = new TargetRelease("thermostat-fw", "2.4.0", Digest('a')) { Document = """{"ota":{"operation":"update"}}""" },
        Fallback = new TargetRelease("thermostat-fw", "2.3.1", Digest('b')) { Document = """{"ota":{"operation":"return"}}""" },
        Steps = [new TargetStep(0.1, null), new TargetStep(1, null)],
        Step = step,
        Attempt = attempt,
        RestoreShare = restoreShare,
        ObserveFor = TimeSpan.FromMinutes(5),
        SilentAfter = TimeSpan.FromMinutes(30),
    };

    /// <summary>A rollout that took over from that of <see cref="Order"/> after its first step.</summary>
    public static TargetOrder Fix(int step, long revision) => Order(step, revision: revision, rollout: "r-fix") with
    {
        Fence = new Fence(2, revision),
        Candidate = new TargetRelease("thermostat-fw", "2.4.1", Digest('c')) { Document = """{"ota":{"operation":"update","release":"thermostat-fw@2.4.1"}}""" },
        Predecessors = [new Predecessor(Rollout, "devices", "thermostat-fw@2.4.0", Digest('a'), 0.1, [])],
    };

    public static string Digest(char c) => "sha256:" + new string(c, 64);

    /// <summary>Enrols a device whose cohort is in the first wave of <see cref="Order"/>, or is not.</summary>
    internal Task<MqttThing> EnrolAsync(bool inFirstWave) =>
        EnrolAsync(cohort => Cohorts.Between(Rollout, 0, 0.1).Contains(cohort) == inFirstWave);

    internal async Task<MqttThing> EnrolAsync(Func<int, bool> inCohort)
    {
        do
        {
            _serial++;
        }
        while (!inCohort(Cohorts.Of($"{Fleet}-{_serial}")));

        var thing = await MqttThing.EnrolAsync(_plane.MqttEndpoint, _claim!.CertificatePem, _claim.PrivateKeyPem, Fleet, _serial.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _things.Add(thing);
        await thing.ReportAsync(new { digest = Digest('b'), health = "healthy", checkIn = Now });
        return thing;
    }

    /// <summary>The same device with a new key.</summary>
    internal async Task EnrolAgainAsync(MqttThing thing) =>
        _things.Add(await MqttThing.EnrolAsync(_plane.MqttEndpoint, _claim!.CertificatePem, _claim.PrivateKeyPem, Fleet, thing.Name[(Fleet.Length + 1)..]));

    /// <summary>Starts what is next for the device and says in its shadow that it did.</summary>
    internal async Task<string> StartAsync(MqttThing thing, long? startedAt = null)
    {
        var execution = await thing.StartNextAsync() ?? throw new InvalidOperationException($"nothing is offered to {thing.Name}");
        var id = (string)execution["jobId"]!;
        await thing.ReportAsync(new JsonObject
        {
            ["checkIn"] = Now,
            ["job"] = new JsonObject { ["id"] = id, ["startedAt"] = startedAt ?? Now, ["outcome"] = "started", ["resolvedAt"] = null, ["reason"] = null },
        });
        return id;
    }

    /// <summary>Ends a job as the agent does: first the shadow, then the execution.</summary>
    internal async Task EndAsync(MqttThing thing, string job, string outcome, char digest, string? reason = null)
    {
        await thing.ReportAsync(new JsonObject
        {
            ["digest"] = Digest(digest),
            ["previousDigest"] = Digest(digest == 'a' ? 'b' : 'a'),
            ["health"] = "healthy",
            ["checkIn"] = Now,
            ["job"] = new JsonObject { ["outcome"] = outcome, ["resolvedAt"] = Now, ["reason"] = reason },
        });
        await thing.EndAsync(job, outcome is "confirmed" or "nothing" ? "SUCCEEDED" : outcome == "refused" ? "REJECTED" : "FAILED");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var thing in _things)
        {
            await thing.DisposeAsync();
        }

        Iot.Dispose();
        await _plane.DisposeAsync();
        _authority.Dispose();
        _server.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private AmazonIoTConfig Config() => new()
    {
        ServiceURL = _plane.ControlPlaneUri.ToString(),
        AuthenticationRegion = "local-1",
        HttpClientFactory = _plane.ControlPlaneClientFactory,
    };

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=devices", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return SelfSigned(request);
    }

    private static X509Certificate2 Server()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return SelfSigned(request);
    }

    private static X509Certificate2 SelfSigned(CertificateRequest request)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}
