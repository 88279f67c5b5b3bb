using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Amazon.IoT;
using Amazon.IoT.Model;
using Amazon.Runtime;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OtaOrchestrator.DevicePlane.Tests;

/// <summary>A running plane on loopback ports with its own authorities and directory; can be stopped, killed and opened again.</summary>
internal sealed class PlaneBench : IAsyncDisposable
{
    public const string Fleet = "thermostats";

    private readonly ErrorCollector _errors = new();
    private readonly ILoggerFactory _logging;
    private readonly Action<DevicePlaneOptions>? _configure;
    private readonly List<IDisposable> _disposables = [];
    private ClaimCredential? _claim;

    private PlaneBench(TimeProvider time, Action<DevicePlaneOptions>? configure)
    {
        (Time, _configure) = (time, configure);
        _logging = LoggerFactory.Create(b => b.AddProvider(_errors));
        (DevicesAuthority, ServerCertificate) = (Authority("devices"), Server());
    }

    public TimeProvider Time { get; }

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("plane-").FullName;

    public string FirmwareRoot => Path.Combine(Directory, "firmware");

    public X509Certificate2 DevicesAuthority { get; }

    public X509Certificate2 ServerCertificate { get; }

    /// <summary>Part of the one error that the test provokes; any other fails it.</summary>
    public string? ExpectedError { get; set; }

    public EmbeddedDevicePlane Plane { get; private set; } = null!;

    public IAmazonIoT IoT { get; private set; } = null!;

    public static async Task<PlaneBench> StartAsync(TimeProvider? time = null, Action<DevicePlaneOptions>? configure = null)
    {
        var bench = new PlaneBench(time ?? TimeProvider.System, configure);
        await bench.OpenAsync();
        await bench.Plane.EnsureFleetAsync(Fleet);
        return bench;
    }

    public async Task OpenAsync()
    {
        var options = new DevicePlaneOptions
        {
            DataDirectory = Path.Combine(Directory, "data"),
            FirmwareRoot = FirmwareRoot,
            ServerCertificate = ServerCertificate,
            DevicesAuthority = DevicesAuthority,
            PublicHost = "localhost",
        };
        _configure?.Invoke(options);
        Plane = new EmbeddedDevicePlane(Options.Create(options), Time, _logging);
        await Plane.StartAsync(CancellationToken.None);
        IoT = new AmazonIoTClient(new BasicAWSCredentials("inside", "inside"), new AmazonIoTConfig
        {
            ServiceURL = Plane.ControlPlaneUri.ToString(),
            AuthenticationRegion = "local-1",
            HttpClientFactory = Plane.ControlPlaneClientFactory,
            MaxErrorRetry = 0,
        });
    }

    public async Task CloseAsync()
    {
        IoT.Dispose();
        await Plane.DisposeAsync();
    }

    public async Task ReopenAsync()
    {
        await CloseAsync();
        await OpenAsync();
    }

    public async Task<ClaimCredential> ClaimAsync() => _claim ??= await Plane.IssueClaimAsync(Fleet);

    /// <summary>Enrols over MQTT and returns the device's certificate with its key; its name is the subject.</summary>
    /// <summary>Takes the thing's certificate away, as an operator does.</summary>
    public async Task RevokeAsync(string thing)
    {
        foreach (var arn in (await IoT.ListThingPrincipalsAsync(new ListThingPrincipalsRequest { ThingName = thing })).Principals)
        {
            await IoT.UpdateCertificateAsync(new UpdateCertificateRequest { CertificateId = arn[(arn.LastIndexOf('/') + 1)..], NewStatus = CertificateStatus.REVOKED });
        }
    }

    public async Task<X509Certificate2> EnrollAsync(string serial, string hardware = "thermo-a1")
    {
        using var claim = Own(await ClaimAsync());
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var device = await Device.ConnectAsync(this, claim, "enrol-" + serial);
        var csr = new CertificateRequest($"CN={Fleet}-{serial}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var issued = await device.RequestAsync("$aws/certificates/create-from-csr/json", new { certificateSigningRequest = csr });
        Assert.EndsWith("/accepted", issued.Topic, StringComparison.Ordinal);
        var accepted = await device.RequestAsync(
            $"$aws/provisioning-templates/{Fleet}/provision/json",
            new { certificateOwnershipToken = issued.Text("certificateOwnershipToken"), parameters = new { SerialNumber = serial, HardwareId = hardware } });
        Assert.Equal($"{Fleet}-{serial}", accepted.Text("thingName"));
        using var certificate = X509Certificate2.CreateFromPem(issued.Text("certificatePem"));
        return Own(certificate.CopyWithPrivateKey(key));
    }

    /// <summary>A device that is enrolled, connected and listens to all that is its own.</summary>
    public async Task<Device> DeviceAsync(string serial)
    {
        var device = await Device.ConnectAsync(this, await EnrollAsync(serial), $"{Fleet}-{serial}");
        await device.SubscribeAsync($"$aws/things/{device.ClientId}/jobs/#");
        await device.SubscribeAsync($"$aws/things/{device.ClientId}/shadow/name/#");
        return device;
    }

    public const string FleetArn = "arn:aws:iot:local-1:000000000000:thinggroup/thermostats";

    /// <summary>The group whose children are the cohorts.</summary>
    public const string CohortsArn = FleetArn + "-cohorts";

    public static string ThingArn(string name) => "arn:aws:iot:local-1:000000000000:thing/" + name;

    public static string FirmwareDocument(string digest) =>
        """{"afr_ota":{"files":[{"update_data_url":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/ota-firmware/DIGEST}"}]}}""".Replace("DIGEST", digest, StringComparison.Ordinal);

    public static X509Certificate2 Own(ClaimCredential claim)
    {
        using var certificate = X509Certificate2.CreateFromPem(claim.CertificatePem, claim.PrivateKeyPem);
        return Own(certificate);
    }

    /// <summary>TLS on Linux takes the key from a certificate as it was loaded.</summary>
    public static X509Certificate2 Own(X509Certificate2 certificate) => X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);

    public HttpClient FirmwareClient(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, c, _, _) => c!.GetCertHashString() == ServerCertificate.GetCertHashString();
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
        }

        var client = new HttpClient(handler);
        _disposables.Add(client);
        return client;
    }

    public static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(30), DateTimeOffset.UnixEpoch.AddYears(90));
        return Own(certificate);
    }

    public async ValueTask DisposeAsync()
    {
        _disposables.ForEach(d => d.Dispose());
        await CloseAsync();
        _logging.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
        Assert.Equal(ExpectedError is null ? 0 : 1, _errors.Messages.Count);
        Assert.All(_errors.Messages, m => Assert.Contains(ExpectedError!, m, StringComparison.Ordinal));
    }

    private static X509Certificate2 Server()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(30), DateTimeOffset.UnixEpoch.AddYears(90));
        return Own(certificate);
    }

    /// <summary>An error in the log that a test doesn't expect fails it.</summary>
    private sealed class ErrorCollector : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Messages { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Messages.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}
