using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Server.Targets.Router;

/// <summary>The way to routers: mutual TLS, no proxy, bounded answers.</summary>
public static class RouterHttp
{
    private const int AnswerBytesMax = 4 * 1024 * 1024;

    /// <param name="identity">What the orchestrator shows; with its private key.</param>
    /// <param name="authority">Who vouches for routers.</param>
    public static HttpClient Create(X509Certificate2 identity, X509Certificate2 authority)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(authority);
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // A router that was replaced under the same name is found again.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = policy,
                ClientCertificateContext = SslStreamCertificateContext.Create(identity, null, offline: true),
            },
        };
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = AnswerBytesMax };
    }
}
