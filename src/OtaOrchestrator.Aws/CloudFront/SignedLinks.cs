using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OtaOrchestrator.Aws.CloudFront;

/// <summary>
/// Links that CloudFront answers to: to one address, until a time, signed by a key whose public half the distribution trusts (a canned policy).
/// </summary>
/// <param name="keyPairId">The public key's id with CloudFront.</param>
/// <param name="key">RSA, 2048 bits; asked for when a link is signed, so that nobody else needs it.</param>
public sealed class SignedLinks(string domain, string keyPairId, Func<RSA> key)
{
    public string Domain => domain;

    /// <summary>The same for the same moment: the signature has nothing random.</summary>
    /// <param name="path">Without a slash before it, and nothing in it that a link would escape.</param>
    public string Of(string path, DateTimeOffset until)
    {
        var address = $"https://{domain}/{path}";
        var expires = until.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        // CloudFront rebuilds exactly these bytes from the link.
        var policy = $"{{\"Statement\":[{{\"Resource\":\"{address}\",\"Condition\":{{\"DateLessThan\":{{\"AWS:EpochTime\":{expires}}}}}}}]}}";
        return $"{address}?Expires={expires}&Signature={Signed(policy)}&Key-Pair-Id={keyPairId}";
    }

    private string Signed(string policy)
    {
        var signer = key();
        byte[] signature;
        // A key of .NET is one caller's at a time.
        lock (signer)
        {
#pragma warning disable CA5350 // CloudFront checks SHA-1 and nothing else. What a device installs is checked against the release key, whoever handed it out.
            signature = signer.SignData(Encoding.UTF8.GetBytes(policy), HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1);
#pragma warning restore CA5350
        }

        return Convert.ToBase64String(signature).Replace('+', '-').Replace('=', '_').Replace('/', '~');
    }
}
