using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using OtaOrchestrator.Agent.Mqtt;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Enrolment;

/// <summary>
/// Fleet provisioning by claim. The key is made here and never leaves. The certificate is stored before it is provisioned: when the answer to that is lost, the device finds
/// out by trying it, for a name can be enrolled only once.
/// </summary>
public sealed class Enrolment(AgentOptions options, Disk disk, TimeProvider time)
{
    private string KeyFile => Path.Combine(options.StateDirectory, "device.key");

    private string CertificateFile => Path.Combine(options.StateDirectory, "device.crt");

    /// <summary>There while it is not known whether the certificate was provisioned; holds the ownership token.</summary>
    private string TokenFile => Path.Combine(options.StateDirectory, "device.token");

    public bool IsDone => File.Exists(CertificateFile) && File.Exists(KeyFile) && !File.Exists(TokenFile);

    /// <summary>The device's own certificate with its key; enrols first if need be.</summary>
    /// <exception cref="ConnectionException">No connection; worth trying again.</exception>
    /// <exception cref="EnrolmentException">The service refused.</exception>
    public async Task<X509Certificate2> EnrolAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.StateDirectory);
        if (IsDone)
        {
            return Own();
        }
        if (File.Exists(CertificateFile) && File.Exists(KeyFile) && await IsAcceptedAsync(cancellation))
        {
            disk.Delete(TokenFile);
            return Own();
        }
        if (options.Claim is not { } claim)
        {
            throw new EnrolmentException("the device is not enrolled and has no claim certificate");
        }
        await using var connection = await DeviceConnection.OpenAsync(options, ClaimClientId(), claim, time, cancellation);
        string provision = $"$aws/provisioning-templates/{options.Fleet}/provision/json";
        await connection.SubscribeAsync(["$aws/certificates/create-from-csr/json/+", provision + "/+"], cancellation);
        if (File.Exists(TokenFile) && File.Exists(CertificateFile) && await ProvisionAsync(connection, provision, cancellation) is null)
        {
            return Own();
        }
        using var key = LoadOrCreateKey();
        var request = new CertificateRequest($"CN={options.Thing}", key, HashAlgorithmName.SHA256);
        var issued = await connection.RequestAsync(
            "$aws/certificates/create-from-csr/json", new JsonObject { ["certificateSigningRequest"] = request.CreateSigningRequestPem() }, cancellation, hasToken: false);
        if (!issued.Accepted || issued.Text("certificatePem") is not { } pem || issued.Text("certificateOwnershipToken") is not { } token)
        {
            throw new EnrolmentException($"no certificate: {issued.Code} {issued.Message}");
        }
        using (var certificate = X509Certificate2.CreateFromPem(pem))
        {
            if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            {
                throw new EnrolmentException("the certificate is for another key than this device's");
            }
        }
        // A token is only ever beside the certificate that it is for.
        disk.Delete(CertificateFile);
        disk.Replace(TokenFile, Encoding.ASCII.GetBytes(token));
        disk.Replace(CertificateFile, Encoding.ASCII.GetBytes(pem));
        if (await ProvisionAsync(connection, provision, cancellation) is { } refused)
        {
            throw new EnrolmentException($"not provisioned: {refused.Code} {refused.Message}");
        }
        return Own();
    }

    /// <summary>Null when it went well.</summary>
    private async Task<Reply?> ProvisionAsync(DeviceConnection connection, string topic, CancellationToken cancellation)
    {
        var body = new JsonObject
        {
            ["certificateOwnershipToken"] = await File.ReadAllTextAsync(TokenFile, cancellation),
            ["parameters"] = new JsonObject { ["SerialNumber"] = options.Serial, ["HardwareId"] = options.HardwareId },
        };
        var reply = await connection.RequestAsync(topic, body, cancellation, hasToken: false);
        if (!reply.Accepted)
        {
            return reply;
        }
        if (reply.Text("thingName") != options.Thing)
        {
            throw new EnrolmentException($"provisioned under the name {reply.Text("thingName")}, expected {options.Thing}");
        }
        disk.Delete(TokenFile);
        return null;
    }

    private async Task<bool> IsAcceptedAsync(CancellationToken cancellation)
    {
        try
        {
            using var own = Own();
            await using var connection = await DeviceConnection.OpenAsync(options, options.Thing, own, time, cancellation);
            return true;
        }
        catch (ConnectionException)
        {
            return false;
        }
    }

    private ECDsa LoadOrCreateKey()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(KeyFile))
        {
            key.ImportFromPem(File.ReadAllText(KeyFile));
        }
        else
        {
            disk.Replace(KeyFile, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        }
        return key;
    }

    private X509Certificate2 Own() => X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile);

    /// <summary>Any id will do as long as no other device that enrols has it at the same time.</summary>
    private string ClaimClientId()
    {
        var id = "enrol-" + options.Thing;
        return id.Length <= 128 ? id : id[..128];
    }
}

public sealed class EnrolmentException(string message) : Exception(message);
