using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Router.Tls;

/// <summary>Who may vouch for a back end: the given authorities, or the system's when none is given.</summary>
internal sealed class BackendAuthority(string? caFile)
{
    private readonly X509Certificate2Collection? _roots = caFile is null ? null : Read(caFile);

    public X509ChainPolicy? Policy()
    {
        if (_roots is null)
        {
            return null;
        }
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_roots);
        return policy;
    }

    internal static X509Certificate2Collection Read(string file)
    {
        X509Certificate2Collection roots = [];
        roots.ImportFromPemFile(file);
        return roots.Count > 0 ? roots : throw new InvalidDataException($"{file} holds no certificate");
    }
}
