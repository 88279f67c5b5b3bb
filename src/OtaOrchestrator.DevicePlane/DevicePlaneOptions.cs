using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.DevicePlane;

/// <summary>What a device plane needs to know before it starts.</summary>
public sealed class DevicePlaneOptions
{
    /// <summary>Directory of <c>device-plane.db</c> and the link secret; created when missing.</summary>
    [Required]
    public string DataDirectory { get; set; } = "";

    /// <summary>Directory of the firmware images, one file per image, named by the 64 lower-case hex digits of its SHA-256.</summary>
    [Required]
    public string FirmwareRoot { get; set; } = "";

    /// <summary>Where devices connect with MQTT over mutual TLS. Port 0 takes a free one.</summary>
    public IPEndPoint MqttEndpoint { get; set; } = new(IPAddress.Loopback, 0);

    /// <summary>Where devices fetch firmware over HTTPS. Port 0 takes a free one.</summary>
    public IPEndPoint FirmwareEndpoint { get; set; } = new(IPAddress.Loopback, 0);

    /// <summary>Opens the control plane on a TLS port for AWS tooling (SigV4 verified); null keeps it inside the process.</summary>
    public IPEndPoint? ControlPlaneEndpoint { get; set; }

    /// <summary>The access keys that may call the open control plane: key id to secret.</summary>
    public IDictionary<string, string> ControlPlaneCredentials { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The server's certificate with its private key, for all ports.</summary>
    [Required]
    public X509Certificate2? ServerCertificate { get; set; }

    /// <summary>Intermediate certificates that are sent along with <see cref="ServerCertificate"/>.</summary>
    public X509Certificate2Collection ServerCertificateChain { get; } = [];

    /// <summary>The devices' authority with its private key: signs what devices request and vouches for those who connect.</summary>
    [Required]
    public X509Certificate2? DevicesAuthority { get; set; }

    /// <summary>The host name or address that devices reach this process by; it stands in firmware links.</summary>
    [Required]
    public string PublicHost { get; set; } = "localhost";

    [Required, RegularExpression("[a-z0-9-]{1,32}")]
    public string Region { get; set; } = "local-1";

    [Required, RegularExpression("[0-9]{12}")]
    public string AccountId { get; set; } = "000000000000";

    /// <summary>The file with the secret that firmware links are signed with; made when missing. Default: <c>link-secret</c> in <see cref="DataDirectory"/>.</summary>
    public string? LinkSecretFile { get; set; }

    /// <summary>How long an issued device certificate is valid.</summary>
    public TimeSpan DeviceCertificateLifetime { get; set; } = TimeSpan.FromDays(3650);

    /// <summary>How long a claim certificate is valid.</summary>
    public TimeSpan ClaimCertificateLifetime { get; set; } = TimeSpan.FromDays(365);

    /// <summary>How long a device may take from its certificate request to its provisioning.</summary>
    public TimeSpan OwnershipTokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Executions queued per minute for a job that names no rate of its own.</summary>
    [Range(1, 1_000_000)]
    public int DefaultJobRatePerMinute { get; set; } = 1000;

    /// <summary>Certificates that were requested but not provisioned yet; more are refused.</summary>
    [Range(1, 1_000_000)]
    public int MaxUnprovisionedCertificates { get; set; } = 10_000;

    /// <summary>Whether an update of an ended execution is answered with TerminalStateReached instead of InvalidStateTransition.</summary>
    public bool ReportTerminalStateOnUpdate { get; set; }
}
