using Microsoft.Data.Sqlite;

namespace OtaOrchestrator.DevicePlane.Storage;

internal enum PlaneTable
{
    ThingGroup,
    Thing,
    Certificate,
    Shadow,
    Job,
    JobBacklog,
    Execution,
}

/// <summary>A row to write, or to delete when there is no body.</summary>
internal readonly record struct RowChange(PlaneTable Table, string Key, byte[]? Body);

/// <summary>The disk said no. What was committed before is still there.</summary>
internal sealed class StoreUnavailableException(string message, Exception inner) : IOException(message, inner);

/// <summary>
/// <c>device-plane.db</c>: all SQL of the plane. Each table maps a key to a JSON document; memory holds the working copy, so the file is
/// read once at start and then only written. WAL with <c>synchronous=FULL</c>: what is committed survives a power loss.
/// </summary>
internal sealed class PlaneStore : IDisposable
{
    private const int SchemaVersion = 1;
    private static readonly string[] Tables = ["thing_group", "thing", "certificate", "shadow", "job", "job_backlog", "execution"];

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand[] _upserts;
    private readonly SqliteCommand[] _deletes;

    public PlaneStore(string path)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        _connection.Open();
        Execute("PRAGMA journal_mode=WAL");
        Execute("PRAGMA synchronous=FULL");
        Execute("PRAGMA busy_timeout=5000");
        var version = Convert.ToInt32(Scalar("PRAGMA user_version"), System.Globalization.CultureInfo.InvariantCulture);
        if (version > SchemaVersion)
        {
            throw new InvalidOperationException($"'{path}' has schema {version}; this program knows {SchemaVersion}.");
        }

        foreach (var table in Tables)
        {
            Execute($"CREATE TABLE IF NOT EXISTS {table} (key TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID");
        }

        Execute($"PRAGMA user_version={SchemaVersion}");
        _upserts = [.. Tables.Select(t => Prepare($"INSERT INTO {t} (key, body) VALUES ($key, $body) ON CONFLICT (key) DO UPDATE SET body = excluded.body", withBody: true))];
        _deletes = [.. Tables.Select(t => Prepare($"DELETE FROM {t} WHERE key = $key", withBody: false))];
    }

    public IEnumerable<byte[]> ReadAll(PlaneTable table)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = $"SELECT body FROM {Tables[(int)table]}";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return reader.GetFieldValue<byte[]>(0);
        }
    }

    public IEnumerable<(string Key, byte[] Body)> ReadPairs(PlaneTable table)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = $"SELECT key, body FROM {Tables[(int)table]}";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return (reader.GetString(0), reader.GetFieldValue<byte[]>(1));
        }
    }

    /// <summary>Writes all changes or none.</summary>
    /// <exception cref="StoreUnavailableException">Disk full or failing; nothing of this batch was kept.</exception>
    public void Commit(IEnumerable<RowChange> changes)
    {
        SqliteTransaction? transaction = null;
        try
        {
            transaction = _connection.BeginTransaction(deferred: false);
            foreach (var change in changes)
            {
                var command = change.Body is null ? _deletes[(int)change.Table] : _upserts[(int)change.Table];
                command.Transaction = transaction;
                command.Parameters[0].Value = change.Key;
                if (change.Body is not null)
                {
                    command.Parameters[1].Value = change.Body;
                }

                command.ExecuteNonQuery();
            }

            transaction.Commit();
        }
        catch (SqliteException e)
        {
            Abandon(transaction);
            throw new StoreUnavailableException("the device plane's store can't be written", e);
        }
        finally
        {
            transaction?.Dispose();
        }
    }

    /// <summary>Makes the file as good as full at its present size plus <paramref name="spare"/> pages; for tests of a full disk. Negative lifts the limit.</summary>
    public void LimitPages(int spare)
    {
        var pages = Convert.ToInt64(Scalar("PRAGMA page_count"), System.Globalization.CultureInfo.InvariantCulture);
        Execute($"PRAGMA max_page_count={(spare < 0 ? 4_294_967_294 : pages + spare)}");
    }

    public void Dispose()
    {
        foreach (var command in _upserts.Concat(_deletes))
        {
            command.Dispose();
        }

        _connection.Dispose();
    }

    private static void Abandon(SqliteTransaction? transaction)
    {
        try
        {
            transaction?.Rollback();
        }
        catch (Exception e) when (e is SqliteException or InvalidOperationException)
        {
            // SQLite rolls back by itself on a full disk; then there is nothing left to take back.
        }
    }

    private SqliteCommand Prepare(string sql, bool withBody)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.Add("$key", SqliteType.Text);
        if (withBody)
        {
            command.Parameters.Add("$body", SqliteType.Blob);
        }

        return command;
    }

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private object? Scalar(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
