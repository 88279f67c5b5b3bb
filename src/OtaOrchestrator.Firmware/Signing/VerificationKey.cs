using System.Formats.Asn1;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Utilities.IO.Pem;
using Org.BouncyCastle.X509;

namespace OtaOrchestrator.Firmware.Signing;

/// <summary>The public half of a <see cref="SigningKey"/>: what devices trust. PEM, SubjectPublicKeyInfo.</summary>
public sealed class VerificationKey
{
    private const int SignatureBytesMax = 72;
    private readonly ECPublicKeyParameters _key;

    internal VerificationKey(ECPublicKeyParameters key) => _key = key;

    /// <exception cref="InvalidDataException">Not a P-256 public key as SubjectPublicKeyInfo PEM.</exception>
    public static VerificationKey FromPem(string pem)
    {
        try
        {
            var item = new PemReader(new StringReader(pem)).ReadPemObject() ?? throw new InvalidDataException("no PEM in it");
            if (item.Type == "PUBLIC KEY" && PublicKeyFactory.CreateKey(item.Content) is ECPublicKeyParameters key && SigningKey.IsP256(key.Parameters))
            {
                return new VerificationKey(key);
            }
        }
        catch (Exception error) when (error is IOException or ArgumentException or InvalidCastException or Asn1Exception or Asn1ParsingException)
        {
            throw new InvalidDataException("not a public key", error);
        }
        throw new InvalidDataException("not a P-256 public key (SubjectPublicKeyInfo PEM)");
    }

    public string ToPem()
    {
        using var text = new StringWriter();
        using var pem = new PemWriter(text);
        pem.WriteObject(new PemObject("PUBLIC KEY", SubjectPublicKeyInfoFactory.CreateSubjectPublicKeyInfo(_key).GetEncoded(Asn1Encodable.Der)));
        pem.Writer.Flush();
        return text.ToString();
    }

    /// <summary>Whether this key signed the digest. Anything that is not a strict DER signature in range is false, never an exception.</summary>
    public bool Verify(ReadOnlySpan<byte> sha256, ReadOnlySpan<byte> derSignature)
    {
        if (sha256.Length != 32 || derSignature.Length is < 8 or > SignatureBytesMax)
        {
            return false;
        }
        BigInteger r, s;
        try
        {
            // The platform's reader knows one exception for whatever is wrong; BouncyCastle's casts.
            var reader = new AsnReader(derSignature.ToArray(), AsnEncodingRules.DER);
            var parts = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            r = new BigInteger(parts.ReadIntegerBytes().ToArray());
            s = new BigInteger(parts.ReadIntegerBytes().ToArray());
            parts.ThrowIfNotEmpty();
        }
        catch (AsnContentException)
        {
            return false;
        }
        var signer = new ECDsaSigner();
        signer.Init(false, _key);
        return signer.VerifySignature(sha256.ToArray(), r, s);
    }
}
