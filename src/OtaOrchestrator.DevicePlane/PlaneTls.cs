using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace OtaOrchestrator.DevicePlane;

/// <summary>TLS of the plane's ports: 1.2 or later; devices show a certificate of the devices' authority. Nothing is fetched from outside.</summary>
internal static class PlaneTls
{
    public static TlsHandshakeCallbackOptions Mutual(DevicePlaneOptions options) => For(new SslServerAuthenticationOptions
    {
        ServerCertificateContext = Context(options),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateRequired = true,
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { X509CertificateLoader.LoadCertificate(options.DevicesAuthority!.RawData) },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
    });

    public static TlsHandshakeCallbackOptions ServerOnly(DevicePlaneOptions options) => For(new SslServerAuthenticationOptions
    {
        ServerCertificateContext = Context(options),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
    });

    private static TlsHandshakeCallbackOptions For(SslServerAuthenticationOptions server) => new() { OnConnection = _ => ValueTask.FromResult(server) };

    private static SslStreamCertificateContext Context(DevicePlaneOptions options) =>
        SslStreamCertificateContext.Create(options.ServerCertificate!, options.ServerCertificateChain, offline: true);
}
