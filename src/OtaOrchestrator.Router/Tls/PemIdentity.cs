using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Router.Tls;

/// <summary>A certificate with its key and the intermediates that stand after it in the file.</summary>
internal static class PemIdentity
{
    public static SslStreamCertificateContext Load(string certificateFile, string keyFile)
    {
        using var loaded = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        // A copy with its key inside, which every TLS stack takes.
        var leaf = X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pkcs12), null);
        X509Certificate2Collection all = [];
        all.ImportFromPemFile(certificateFile);
        X509Certificate2Collection rest = [.. all.Skip(1)];
        return SslStreamCertificateContext.Create(leaf, rest, offline: true);
    }
}
