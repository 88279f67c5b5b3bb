using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>An authority and what it issues, as PEM files in a folder of their own.</summary>
internal sealed class Pki : IDisposable
{
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private readonly X509Certificate2 _authority;
    private int _serial;

    public Pki()
    {
        Folder = Directory.CreateTempSubdirectory("router-tests-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _authority = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddMinutes(-5), TimeProvider.System.GetUtcNow().AddDays(1));
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
        Server = Issue("CN=server", ServerAuthentication);
        Orchestrator = Issue("CN=orchestrator", ClientAuthentication);
    }

    public string Folder { get; }
    public string AuthorityFile => Path.Combine(Folder, "authority.crt");
    public Issued Server { get; }
    public Issued Orchestrator { get; }

    public Issued Issue(string subject, string usage)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        int serial = Interlocked.Increment(ref _serial);
        using var certificate = request.Create(_authority, _authority.NotBefore, _authority.NotAfter, BitConverter.GetBytes(serial));
        var issued = new Issued(Path.Combine(Folder, $"{serial}.crt"), Path.Combine(Folder, $"{serial}.key"));
        File.WriteAllText(issued.CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(issued.KeyFile, key.ExportPkcs8PrivateKeyPem());
        return issued;
    }

    public X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_authority);
        return policy;
    }

    public HttpClient Client(Issued? identity, Version? version = null) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        SslOptions = { CertificateChainPolicy = Trust(), ClientCertificates = identity is null ? null : [identity.Load()] },
    })
    {
        DefaultRequestVersion = version ?? HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(30),
    };

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}

internal sealed record Issued(string CertificateFile, string KeyFile)
{
    public X509Certificate2 Load()
    {
        using var loaded = X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile);
        return X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pkcs12), null);
    }
}
