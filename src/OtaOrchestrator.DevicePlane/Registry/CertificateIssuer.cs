using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.DevicePlane.Registry;

/// <summary>Signs what devices request with the devices' authority. P-256 only.</summary>
internal sealed class CertificateIssuer(X509Certificate2 authority, SteadyClock clock)
{
    private const int MaxRequestChars = 4096;
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <param name="requestPem">A PKCS#10 request whose signature shows that the requester has the key.</param>
    /// <param name="lifetime">From now on.</param>
    /// <returns>The certificate and its common name, taken from the request.</returns>
    /// <exception cref="RefusedException">InvalidRequest.</exception>
    public (X509Certificate2 Certificate, string CommonName) Sign(string requestPem, TimeSpan lifetime)
    {
        if (requestPem.Length > MaxRequestChars)
        {
            throw RefusedException.Invalid($"certificateSigningRequest may have {MaxRequestChars} characters at most");
        }

        CertificateRequest request;
        try
        {
            request = CertificateRequest.LoadSigningRequestPem(requestPem, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or FormatException)
        {
            throw RefusedException.Invalid("certificateSigningRequest isn't a valid, self-signed PKCS#10 request in PEM form");
        }

        using var key = IsP256(request.PublicKey) ? request.PublicKey.GetECDsaPublicKey() : null;
        if (key is null)
        {
            throw RefusedException.Invalid("the key must be an ECDSA key on P-256");
        }

        var name = CommonNameOf(request.SubjectName);
        if (name is null || !Names.IsThing(name) || name.StartsWith(ClaimPrefix, StringComparison.Ordinal))
        {
            throw RefusedException.Invalid("the subject must have one common name [a-zA-Z0-9:_-]{1,128}");
        }

        return (Issue(name, request.PublicKey, lifetime), name);
    }

    public const string ClaimPrefix = "claim-";

    /// <summary>Makes a key and a certificate for it.</summary>
    public (X509Certificate2 Certificate, string KeyPem) Create(string commonName, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        return (Issue(commonName, request.PublicKey, lifetime), key.ExportPkcs8PrivateKeyPem());
    }

    public static string IdOf(X509Certificate2 certificate) => Convert.ToHexStringLower(certificate.GetCertHash(HashAlgorithmName.SHA256));

    /// <summary>The one common name, or null when there is none or more than one.</summary>
    public static string? CommonNameOf(X500DistinguishedName subject)
    {
        string? found = null;
        foreach (var part in subject.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements || part.GetSingleElementType().Value != "2.5.4.3")
            {
                continue;
            }

            if (found is not null)
            {
                return null;
            }

            found = part.GetSingleElementValue();
        }

        return found;
    }

    private static bool IsP256(PublicKey key)
    {
        try
        {
            using var ecdsa = key.GetECDsaPublicKey();
            return ecdsa?.ExportParameters(false).Curve is { IsNamed: true } curve && (curve.Oid.Value == P256 || curve.Oid.FriendlyName == "nistP256");
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private X509Certificate2 Issue(string commonName, PublicKey key, TimeSpan lifetime)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));

        // A device whose clock is slow must not find its new certificate not yet valid; nothing outlives the authority.
        var from = clock.WallNow.AddDays(-1);
        from = from < authority.NotBefore ? authority.NotBefore : from;
        var until = clock.WallNow + lifetime;
        until = until > authority.NotAfter ? authority.NotAfter : until;
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        using var ecdsa = authority.GetECDsaPrivateKey();
        if (ecdsa is not null)
        {
            return request.Create(authority.SubjectName, X509SignatureGenerator.CreateForECDsa(ecdsa), from, until, serial);
        }

        using var rsa = authority.GetRSAPrivateKey() ?? throw new InvalidOperationException("the devices' authority has no private key");
        return request.Create(authority.SubjectName, X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1), from, until, serial);
    }

    public static long ToMs(DateTime local) => new DateTimeOffset(local).ToUnixTimeMilliseconds();

}
