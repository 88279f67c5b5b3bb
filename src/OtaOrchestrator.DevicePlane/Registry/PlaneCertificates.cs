using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.DevicePlane.Registry;

internal enum Standing
{
    /// <summary>Not one of ours, not active yet, or revoked.</summary>
    Refused,
    Device,
    Claim,
}

/// <summary>Who may come in, for every connection: the durable certificates, readable from any thread.</summary>
internal sealed class PlaneCertificates(SteadyClock clock)
{
    private readonly ConcurrentDictionary<string, CertificateRecord> _active = new(StringComparer.Ordinal);

    /// <summary>Tells the common name of a certificate that has just stopped being good.</summary>
    public event Action<string>? Ended;

    /// <summary>Called after each commit that changed certificates, and at start.</summary>
    public void Set(CertificateRecord certificate)
    {
        if (certificate.Status == CertificateStatus.ACTIVE)
        {
            _active[certificate.Id] = certificate;
        }
        else if (_active.TryRemove(certificate.Id, out _))
        {
            Ended?.Invoke(certificate.CommonName);
        }
    }

    /// <returns>The standing, and the thing's name or the fleet that the claim is for.</returns>
    public (Standing Standing, string Name) Judge(X509Certificate2? certificate)
    {
        if (certificate is null || !_active.TryGetValue(CertificateIssuer.IdOf(certificate), out var record)
            || clock.WallMs < record.NotBeforeMs || clock.WallMs > record.NotAfterMs)
        {
            return (Standing.Refused, "");
        }

        return record.CommonName.StartsWith(CertificateIssuer.ClaimPrefix, StringComparison.Ordinal)
            ? (Standing.Claim, record.ClaimFleet!)
            : (Standing.Device, record.CommonName);
    }

    public string? DeviceOf(X509Certificate2 certificate) => Judge(certificate) is (Standing.Device, var name) ? name : null;
}
