using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Shadows;

namespace OtaOrchestrator.DevicePlane.Registry;

/// <summary>What is stored of a thing. <see cref="SeenMs"/> is when its connection last began or ended, in epoch milliseconds, 0 = never.</summary>
internal sealed record ThingRecord(
    string Name, string Id, long Version, IReadOnlyDictionary<string, string> Attributes, string[] Groups, string? Fleet, string? CertificateId, long SeenMs);

/// <summary>
/// A thing with everything that hangs on it. Changed by the writer only; each member is replaced as a whole, never edited, so that a
/// reader sees one state or the other and an undo is an assignment.
/// </summary>
internal sealed class Thing(ThingRecord record, int slot)
{
    public ThingRecord Record { get; set; } = record;

    public string Name => Record.Name;

    /// <summary>Its place in the order of creation; also its row in the fleet index.</summary>
    public int Slot { get; } = slot;

    public bool Connected { get; set; }

    public NamedShadow[] Shadows { get; set; } = [];

    /// <summary>The newest execution of each job, in the order in which they were queued.</summary>
    public JobExecution[] Executions { get; set; } = [];

    public bool Deleted { get; set; }
}

/// <summary>What is stored of a static group. Membership is stored with the things.</summary>
internal sealed record GroupRecord(string Name, string Id, string? Parent, string? Description, IReadOnlyDictionary<string, string> Attributes, long Version, long CreatedMs);

internal sealed class ThingGroup(GroupRecord record)
{
    public GroupRecord Record { get; } = record;

    public string Name => Record.Name;

    public HashSet<Thing> Members { get; } = [];

    public List<ThingGroup> Children { get; } = [];
}

internal enum CertificateStatus
{
    /// <summary>Issued, but its device has not been provisioned yet; it may not connect.</summary>
    PENDING_ACTIVATION,
    ACTIVE,
    INACTIVE,
    REVOKED,
}

/// <summary>A certificate this plane has issued. <see cref="Id"/> is the SHA-256 of its DER form in lower-case hex, as in AWS.</summary>
internal sealed record CertificateRecord(
    string Id, string CommonName, string Pem, CertificateStatus Status, string? ClaimFleet, string? Token, long CreatedMs, long NotBeforeMs, long NotAfterMs);
