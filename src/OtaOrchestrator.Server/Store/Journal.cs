using Microsoft.Data.Sqlite;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Server.Store;

/// <summary>All SQL of the store. Everything that takes a <see cref="Statements"/> runs inside the caller's transaction.</summary>
public static class Journal
{
    // Environments, targets, releases.

    public static bool InsertEnvironment(Statements db, EnvironmentRow row) =>
        db.Run("INSERT OR IGNORE INTO environments (id, spec, revision, created_at) VALUES ($1, $2, $3, $4)", row.Id, row.Spec, row.Revision, row.CreatedAt) == 1;

    public static EnvironmentRow? Environment(Statements db, string id) =>
        db.Query("SELECT id, spec, revision, created_at FROM environments WHERE id = $1", EnvironmentOf, id).FirstOrDefault();

    public static List<EnvironmentRow> Environments(Statements db, string after, int most) =>
        db.Query("SELECT id, spec, revision, created_at FROM environments WHERE id > $1 ORDER BY id LIMIT $2", EnvironmentOf, after, most);

    public static bool InsertTarget(Statements db, TargetRow row) => db.Run(
        "INSERT OR IGNORE INTO targets (environment, id, kind, spec, current_release, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        row.Environment, row.Id, row.Kind.ToString(), row.Spec, row.CurrentRelease, row.CreatedAt) == 1;

    public static TargetRow? Target(Statements db, string environment, string id) => db.Query(
        "SELECT environment, id, kind, spec, current_release, active_rollout, epoch, created_at FROM targets WHERE environment = $1 AND id = $2", TargetOf, environment, id).FirstOrDefault();

    public static List<TargetRow> Targets(Statements db, string environment, string after, int most) => db.Query(
        "SELECT environment, id, kind, spec, current_release, active_rollout, epoch, created_at FROM targets WHERE environment = $1 AND id > $2 ORDER BY id LIMIT $3", TargetOf, environment, after, most);

    public static void SetTargetSpec(Statements db, string environment, string target, string spec) =>
        db.Run("UPDATE targets SET spec = $3 WHERE environment = $1 AND id = $2", environment, target, spec);

    /// <summary>Takes a target for a rollout. False when another one has it.</summary>
    public static bool TakeTarget(Statements db, string environment, string target, string rollout, long epoch) => db.Run(
        "UPDATE targets SET active_rollout = $3, epoch = $4 WHERE environment = $1 AND id = $2 AND active_rollout = '' AND epoch = $4 - 1", environment, target, rollout, epoch) == 1;

    /// <summary>Takes a target again for a rollout that nothing has come after. False when something has.</summary>
    public static bool RetakeTarget(Statements db, string environment, string target, string rollout, long epoch) => db.Run(
        "UPDATE targets SET active_rollout = $3 WHERE environment = $1 AND id = $2 AND active_rollout IN ('', $3) AND epoch = $4", environment, target, rollout, epoch) == 1;

    public static void FreeTarget(Statements db, string environment, string target, string rollout) =>
        db.Run("UPDATE targets SET active_rollout = '' WHERE environment = $1 AND id = $2 AND active_rollout = $3", environment, target, rollout);

    public static void SetCurrentRelease(Statements db, string environment, string target, string release, long epoch) =>
        db.Run("UPDATE targets SET current_release = $3 WHERE environment = $1 AND id = $2 AND epoch = $4", environment, target, release, epoch);

    public static bool InsertRelease(Statements db, ReleaseRow row) => db.Run(
        "INSERT OR IGNORE INTO releases (name, version, digest, kind, spec, publisher, published_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        row.Name, row.Version, row.Digest, row.Kind, row.Spec, row.Publisher, row.PublishedAt) == 1;

    public static ReleaseRow? Release(Statements db, string name, string version) =>
        db.Query("SELECT name, version, digest, kind, spec, publisher, published_at FROM releases WHERE name = $1 AND version = $2", ReleaseOf, name, version).FirstOrDefault();

    public static List<ReleaseRow> Releases(Statements db, string nameAfter, string versionAfter, int most) => db.Query(
        "SELECT name, version, digest, kind, spec, publisher, published_at FROM releases WHERE (name, version) > ($1, $2) ORDER BY name, version LIMIT $3", ReleaseOf, nameAfter, versionAfter, most);

    public static List<ReleaseRow> ReleasesNamed(Statements db, string name) =>
        db.Query("SELECT name, version, digest, kind, spec, publisher, published_at FROM releases WHERE name = $1 ORDER BY version", ReleaseOf, name);

    public static void Hold(Statements db, HoldRow row) => db.Run(
        "INSERT OR REPLACE INTO holds (environment, release, rollout, reason, since) VALUES ($1, $2, $3, $4, $5)", row.Environment, row.Release, row.Rollout, row.Reason, row.Since);

    public static bool Unhold(Statements db, string environment, string release) => db.Run("DELETE FROM holds WHERE environment = $1 AND release = $2", environment, release) == 1;

    public static List<HoldRow> Holds(Statements db, string release) => db.Query(
        "SELECT environment, release, rollout, reason, since FROM holds WHERE release = $1 ORDER BY environment", HoldOf, release);

    public static List<HoldRow> HoldsIn(Statements db, string environment) => db.Query(
        "SELECT environment, release, rollout, reason, since FROM holds WHERE environment = $1 ORDER BY release", HoldOf, environment);

    public static long NextSequence(Statements db, string fleet)
    {
        db.Run("INSERT INTO sequences (fleet, last) VALUES ($1, 1) ON CONFLICT (fleet) DO UPDATE SET last = last + 1", fleet);
        return db.Query("SELECT last FROM sequences WHERE fleet = $1", row => row.GetInt64(0), fleet)[0];
    }

    // Rollouts.

    public static bool InsertRollout(Statements db, Rollout rollout, string created, string spec) =>
        db.Run(
            "INSERT OR IGNORE INTO rollouts (environment, id, revision, state, ended, spec, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
            rollout.Environment, rollout.Id, rollout.Revision, rollout.State.ToString(), rollout.Ended, spec, rollout.CreatedAt) == 1
        && db.Run("INSERT INTO created_rollouts (environment, id, spec) VALUES ($1, $2, $3)", rollout.Environment, rollout.Id, created) == 1;

    /// <summary>Moves a rollout on from the revision before. False when it was no longer there.</summary>
    public static bool UpdateRollout(Statements db, Rollout rollout, string spec) => db.Run(
        "UPDATE rollouts SET revision = $3, state = $4, ended = $5, spec = $6, updated_at = $7 WHERE environment = $1 AND id = $2 AND revision = $3 - 1",
        rollout.Environment, rollout.Id, rollout.Revision, rollout.State.ToString(), rollout.Ended, spec, rollout.UpdatedAt) == 1;

    public static string? Rollout(Statements db, string environment, string id) =>
        db.Query("SELECT spec FROM rollouts WHERE environment = $1 AND id = $2", row => row.GetString(0), environment, id).FirstOrDefault();

    /// <summary>Newest first, from before a time and id.</summary>
    public static List<string> Rollouts(Statements db, string environment, DateTimeOffset before, string idBefore, int most) => db.Query(
        "SELECT spec FROM rollouts WHERE environment = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4", row => row.GetString(0), environment, before, idBefore, most);

    public static List<(string Environment, string Id)> Unended(Statements db) =>
        db.Query("SELECT environment, id FROM rollouts WHERE ended = 0", row => (row.GetString(0), row.GetString(1)));

    public static void InsertEntry(Statements db, string environment, string rollout, JournalRow row) => db.Run(
        "INSERT INTO journal (environment, rollout, revision, at, actor, trigger, lane, state_from, state_to, text, canonical, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        environment, rollout, row.Revision, row.At, row.Actor, row.Trigger, row.Lane, row.From, row.To, row.Text, row.Canonical, row.Sha256);

    public static List<JournalRow> Entries(Statements db, string environment, string rollout, long after, int most) => db.Query(
        "SELECT revision, at, actor, trigger, lane, state_from, state_to, text, canonical, sha256 FROM journal WHERE environment = $1 AND rollout = $2 AND revision > $3 ORDER BY revision LIMIT $4",
        row => new JournalRow(row.GetInt64(0), Time(row, 1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5), row.GetString(6), row.GetString(7), (byte[])row[8], (byte[])row[9]),
        environment, rollout, after, most);

    // Effects.

    /// <summary>Stores an effect; one of the same lane and kind that was decided before gives way to it.</summary>
    public static void PutEffect(Statements db, EffectRow row) => db.Run(
        "INSERT OR REPLACE INTO effects (environment, rollout, revision, ordinal, lane, target, kind, delay_ms, due_at, target_order) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        row.Environment, row.Rollout, row.Revision, row.Ordinal, row.Lane, row.Target, row.Kind.ToString(), (long)row.Delay.TotalMilliseconds, row.DueAt, row.OrderJson);

    public static void DeleteEffects(Statements db, string environment, string rollout, string lane) =>
        db.Run("DELETE FROM effects WHERE environment = $1 AND rollout = $2 AND lane = $3", environment, rollout, lane);

    public static bool HasEffect(Statements db, EffectRow row) => db.Query(
        "SELECT 1 FROM effects WHERE environment = $1 AND rollout = $2 AND lane = $3 AND kind = $4 AND revision = $5", _ => true, row.Environment, row.Rollout, row.Lane, row.Kind.ToString(), row.Revision).Count == 1;

    public static void DeleteEffect(Statements db, EffectRow row) =>
        db.Run("DELETE FROM effects WHERE environment = $1 AND rollout = $2 AND lane = $3 AND kind = $4 AND revision = $5", row.Environment, row.Rollout, row.Lane, row.Kind.ToString(), row.Revision);

    public static List<EffectRow> Effects(Statements db) => db.Query(
        "SELECT environment, rollout, revision, ordinal, lane, target, kind, delay_ms, due_at, target_order FROM effects ORDER BY due_at",
        row => new EffectRow(
            row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt32(3), row.GetString(4), row.GetString(5), Enum.Parse<EffectKind>(row.GetString(6)),
            TimeSpan.FromMilliseconds(row.GetInt64(7)), Time(row, 8), row.GetString(9)));

    // What is kept beside the journal.

    public static void PutProgress(Statements db, string environment, string rollout, ProgressRow row) => db.Run(
        "INSERT OR REPLACE INTO progress (environment, rollout, lane, spec, at) VALUES ($1, $2, $3, $4, $5)", environment, rollout, row.Lane, row.Spec, row.At);

    public static List<ProgressRow> Progress(Statements db, string environment, string rollout) => db.Query(
        "SELECT lane, spec, at FROM progress WHERE environment = $1 AND rollout = $2", row => new ProgressRow(row.GetString(0), row.GetString(1), Time(row, 2)), environment, rollout);

    public static void InsertUndoSheet(Statements db, string environment, string rollout, byte[] sheet) =>
        db.Run("INSERT INTO undo_sheets (environment, rollout, sheet) VALUES ($1, $2, $3)", environment, rollout, sheet);

    public static byte[]? UndoSheet(Statements db, string environment, string rollout) =>
        db.Query("SELECT sheet FROM undo_sheets WHERE environment = $1 AND rollout = $2", row => (byte[])row[0], environment, rollout).FirstOrDefault();

    public static void InsertImpact(Statements db, string environment, string rollout, byte[] impact) =>
        db.Run("INSERT INTO impacts (environment, rollout, impact) VALUES ($1, $2, $3)", environment, rollout, impact);

    public static byte[]? Impact(Statements db, string environment, string rollout) =>
        db.Query("SELECT impact FROM impacts WHERE environment = $1 AND rollout = $2", row => (byte[])row[0], environment, rollout).FirstOrDefault();

    public static void PutRehearsal(Statements db, RehearsalRow row) => db.Run(
        "INSERT OR REPLACE INTO rehearsals (environment, target, rollout, at, took_ms) VALUES ($1, $2, $3, $4, $5)",
        row.Environment, row.Target, row.Rollout, row.At, (long)row.Took.TotalMilliseconds);

    /// <summary>The last one of a target.</summary>
    public static RehearsalRow? Rehearsal(Statements db, string environment, string target) => db.Query(
        "SELECT environment, target, rollout, at, took_ms FROM rehearsals WHERE environment = $1 AND target = $2",
        row => new RehearsalRow(row.GetString(0), row.GetString(1), row.GetString(2), Time(row, 3), TimeSpan.FromMilliseconds(row.GetInt64(4))), environment, target).FirstOrDefault();

    public static Answered? Request(Statements db, string actor, string id) =>
        db.Query("SELECT body_sha256, response FROM requests WHERE actor = $1 AND id = $2", row => new Answered((byte[])row[0], (byte[])row[1]), actor, id).FirstOrDefault();

    /// <summary>Remembers an answer together with what it answered. When the same request was faster on another connection, nothing of this one is kept.</summary>
    /// <exception cref="LostRaceException">The id was used meanwhile.</exception>
    public static void InsertRequest(Statements db, string actor, string id, byte[] bodySha256, byte[] response, DateTimeOffset at)
    {
        if (db.Run("INSERT OR IGNORE INTO requests (actor, id, body_sha256, response, at) VALUES ($1, $2, $3, $4, $5)", actor, id, bodySha256, response, at) == 0)
        {
            throw new LostRaceException("the same request id is being answered: ask again for its answer");
        }
    }

    public static int ForgetRequests(Statements db, DateTimeOffset before) => db.Run("DELETE FROM requests WHERE at < $1", before);

    // What a check of everything reads.

    public static List<StoredRollout> StoredRollouts(Statements db) => db.Query(
        "SELECT environment, id, revision, state, ended, r.spec, COALESCE(c.spec, 'null') FROM rollouts r LEFT JOIN created_rollouts c USING (environment, id) ORDER BY environment, created_at, id",
        row => new StoredRollout(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetString(3), row.GetInt64(4) != 0, row.GetString(5), row.GetString(6)));

    public static Dictionary<string, long> Sequences(Statements db) =>
        db.Query("SELECT fleet, last FROM sequences", row => (row.GetString(0), row.GetInt64(1))).ToDictionary(row => row.Item1, row => row.Item2, StringComparer.Ordinal);

    private static DateTimeOffset Time(SqliteDataReader row, int column) => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    private static EnvironmentRow EnvironmentOf(SqliteDataReader row) => new(row.GetString(0), row.GetString(1), row.GetInt64(2), Time(row, 3));

    private static TargetRow TargetOf(SqliteDataReader row) => new(
        row.GetString(0), row.GetString(1), Enum.Parse<TargetKind>(row.GetString(2)), row.GetString(3), row.GetString(4), row.GetString(5), row.GetInt64(6), Time(row, 7));

    private static ReleaseRow ReleaseOf(SqliteDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5), Time(row, 6));

    private static HoldRow HoldOf(SqliteDataReader row) => new(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), Time(row, 4));
}
