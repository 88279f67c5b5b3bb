using System.Net;
using System.Net.Security;
using OtaOrchestrator.Router.Tls;

namespace OtaOrchestrator.Router.Forwarding;

/// <summary>Makes the connections to back ends. Each destination has its own, so that they end with it.</summary>
internal sealed class DestinationClients(BackendAuthority authority, TimeSpan connectTimeout)
{
    public HttpMessageInvoker Create() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = connectTimeout,
        ActivityHeadersPropagator = null,
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = authority.Policy() },
    });
}
