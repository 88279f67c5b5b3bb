using System.Diagnostics;
using System.Security.Cryptography;
using OtaOrchestrator.Firmware.Signing;

namespace OtaOrchestrator.Firmware.Tests;

/// <summary>Our signatures held against openssl, which shares no code with BouncyCastle.</summary>
public sealed class OpensslTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("openssl-").FullName;

    [Theory]
    [InlineData("intact", true)]
    [InlineData("tampered", false)]
    [InlineData("other key", false)]
    [InlineData("other signature", false)]
    public void Openssl_verifies_what_we_sign_and_nothing_else(string kind, bool holds)
    {
        var key = SigningKey.Create();
        byte[] image = RandomNumberGenerator.GetBytes(70_001);
        byte[] signature = key.SignDigest(SHA256.HashData(kind == "other signature" ? [1] : image));
        string pem = (kind == "other key" ? SigningKey.Create() : key).Public.ToPem();
        if (kind == "tampered")
        {
            image[40_000] ^= 1;
        }
        Assert.Equal(holds, Openssl(pem, image, signature));
        Assert.Equal(holds, VerificationKey.FromPem(pem).Verify(SHA256.HashData(image), signature));
    }

    [Fact]
    public void A_key_comes_back_from_its_file_which_only_its_owner_reads()
    {
        var key = SigningKey.Open(_folder, "release");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "release.key")));
        byte[] digest = SHA256.HashData([1, 2, 3]);
        Assert.Equal(key.SignDigest(digest), SigningKey.Open(_folder, "release").SignDigest(digest));
        Assert.Throws<InvalidDataException>(() => SigningKey.FromPem(key.Public.ToPem()));
        Assert.Throws<InvalidDataException>(() => VerificationKey.FromPem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
    }

    [Fact]
    public void Whatever_is_no_strict_signature_is_false_and_never_an_exception()
    {
        var key = SigningKey.Create();
        byte[] digest = SHA256.HashData([1]);
        byte[] good = key.SignDigest(digest);
        for (int at = 0; at < good.Length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] bad = [.. good];
                bad[at] ^= (byte)(1 << bit);
                Assert.False(key.Public.Verify(digest, bad), $"byte {at}, bit {bit}");
            }
            Assert.False(key.Public.Verify(digest, good.AsSpan(0, at)));
        }
        Assert.False(key.Public.Verify(digest, [.. good, 0]));
        Assert.False(key.Public.Verify(digest.AsSpan(1), good));
        Assert.True(key.Public.Verify(digest, good));
    }

    private bool Openssl(string pem, byte[] image, byte[] signature)
    {
        string At(string name) => Path.Combine(_folder, name);
        File.WriteAllText(At("key.pem"), pem);
        File.WriteAllBytes(At("image"), image);
        File.WriteAllBytes(At("signature"), signature);
        using var openssl = Process.Start(new ProcessStartInfo("openssl", ["dgst", "-sha256", "-verify", At("key.pem"), "-signature", At("signature"), At("image")])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        string said = openssl.StandardOutput.ReadToEnd();
        openssl.WaitForExit();
        Assert.Equal(openssl.ExitCode == 0, said.Contains("Verified OK", StringComparison.Ordinal));
        return openssl.ExitCode == 0;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
