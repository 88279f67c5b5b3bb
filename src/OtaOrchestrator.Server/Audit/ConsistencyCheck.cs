using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.DevicePlane;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Server.Environments;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Releases;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Audit;

/// <param name="Entries">Journal entries that were told again.</param>
public sealed record AuditReport(IReadOnlyList<AuditFinding> Findings, long Rollouts, long Entries, long Effects, long Devices);

/// <summary>
/// Reads everything of an environment again and compares it: journal with rows, rows with effects and targets, targets with lanes, devices and images with releases.
/// It decides nothing and changes nothing.
/// </summary>
public sealed class ConsistencyCheck(Database database, Ledger ledger, ITargets targets, FirmwareStore store, SigningKey signing, TimeProvider time, EmbeddedDevicePlane? plane = null)
{
    private const int EntriesPerPage = 500;

    /// <summary>Null when there is no such environment.</summary>
    public async Task<AuditReport?> RunAsync(string environment, CancellationToken cancellation)
    {
        var findings = new Findings();
        // Listed first, then who is arriving, then the releases: whatever was between two of them is known to the next.
        var unclaimed = store.Stored().ToList();
        unclaimed.RemoveAll(store.Arriving.Contains);
        if (database.Read(db => AtOneMoment(db, () => Stored(db, environment, findings))) is not { } stored)
        {
            return null;
        }
        var readBack = new ReadBack(targets, ledger, time);
        foreach (var (rollout, _, writes) in stored.Told)
        {
            // Only who took a target last says how it should be.
            foreach (var lane in rollout!.Lanes.Where(lane => writes.ContainsKey(lane.Name) && stored.Targets.Exists(target => target.Id == lane.Target && target.Epoch == lane.Epoch)))
            {
                await readBack.OfAsync(rollout, lane, writes[lane.Name], findings, cancellation);
            }
        }
        long devices = 0;
        if (plane is not null)
        {
            // Jobs are made before they are seen here, so what is known is read after them.
            var snapshot = await plane.SnapshotAsync(cancellation);
            var known = database.Read(Journal.StoredRollouts).Select(TryRead).OfType<Rollout>().ToList();
            DeviceCheck.Jobs(snapshot, known, (rollout, lane) => IotFleet.JobPrefix(lane.Order(rollout, rollout.Revision)), findings);
            devices = DeviceCheck.Digests(snapshot, stored.Fleets, stored.ReleasesByDigest, database.Read(db => Journal.HoldsIn(db, environment)), [.. known.Where(rollout => rollout.Environment == environment)], findings);
        }
        FirmwareCheck.Strays(unclaimed, stored.Images, findings);
        await FirmwareCheck.OfAsync(store, stored.Images, signing.Public, findings, cancellation);
        return new AuditReport(findings.All, stored.Rollouts, stored.Entries, stored.Effects, devices);
    }

    private static T AtOneMoment<T>(Statements db, Func<T> read)
    {
        db.Run("BEGIN");
        try
        {
            return read();
        }
        finally
        {
            db.Run("COMMIT");
        }
    }

    private static StoredThings? Stored(Statements db, string environment, Findings findings)
    {
        if (Journal.Environment(db, environment) is null)
        {
            return null;
        }
        long entries = 0;
        List<Rollout> rows = [];
        List<Retold> told = [];
        var all = Journal.StoredRollouts(db);
        var effects = Journal.Effects(db).Where(effect => effect.Environment == environment).ToList();
        foreach (var row in all.Where(row => row.Environment == environment))
        {
            var retold = JournalCheck.Of(row, Entries(db, row), findings);
            entries += retold.Entries;
            if (TryRead(row) is { } rollout)
            {
                rows.Add(rollout);
                if (retold.Told is not null)
                {
                    told.Add(retold);
                }
                EffectCheck.Of(rollout, [.. effects.Where(effect => effect.Rollout == row.Id)], findings);
            }
            else
            {
                findings.Add(FindingKind.JournalRowMismatch, $"{environment}/{row.Id}", "a rollout", "a row that is none", "the row was changed outside the journal");
            }
        }
        foreach (var orphan in effects.Where(effect => rows.TrueForAll(rollout => rollout.Id != effect.Rollout)))
        {
            findings.Add(FindingKind.EffectUnexpected, $"{environment}/{orphan.Rollout}", "a rollout of that name", $"{orphan.Kind} ({orphan.Key})", "an effect that nobody decided");
        }
        var targets = Journal.Targets(db, environment, "", int.MaxValue);
        foreach (var target in targets)
        {
            TargetCheck.Of(target, rows, findings);
        }
        SequenceCheck.Of([.. all.Select(TryRead).OfType<Rollout>()], Journal.Sequences(db), findings);
        var releases = Journal.Releases(db, "", "", int.MaxValue);
        return new StoredThings(
            targets, told, rows.Count, entries, effects.Count,
            targets.Where(target => target.Kind == TargetKind.Fleet).Select(target => EnvironmentService.Parse(target).Fleet).Where(fleet => fleet.Aws is null).Select(fleet => fleet.Fleet).ToHashSet(StringComparer.Ordinal),
            releases.Where(release => release.Kind == "firmware").GroupBy(release => release.Digest).ToDictionary(group => group.Key, group => group.First().Id, StringComparer.Ordinal),
            [.. releases.Where(release => release.Kind == "firmware").Select(release => ReleaseService.Parse(release)).Select(release =>
                new PublishedImage(release.Name, release.Digest, release.Firmware.Size, Convert.FromBase64String(release.Firmware.Signature)))]);
    }

    private static IEnumerable<JournalRow> Entries(Statements db, StoredRollout row)
    {
        long after = 0;
        while (true)
        {
            var page = Journal.Entries(db, row.Environment, row.Id, after, EntriesPerPage);
            foreach (var entry in page)
            {
                yield return entry;
            }
            if (page.Count < EntriesPerPage)
            {
                yield break;
            }
            after = page[^1].Revision;
        }
    }

    private static Rollout? TryRead(StoredRollout row)
    {
        try
        {
            return StoredJson.RolloutOf(row.Spec);
        }
        catch (Exception error) when (error is System.Text.Json.JsonException or InvalidDataException)
        {
            return null;
        }
    }

    private sealed record StoredThings(
        List<TargetRow> Targets, List<Retold> Told, long Rollouts, long Entries, long Effects,
        HashSet<string> Fleets, Dictionary<string, string> ReleasesByDigest, List<PublishedImage> Images);
}
