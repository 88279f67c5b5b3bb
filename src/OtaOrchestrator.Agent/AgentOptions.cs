using System.Net;
using System.Security.Cryptography.X509Certificates;
using OtaOrchestrator.Firmware.Signing;

namespace OtaOrchestrator.Agent;

/// <summary>What an agent is told. Certificates and keys that all agents of a process share are loaded once.</summary>
public sealed record AgentOptions
{
    public required DnsEndPoint Endpoint { get; init; }

    /// <summary>Who may have signed the server's certificate.</summary>
    public required X509Certificate2Collection ServerAuthorities { get; init; }

    /// <summary>Claim certificate with its key; needed until the device has its own.</summary>
    public X509Certificate2? Claim { get; init; }

    public required string Fleet { get; init; }

    public required string Serial { get; init; }

    public required string HardwareId { get; init; }

    public required string StateDirectory { get; init; }

    /// <summary>The only key whose releases this device installs.</summary>
    public required VerificationKey ReleaseKey { get; init; }

    /// <summary>How often the device says that it is there.</summary>
    public TimeSpan CheckIn { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>An image that isn't confirmed this long after its boot is given up.</summary>
    public TimeSpan ConfirmTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long an answer of the service may take.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A download that brings nothing for this long is broken off and taken up again.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Attempts in a row that brought nothing before a download is given up.</summary>
    public int DownloadAttempts { get; init; } = 5;

    /// <summary>A download takes no longer than this, however many attempts bring a little.</summary>
    public TimeSpan DownloadMax { get; init; } = TimeSpan.FromHours(4);

    /// <summary>The first pause before connecting again; doubles, with jitter, up to <see cref="BackoffMax"/>.</summary>
    public TimeSpan BackoffFirst { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The thing's name, its certificate's subject and its client id.</summary>
    public string Thing => $"{Fleet}-{Serial}";
}
