using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Server.Checks;

/// <summary>The way to whom checks ask: TLS with the system's authorities and the installation's own, no proxy, no cookies, no redirects.</summary>
internal static class CheckHttp
{
    /// <param name="identity">What the orchestrator shows to who asks for a certificate; with its private key.</param>
    /// <param name="authority">Vouches for servers beside the system's authorities.</param>
    public static SocketsHttpHandler Create(X509Certificate2 identity, X509Certificate2 authority)
    {
        var own = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        own.CustomTrustStore.Add(authority);
        return new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 32,
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = SslStreamCertificateContext.Create(identity, null, offline: true),
                // The system has had its say; what only the chain is wrong with may still be the installation's own.
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                    errors == SslPolicyErrors.None || (errors == SslPolicyErrors.RemoteCertificateChainErrors && certificate is X509Certificate2 shown && Chains(shown, own)),
            },
        };
    }

    private static bool Chains(X509Certificate2 certificate, X509ChainPolicy policy)
    {
        using var chain = new X509Chain { ChainPolicy = policy.Clone() };
        return chain.Build(certificate);
    }
}
