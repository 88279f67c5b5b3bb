using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Firmware.Tests.Signing;

/// <summary>An independent verifier decides whether our signatures are what AWS devices expect.</summary>
public sealed class OpensslTests
{
    [Fact]
    public void Openssl_verifies_the_signature_member_of_a_document_and_only_over_the_exact_file()
    {
        using var folder = new TemporaryFolder();
        var key = SigningKey.Create();
        var image = FirmwareImage.Create("thermostat-fw", "2.4.0", ["thermo-a1"], 3, new byte[5000]);
        var sha256 = SHA256.HashData(image);
        var manifest = new Manifest("thermostats", "thermostat-fw@2.4.0", "2.4.0", ["thermo-a1"], 3, 1, Convert.ToHexStringLower(sha256), image.Length).ToBytes();
        var json = new UpdateDocument(
            UpdateOperation.Update, "r1", "firmware", "thermostat-fw@2.4.0", [], manifest, key.SignDigest(SHA256.HashData(manifest)), key.SignDigest(sha256), "https://x/y", image.Length).ToJson();

        // The signature is taken from the document as a device would, without our parser.
        using var document = JsonDocument.Parse(json);
        var signature = document.RootElement.GetProperty("afr_ota").GetProperty("files")[0].GetProperty("sig-sha256-ecdsa").GetBytesFromBase64();
        string Put(string name, byte[] bytes)
        {
            var file = Path.Combine(folder.Path, name);
            File.WriteAllBytes(file, bytes);
            return file;
        }
        var keyFile = Put("key.pem", System.Text.Encoding.ASCII.GetBytes(key.Public.ToPem()));
        var otherKey = Put("other.pem", System.Text.Encoding.ASCII.GetBytes(SigningKey.Create().Public.ToPem()));
        var signatureFile = Put("image.sig", signature);
        var imageFile = Put("image.img", image);
        var tampered = (byte[])image.Clone();
        tampered[1000] ^= 1;

        Assert.Equal("Verified OK", Openssl("dgst", "-sha256", "-verify", keyFile, "-signature", signatureFile, imageFile));
        Assert.NotEqual("Verified OK", Openssl("dgst", "-sha256", "-verify", otherKey, "-signature", signatureFile, imageFile));
        Assert.NotEqual("Verified OK", Openssl("dgst", "-sha256", "-verify", keyFile, "-signature", signatureFile, Put("tampered.img", tampered)));
        Assert.NotEqual("Verified OK", Openssl("dgst", "-sha256", "-verify", keyFile, "-signature", Put("empty.sig", []), imageFile));
    }

    [Fact]
    public void Keys_and_signatures_of_openssl_are_understood()
    {
        using var folder = new TemporaryFolder();
        string In(string name) => Path.Combine(folder.Path, name);
        File.WriteAllText(In("file"), "a payload that is not ours");
        Openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", In("key.pem"));
        Openssl("pkey", "-in", In("key.pem"), "-pubout", "-out", In("pub.pem"));
        Openssl("dgst", "-sha256", "-sign", In("key.pem"), "-out", In("sig"), In("file"));
        var digest = SHA256.HashData(File.ReadAllBytes(In("file")));
        var theirs = VerificationKey.FromPem(File.ReadAllText(In("pub.pem")));

        Assert.True(theirs.Verify(digest, File.ReadAllBytes(In("sig"))));
        Assert.True(theirs.Verify(digest, SigningKey.FromPem(File.ReadAllText(In("key.pem"))).SignDigest(digest)));
        Assert.False(theirs.Verify(SHA256.HashData([]), File.ReadAllBytes(In("sig"))));
    }

    [Fact]
    public void Openssl_reads_the_private_key_we_write()
    {
        using var folder = new TemporaryFolder();
        SigningKey.Open(folder.Path, "release");

        Assert.Equal("Key is valid", Openssl("pkey", "-in", Path.Combine(folder.Path, "release.key"), "-check", "-noout"));
    }

    private static string Openssl(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return output.Length > 0 ? output : errors.Result.Trim();
    }
}
