using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Router.Tls;

/// <summary>
/// Who may administer: a client certificate under the given authority, for client authentication, whose common name is listed.
/// The authority alone is not enough, as it also makes certificates for people and other programs.
/// </summary>
internal sealed class AdminAuthority(string caFile, IReadOnlyCollection<string> names)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private readonly X509Certificate2Collection _roots = BackendAuthority.Read(caFile);

    public bool Accepts(X509Certificate2 certificate)
    {
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
                ApplicationPolicy = { new Oid(ClientAuthentication) },
            },
        };
        chain.ChainPolicy.CustomTrustStore.AddRange(_roots);
        return chain.Build(certificate) && names.Contains(CommonName(certificate), StringComparer.Ordinal);
    }

    /// <summary>The only common name; null when there is none or more than one, which could be read in two ways.</summary>
    private static string? CommonName(X509Certificate2 certificate)
    {
        var names = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == "2.5.4.3").ToList();
        return names.Count == 1 ? names[0].GetSingleElementValue() : null;
    }
}
