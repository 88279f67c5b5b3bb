using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Cli.Connection;

/// <summary>Connections that show a certificate of one's own, and believe the installation's authority and no other.</summary>
internal static class MutualTls
{
    /// <param name="authority">Asked before <paramref name="identity"/>.</param>
    public static SocketsHttpHandler Handler(Func<X509Certificate2> authority, Func<X509Certificate2> identity)
    {
        var believed = authority();
        return new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ClientCertificateContext = SslStreamCertificateContext.Create(identity(), additionalCertificates: null, offline: true),
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { believed },
                    RevocationMode = X509RevocationMode.NoCheck,
                    DisableCertificateDownloads = true,
                },
            },
        };
    }
}
