using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Registry;

/// <summary>Fleet provisioning by claim: a device proves its key with a request, then becomes a thing of the claim's fleet.</summary>
internal sealed class Provisioning(PlaneState state, PlaneWriter writer, CertificateIssuer issuer, SteadyClock clock, DevicePlaneOptions options)
{
    public sealed record Issued(string CertificateId, string CertificatePem, string Token);

    /// <summary>Signs a request. The certificate can't be used before <see cref="ProvisionAsync"/>.</summary>
    public async Task<Issued> CreateFromCsrAsync(string claimFleet, JsonElement request, CancellationToken cancellationToken)
    {
        // Signing costs a millisecond, so it stays outside the writer.
        using var certificate = issuer.Sign(Text(request, "certificateSigningRequest"), options.DeviceCertificateLifetime).Certificate;
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var record = ToRecord(certificate, CertificateStatus.PENDING_ACTIVATION, claimFleet, token);
        await writer.RunAsync(
            tx =>
            {
                if (state.Unprovisioned.Count >= options.MaxUnprovisionedCertificates)
                {
                    throw new RefusedException(Refusal.LimitExceeded, "too many certificates wait for their provisioning");
                }

                RegistryOperations.PutCertificate(state, tx, record);
            },
            cancellationToken).ConfigureAwait(false);
        return new Issued(record.Id, record.Pem, token);
    }

    /// <summary>Makes the thing, its membership of the fleet and its cohort, and activates its certificate, all or nothing.</summary>
    /// <returns>The thing's name.</returns>
    public Task<string> ProvisionAsync(string fleet, JsonElement request, CancellationToken cancellationToken)
    {
        var token = Text(request, "certificateOwnershipToken");
        if (!request.TryGetProperty("parameters", out var parameters) || parameters.ValueKind != JsonValueKind.Object)
        {
            throw RefusedException.Invalid("parameters must be an object");
        }

        var (serial, hardware) = (Text(parameters, "SerialNumber"), Text(parameters, "HardwareId"));
        return writer.RunAsync(tx => Provision(tx, fleet, token, serial, hardware), cancellationToken);
    }

    /// <summary>Forgets certificates whose device never came back for its provisioning.</summary>
    public void Expire(PlaneTransaction tx)
    {
        var oldest = clock.WallMs - (long)options.OwnershipTokenLifetime.TotalMilliseconds;
        foreach (var certificate in state.Unprovisioned.Values.Where(c => c.CreatedMs < oldest).ToList())
        {
            tx.Remove(state.Unprovisioned, certificate.Token!);
            tx.Remove(state.Certificates, certificate.Id);
            tx.Delete(PlaneTable.Certificate, certificate.Id);
        }
    }

    public CertificateRecord ToRecord(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate, CertificateStatus status, string? claimFleet, string? token) => new(
        CertificateIssuer.IdOf(certificate), CertificateIssuer.CommonNameOf(certificate.SubjectName)!, certificate.ExportCertificatePem(), status, claimFleet, token,
        clock.WallMs, CertificateIssuer.ToMs(certificate.NotBefore), CertificateIssuer.ToMs(certificate.NotAfter));

    private string Provision(PlaneTransaction tx, string fleet, string token, string serial, string hardware)
    {
        if (!state.Unprovisioned.TryGetValue(token, out var certificate) || certificate.ClaimFleet != fleet)
        {
            throw RefusedException.Invalid("certificateOwnershipToken isn't valid, or no longer");
        }

        var name = $"{fleet}-{serial}";
        if (!Names.IsThing(name) || certificate.CommonName != name)
        {
            throw RefusedException.Invalid("the certificate's common name must be <fleet>-<SerialNumber>");
        }

        if (hardware.Length is 0 or > 128)
        {
            throw RefusedException.Invalid("HardwareId must have 1 to 128 characters");
        }

        var attributes = new Dictionary<string, string>(StringComparer.Ordinal) { ["hardwareId"] = hardware };
        if (state.Things.TryGetValue(name, out var thing))
        {
            // Its certificate revoked, a device may come back with a new key; a second device under its name may not.
            if (thing.Record.CertificateId is { } earlier && state.Certificates[earlier].Status != CertificateStatus.REVOKED)
            {
                throw new RefusedException(Refusal.AlreadyExists, $"thing '{name}' exists already");
            }

            RegistryOperations.Update(state, tx, thing, thing.Record with { Attributes = attributes, Fleet = fleet, CertificateId = certificate.Id, Version = thing.Record.Version + 1 });
        }
        else
        {
            thing = RegistryOperations.CreateThing(state, tx, name, attributes, fleet, certificate.Id);
        }

        RegistryOperations.SetCertificate(state, tx, certificate.Id, CertificateStatus.ACTIVE);
        RegistryOperations.AddToGroup(state, tx, state.Group(fleet), thing);
        RegistryOperations.AddToGroup(state, tx, state.Group(PlaneState.CohortName(fleet, PlaneState.CohortOf(name))), thing);
        return name;
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw RefusedException.Invalid($"{name} is missing");
}
