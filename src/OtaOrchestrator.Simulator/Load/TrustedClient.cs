using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Simulator.Load;

/// <summary>A client that believes one authority and changes nothing of what it is told.</summary>
internal static class TrustedClient
{
    /// <exception cref="InvalidDataException">The file holds no certificate.</exception>
    public static SocketsHttpHandler Handler(string authorityFile)
    {
        X509Certificate2Collection roots = [];
        roots.ImportFromPemFile(authorityFile);
        if (roots.Count == 0)
        {
            throw new InvalidDataException($"{authorityFile} holds no certificate");
        }
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(roots);
        return new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = true,
            AutomaticDecompression = DecompressionMethods.None,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        };
    }
}
