using System.Security.Cryptography;
using System.Text;
using OtaOrchestrator.DevicePlane.Index;
using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane;

/// <summary>The working copy of everything that is stored. Only the writer looks at it; the fleet index has what others may read at any time.</summary>
internal sealed class PlaneState(PlaneCertificates active)
{
    private const int Cohorts = 100;
    private const string CohortsSuffix = "-cohorts";

    /// <summary>The active certificates as connections see them.</summary>
    public PlaneCertificates Active { get; } = active;

    /// <summary>Certificates that wait for their provisioning, by ownership token.</summary>
    public Dictionary<string, CertificateRecord> Unprovisioned { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, Thing> Things { get; } = new(StringComparer.Ordinal);

    /// <summary>All things by slot, in the order of their creation; deleted ones leave a gap.</summary>
    public List<Thing?> Slots { get; } = [];

    public Dictionary<string, ThingGroup> Groups { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, CertificateRecord> Certificates { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, Job> Jobs { get; } = new(StringComparer.Ordinal);

    /// <summary>Deadlines of executions in progress, in steady milliseconds. An entry that its execution no longer has means nothing.</summary>
    public PriorityQueue<(string Job, string Thing), long> Deadlines { get; } = new();

    public FleetIndex Index { get; } = new();

    /// <summary>The position in the queue that the next execution gets.</summary>
    public long NextOrder { get; set; } = 1;

    public Thing Thing(string name) => Things.TryGetValue(name, out var thing) ? thing : throw RefusedException.NotFound($"thing '{name}' doesn't exist");

    public ThingGroup Group(string name) => Groups.TryGetValue(name, out var group) ? group : throw RefusedException.NotFound($"thing group '{name}' doesn't exist");

    public Job Job(string id) => Jobs.TryGetValue(id, out var job) ? job : throw RefusedException.NotFound($"job '{id}' doesn't exist");

    /// <summary>0 to 99: the first eight bytes of SHA-256 of the name, big-endian, modulo 100.</summary>
    public static int CohortOf(string thingName)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(thingName), hash);
        return (int)(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(hash) % Cohorts);
    }

    /// <summary>Names and parents of the groups that a fleet has: its own, its cohorts' and the cohorts.</summary>
    public static IEnumerable<(string Name, string? Parent)> GroupsOf(string fleet) =>
        [(fleet, null), (fleet + CohortsSuffix, null), .. Enumerable.Range(0, Cohorts).Select(cohort => (CohortName(fleet, cohort), (string?)(fleet + CohortsSuffix)))];

    public static string CohortName(string fleet, int cohort) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{fleet}-c{cohort:00}");

    /// <summary>The index follows what is durable.</summary>
    public void Reindex(PlaneTransaction tx, Thing thing)
    {
        var (record, shadows, connected, deleted) = (thing.Record, thing.Shadows, thing.Connected, thing.Deleted);
        tx.AfterCommit(() => Index.Set(thing.Slot, deleted ? null : new IndexedThing(record, shadows, connected)));
    }
}
