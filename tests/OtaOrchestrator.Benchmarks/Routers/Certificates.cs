using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Benchmarks.Routers;

/// <summary>An authority, a server on loopback and an orchestrator, as PEM files.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly X509Certificate2 _authority;

    public Certificates(string folder)
    {
        (AuthorityFile, ServerFile, ServerKeyFile, BothFile) = (Path.Combine(folder, "ca.crt"), Path.Combine(folder, "s.crt"), Path.Combine(folder, "s.key"), Path.Combine(folder, "s.pem"));
        var now = TimeProvider.System.GetUtcNow();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _authority = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
        Server = Issue("CN=server", "1.3.6.1.5.5.7.3.1", 1);
        Orchestrator = Issue("CN=orchestrator", "1.3.6.1.5.5.7.3.2", 2);
        File.WriteAllText(ServerFile, Server.ExportCertificatePem());
        File.WriteAllText(ServerKeyFile, Server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(BothFile, File.ReadAllText(ServerFile) + "\n" + File.ReadAllText(ServerKeyFile) + "\n");
    }

    public string AuthorityFile { get; }
    public string ServerFile { get; }
    public string ServerKeyFile { get; }
    public string BothFile { get; }
    public X509Certificate2 Server { get; }
    public X509Certificate2 Orchestrator { get; }

    /// <param name="connections">At most so many, over HTTP/1.1.</param>
    public HttpClient Client(int connections, X509Certificate2? identity = null)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(_authority);
        return new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            MaxConnectionsPerServer = connections,
            SslOptions = { CertificateChainPolicy = policy, ClientCertificates = identity is null ? null : [identity] },
        });
    }

    public void Dispose()
    {
        _authority.Dispose();
        Server.Dispose();
        Orchestrator.Dispose();
    }

    private X509Certificate2 Issue(string subject, string usage, byte serial)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        // nginx compares names only.
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(_authority, _authority.NotBefore, _authority.NotAfter, [serial]);
        using var paired = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(paired.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}
