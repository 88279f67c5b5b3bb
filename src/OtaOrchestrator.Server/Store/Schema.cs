namespace OtaOrchestrator.Server.Store;

/// <summary>The database's versions, each a step from the one before. A step that has been released is never changed.</summary>
internal static class Schema
{
    public static readonly string[] Steps =
    [
        """
        CREATE TABLE environments (id TEXT PRIMARY KEY, spec TEXT NOT NULL, revision INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE targets (
            environment TEXT NOT NULL REFERENCES environments (id), id TEXT NOT NULL, kind TEXT NOT NULL, spec TEXT NOT NULL, current_release TEXT NOT NULL,
            active_rollout TEXT NOT NULL DEFAULT '', epoch INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, PRIMARY KEY (environment, id)) WITHOUT ROWID;
        CREATE TABLE releases (
            name TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL, spec TEXT NOT NULL, publisher TEXT NOT NULL, published_at INTEGER NOT NULL,
            PRIMARY KEY (name, version)) WITHOUT ROWID;
        CREATE TABLE holds (environment TEXT NOT NULL, release TEXT NOT NULL, rollout TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (environment, release)) WITHOUT ROWID;
        CREATE TABLE rollouts (
            environment TEXT NOT NULL REFERENCES environments (id), id TEXT NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL, ended INTEGER NOT NULL, spec TEXT NOT NULL,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, PRIMARY KEY (environment, id)) WITHOUT ROWID;
        CREATE TABLE created_rollouts (environment TEXT NOT NULL, id TEXT NOT NULL, spec TEXT NOT NULL, PRIMARY KEY (environment, id)) WITHOUT ROWID;
        CREATE INDEX rollouts_by_time ON rollouts (environment, created_at);
        CREATE TABLE journal (
            environment TEXT NOT NULL, rollout TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, trigger TEXT NOT NULL, lane TEXT NOT NULL,
            state_from TEXT NOT NULL, state_to TEXT NOT NULL, text TEXT NOT NULL, canonical BLOB NOT NULL, sha256 BLOB NOT NULL, PRIMARY KEY (environment, rollout, revision)) WITHOUT ROWID;
        CREATE TABLE effects (
            environment TEXT NOT NULL, rollout TEXT NOT NULL, revision INTEGER NOT NULL, ordinal INTEGER NOT NULL, lane TEXT NOT NULL, target TEXT NOT NULL, kind TEXT NOT NULL,
            delay_ms INTEGER NOT NULL, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, target_order TEXT NOT NULL, last_error TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (environment, rollout, lane, kind)) WITHOUT ROWID;
        CREATE TABLE progress (environment TEXT NOT NULL, rollout TEXT NOT NULL, lane TEXT NOT NULL, spec TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (environment, rollout, lane)) WITHOUT ROWID;
        CREATE VIEW evidence AS
            SELECT environment, rollout, revision, lane, json_extract(CAST(canonical AS TEXT), '$.Signal.Judgement') AS judgement, json_extract(CAST(canonical AS TEXT), '$.Signal.Observation') AS observation
            FROM journal WHERE trigger = 'Looked';
        CREATE TABLE undo_sheets (environment TEXT NOT NULL, rollout TEXT NOT NULL, sheet BLOB NOT NULL, PRIMARY KEY (environment, rollout)) WITHOUT ROWID;
        CREATE TABLE sequences (fleet TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE requests (id TEXT NOT NULL, actor TEXT NOT NULL, body_sha256 BLOB NOT NULL, response BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (actor, id)) WITHOUT ROWID;
        CREATE INDEX requests_by_time ON requests (at);
        """,
        """
        CREATE TABLE rehearsals (environment TEXT NOT NULL, target TEXT NOT NULL, rollout TEXT NOT NULL, at INTEGER NOT NULL, took_ms INTEGER NOT NULL, PRIMARY KEY (environment, target)) WITHOUT ROWID;
        CREATE TABLE impacts (environment TEXT NOT NULL, rollout TEXT NOT NULL, impact BLOB NOT NULL, PRIMARY KEY (environment, rollout)) WITHOUT ROWID;
        """,
    ];
}
