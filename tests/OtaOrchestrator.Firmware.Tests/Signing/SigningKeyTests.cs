using System.Security.Cryptography;
using CsCheck;
using OtaOrchestrator.Firmware.Signing;

namespace OtaOrchestrator.Firmware.Tests.Signing;

public sealed class SigningKeyTests
{
    private static readonly SigningKey Key = SigningKey.Create();
    private static readonly byte[] Digest = SHA256.HashData("firmware"u8);

    [Fact]
    public void What_was_signed_verifies_and_nothing_else_does()
    {
        var signature = Key.SignDigest(Digest);

        Assert.True(Key.Public.Verify(Digest, signature));
        Assert.False(Key.Public.Verify(SHA256.HashData("firmwarE"u8), signature));
        Assert.False(SigningKey.Create().Public.Verify(Digest, signature));
    }

    [Fact]
    public void Signing_again_gives_the_same_bytes() => Assert.Equal(Key.SignDigest(Digest), Key.SignDigest(Digest));

    [Fact]
    public void No_changed_bit_of_a_signature_verifies()
    {
        var signature = Key.SignDigest(Digest);
        for (int bit = 0; bit < signature.Length * 8; bit++)
        {
            var changed = (byte[])signature.Clone();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Key.Public.Verify(Digest, changed), $"bit {bit}");
        }
    }

    [Fact]
    public void Hostile_signatures_are_false_and_never_an_exception()
    {
        Gen.Byte.Array[0, 200].Sample(bytes => !Key.Public.Verify(Digest, bytes), iter: 2000);
        Assert.False(Key.Public.Verify(Digest, []));
        Assert.False(Key.Public.Verify([], Key.SignDigest(Digest)));
        // Zeros for r and s, which a careless verifier takes for any message.
        Assert.False(Key.Public.Verify(Digest, Convert.FromHexString("3006020100020100")));
        // A sequence within a sequence, a length that runs over the end, an indefinite length.
        Assert.False(Key.Public.Verify(Digest, Convert.FromHexString("300830060201010201010000")));
        Assert.False(Key.Public.Verify(Digest, Convert.FromHexString("307F020101020101")));
        Assert.False(Key.Public.Verify(Digest, Convert.FromHexString("30800201010201010000")));
    }

    [Fact]
    public void A_signature_in_a_looser_encoding_is_false()
    {
        var signature = Key.SignDigest(Digest);

        Assert.False(Key.Public.Verify(Digest, [.. signature, 0]));
        // The same number with one more leading zero than DER allows.
        byte[] padded = [0x30, (byte)(signature[1] + 1), 0x02, (byte)(signature[3] + 1), 0x00, .. signature[4..]];
        Assert.False(Key.Public.Verify(Digest, padded));
        // The length in the long form where the short one is due.
        byte[] longForm = [0x30, 0x81, .. signature[1..]];
        Assert.False(Key.Public.Verify(Digest, longForm));
    }

    [Fact]
    public void The_platform_verifies_what_we_sign_and_we_what_it_signs()
    {
        using var platform = ECDsa.Create();
        platform.ImportFromPem(Key.ToPem());

        Assert.True(platform.VerifyHash(Digest, Key.SignDigest(Digest), DSASignatureFormat.Rfc3279DerSequence));
        Assert.True(Key.Public.Verify(Digest, platform.SignHash(Digest, DSASignatureFormat.Rfc3279DerSequence)));
    }

    [Fact]
    public void Keys_survive_their_files()
    {
        Assert.Equal(Key.Public.ToPem(), SigningKey.FromPem(Key.ToPem()).Public.ToPem());
        Assert.True(VerificationKey.FromPem(Key.Public.ToPem()).Verify(Digest, Key.SignDigest(Digest)));
    }

    [Fact]
    public void A_key_is_made_once_for_its_owner_alone()
    {
        using var folder = new TemporaryFolder();
        var made = SigningKey.Open(folder.Path, "release");
        var file = Path.Combine(folder.Path, "release.key");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(made.ToPem(), SigningKey.Open(folder.Path, "release").ToPem());
        Assert.Equal(made.Public.ToPem(), File.ReadAllText(Path.Combine(folder.Path, "release.pub.pem")));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    [Fact]
    public void A_key_file_that_is_none_is_not_replaced()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "release.key");
        File.WriteAllText(file, "torn");

        Assert.Throws<InvalidDataException>(() => SigningKey.Open(folder.Path, "release"));
        Assert.Equal("torn", File.ReadAllText(file));
    }

    [Fact]
    public void Other_curves_and_kinds_of_keys_are_refused()
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);

        Assert.Throws<InvalidDataException>(() => SigningKey.FromPem(p384.ExportPkcs8PrivateKeyPem()));
        Assert.Throws<InvalidDataException>(() => SigningKey.FromPem(rsa.ExportPkcs8PrivateKeyPem()));
        Assert.Throws<InvalidDataException>(() => SigningKey.FromPem(Key.Public.ToPem()));
        Assert.Throws<InvalidDataException>(() => VerificationKey.FromPem(p384.ExportSubjectPublicKeyInfoPem()));
        Assert.Throws<InvalidDataException>(() => VerificationKey.FromPem(rsa.ExportSubjectPublicKeyInfoPem()));
        Assert.Throws<InvalidDataException>(() => VerificationKey.FromPem(Key.ToPem()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no PEM")]
    [InlineData("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n")]
    [InlineData("-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nMFkw")]
    public void Damaged_keys_say_so(string pem)
    {
        Assert.Throws<InvalidDataException>(() => VerificationKey.FromPem(pem));
        Assert.Throws<InvalidDataException>(() => SigningKey.FromPem(pem));
    }

    [Fact]
    public void Only_digests_are_signed() => Assert.Throws<ArgumentException>(() => Key.SignDigest("a whole file"u8));
}
