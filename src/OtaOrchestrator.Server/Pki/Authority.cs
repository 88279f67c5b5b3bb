using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Server.Pki;

/// <summary>What a certificate may be used for.</summary>
public enum Usage { Server, Client }

/// <summary>A certificate authority of this installation, P-256, kept as two PEM files.</summary>
public sealed class Authority : IDisposable
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");
    private readonly TimeProvider _time;

    private Authority(X509Certificate2 certificate, TimeProvider time)
    {
        Certificate = certificate;
        _time = time;
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Loads the authority, or makes it when it is not there.</summary>
    public static Authority Open(string directory, string name, TimeProvider time)
    {
        var file = Path.Combine(directory, name + ".crt");
        if (!File.Exists(file))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN=OtaOrchestrator {name}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
            using var made = request.CreateSelfSigned(time.GetUtcNow().AddHours(-25), time.GetUtcNow().AddYears(10));
            PemFiles.Write(directory, name, made.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        }
        return new Authority(PemFiles.Load(directory, name), time);
    }

    /// <summary>Issues a certificate into <c>{name}.crt</c> and <c>{name}.key</c> unless both are there and good for another month.</summary>
    public void Ensure(string directory, string name, string commonName, Usage usage, TimeSpan life)
    {
        if (File.Exists(Path.Combine(directory, name + ".crt")) && File.Exists(Path.Combine(directory, name + ".key")))
        {
            using var there = PemFiles.Load(directory, name);
            if (there.NotAfter.ToUniversalTime() > _time.GetUtcNow().UtcDateTime.AddDays(30) && there.Issuer == Certificate.Subject)
            {
                return;
            }
        }
        Issue(directory, name, commonName, usage, life);
    }

    public void Issue(string directory, string name, string commonName, Usage usage, TimeSpan life)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([usage == Usage.Server ? ServerAuthentication : ClientAuthentication], true));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        if (usage == Usage.Server)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            names.AddDnsName(Environment.MachineName);
            names.AddIpAddress(System.Net.IPAddress.Loopback);
            names.AddIpAddress(System.Net.IPAddress.IPv6Loopback);
            request.CertificateExtensions.Add(names.Build());
        }
        var until = _time.GetUtcNow() + life;
        var authorityEnds = new DateTimeOffset(Certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);
        // A day back, so that a peer whose clock is behind accepts it.
        using var made = request.Create(Certificate, _time.GetUtcNow().AddHours(-24), until < authorityEnds ? until : authorityEnds, RandomNumberGenerator.GetBytes(16));
        PemFiles.Write(directory, name, made.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => Certificate.Dispose();
}
