using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Asn1.Sec;
using Org.BouncyCastle.Asn1.X9;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Utilities.IO.Pem;

namespace OtaOrchestrator.Firmware.Signing;

/// <summary>
/// A P-256 key that signs releases, kept as PEM (PKCS#8). BouncyCastle signs digests; the platform, ten times as fast at it, makes them. Signatures are deterministic
/// (RFC 6979), so that signing again gives the same bytes.
/// </summary>
public sealed class SigningKey
{
    private readonly ECPrivateKeyParameters _key;

    private SigningKey(ECPrivateKeyParameters key)
    {
        _key = key;
        var point = key.Parameters.G.Multiply(key.D).Normalize();
        Public = new VerificationKey(new ECPublicKeyParameters("EC", point, SecObjectIdentifiers.SecP256r1));
    }

    public VerificationKey Public { get; }

    public static SigningKey Create()
    {
        var generator = new ECKeyPairGenerator();
        generator.Init(new ECKeyGenerationParameters(SecObjectIdentifiers.SecP256r1, new SecureRandom()));
        return new SigningKey((ECPrivateKeyParameters)generator.GenerateKeyPair().Private);
    }

    /// <exception cref="InvalidDataException">Not a P-256 private key as PKCS#8 PEM.</exception>
    public static SigningKey FromPem(string pem)
    {
        try
        {
            var item = new PemReader(new StringReader(pem)).ReadPemObject() ?? throw new InvalidDataException("no PEM in it");
            if (item.Type == "PRIVATE KEY" && PrivateKeyFactory.CreateKey(item.Content) is ECPrivateKeyParameters key && IsP256(key.Parameters))
            {
                return new SigningKey(key);
            }
        }
        catch (Exception error) when (error is IOException or ArgumentException or InvalidCastException or Asn1Exception or Asn1ParsingException)
        {
            throw new InvalidDataException("not a private key", error);
        }
        throw new InvalidDataException("not a P-256 private key (PKCS#8 PEM)");
    }

    /// <summary>Loads the key from <c>{name}.key</c>, or makes it, for its owner alone, with <c>{name}.pub.pem</c> beside it.</summary>
    public static SigningKey Open(string directory, string name)
    {
        var file = Path.Combine(directory, name + ".key");
        if (!File.Exists(file))
        {
            var temporary = $"{file}.{Guid.NewGuid():n}";
            using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                stream.Write(System.Text.Encoding.ASCII.GetBytes(Create().ToPem()));
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, file, overwrite: false);
        }
        var key = FromPem(File.ReadAllText(file));
        File.WriteAllText(Path.Combine(directory, name + ".pub.pem"), key.Public.ToPem());
        return key;
    }

    public string ToPem()
    {
        using var text = new StringWriter();
        using var pem = new PemWriter(text);
        // With the public point inside, as other tools write it.
        var info = PrivateKeyInfoFactory.CreatePrivateKeyInfo(_key);
        pem.WriteObject(new PemObject("PRIVATE KEY", info.GetEncoded(Asn1Encodable.Der)));
        pem.Writer.Flush();
        return text.ToString();
    }

    /// <summary>Signs a SHA-256 digest (32 bytes): the form of <c>sig-sha256-ecdsa</c> before its base64, an ASN.1 DER sequence of r and s.</summary>
    public byte[] SignDigest(ReadOnlySpan<byte> sha256)
    {
        if (sha256.Length != 32)
        {
            throw new ArgumentException("a SHA-256 digest has 32 bytes", nameof(sha256));
        }
        var signer = new ECDsaSigner(new HMacDsaKCalculator(new Sha256Digest()));
        signer.Init(true, _key);
        var signature = signer.GenerateSignature(sha256.ToArray());
        return StandardDsaEncoding.Instance.Encode(_key.Parameters.N, signature[0], signature[1]);
    }

    /// <summary>Signs once, so that the first real signature does not wait for the library to load.</summary>
    public void WarmUp() => SignDigest(new byte[32]);

    internal static bool IsP256(ECDomainParameters domain)
    {
        var p256 = ECNamedCurveTable.GetByOid(SecObjectIdentifiers.SecP256r1);
        return domain.Curve.Equals(p256.Curve) && domain.N.Equals(p256.N);
    }
}
