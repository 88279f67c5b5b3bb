namespace OtaOrchestrator.Server.Devices;

/// <summary>One device as the index shows it.</summary>
/// <param name="ReportedJson">What the device says in its <c>ota</c> shadow; empty when nothing yet.</param>
public sealed record IndexedDevice(string Thing, IReadOnlyList<string> Groups, bool Connected, string ReportedJson);

public sealed record Claim(string CertificatePem, string KeyPem, string MqttEndpoint);

/// <summary>The devices of a plane: found by the index's query language, enrolled, revoked.</summary>
public interface IDeviceDirectory
{
    Task<(IReadOnlyList<IndexedDevice> Devices, string NextToken)> SearchAsync(string query, int most, string token, CancellationToken cancellation);

    Task<long> CountAsync(string query, CancellationToken cancellation);

    Task<IReadOnlyDictionary<string, long>> CountByAsync(string query, string field, CancellationToken cancellation);

    Task<Claim> IssueClaimAsync(string fleet, CancellationToken cancellation);

    Task RevokeAsync(string thing, CancellationToken cancellation);

    Task<long> AddToGroupAsync(string fleet, string group, IReadOnlyList<string> things, CancellationToken cancellation);
}
