using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace OtaOrchestrator.Server.Store;

/// <summary>
/// The SQLite file: one writer with group commit, readers beside it. A write is done when its task is: what the task returned is on the disk.
/// </summary>
public sealed class Database : IDisposable
{
    private const int BatchMax = 256;
    private const int QueueMax = 4096;
    private const int SqliteFull = 13;
    private const int SqliteIoError = 10;

    private readonly string _connectionString;
    private readonly DiskReserve _reserve;
    private readonly Channel<Write> _queue = Channel.CreateBounded<Write>(QueueMax);
    private readonly Statements _writer;
    private readonly Thread _thread;
    private bool _full;

    public Database(string file, TimeProvider time, long reserveBytes = 8 * 1024 * 1024)
    {
        _connectionString = new SqliteConnectionStringBuilder { DataSource = file, Pooling = true, DefaultTimeout = 30 }.ToString();
        _reserve = new DiskReserve(file + ".reserve", reserveBytes);
        _writer = new Statements(Open());
        _writer.Run("PRAGMA journal_mode = WAL");
        Migrate(time);
        _full = !_reserve.TryTake();
        _thread = new Thread(WriteLoop) { IsBackground = true, Name = "journal writer" };
        _thread.Start();
    }

    /// <summary>Called around each commit with what is committed, so that a test can end the process there.</summary>
    public Action<string>? Probe { get; set; }

    /// <summary>Runs the work in a transaction, together with others that wait. The work must not touch anything but the statements it is given.</summary>
    /// <param name="urgent">A rollback: taken even when the disk is full, out of the reserve.</param>
    /// <param name="what">Names the write for <see cref="Probe"/>: the same in every run, whatever else the clock brings.</param>
    public async Task<T> WriteAsync<T>(Func<Statements, T> work, bool urgent = false, string what = "other", CancellationToken cancellation = default)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        T result = default!;
        var write = new Write(statements => result = work(statements), urgent, what, () => done.TrySetResult(result), error => done.TrySetException(error));
        await _queue.Writer.WriteAsync(write, cancellation);
        return await done.Task;
    }

    public T Read<T>(Func<Statements, T> work)
    {
        using var reader = new Statements(Open());
        return work(reader);
    }

    public void Dispose()
    {
        _queue.Writer.TryComplete();
        _thread.Join();
        _writer.Dispose();
        SqliteConnection.ClearAllPools();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 30000";
        command.ExecuteNonQuery();
        return connection;
    }

    private void Migrate(TimeProvider time)
    {
        _writer.Run("CREATE TABLE IF NOT EXISTS schema_steps (step INTEGER PRIMARY KEY, at INTEGER NOT NULL)");
        int done = _writer.Query("SELECT COALESCE(MAX(step), 0) FROM schema_steps", row => row.GetInt32(0))[0];
        if (done > Schema.Steps.Length)
        {
            throw new InvalidOperationException($"the database is at schema step {done}, this program knows {Schema.Steps.Length}: start the newer version");
        }
        for (int step = done; step < Schema.Steps.Length; step++)
        {
            _writer.Run("BEGIN IMMEDIATE");
            using (var command = _writer.Connection.CreateCommand())
            {
#pragma warning disable CA2100 // A constant of the schema.
                command.CommandText = Schema.Steps[step];
#pragma warning restore CA2100
                command.ExecuteNonQuery();
            }
            _writer.Run("INSERT INTO schema_steps (step, at) VALUES ($1, $2)", step + 1, time.GetUtcNow());
            _writer.Run("COMMIT");
        }
    }

    private void WriteLoop()
    {
        List<Write> batch = new(BatchMax);
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < BatchMax && _queue.Reader.TryRead(out var write))
            {
                batch.Add(write);
            }
            if (_full && (_full = !_reserve.TryTake()))
            {
                foreach (var refused in batch.Where(write => !write.Urgent))
                {
                    refused.Fail(new StoreFullException());
                }
                batch.RemoveAll(write => !write.Urgent);
                _reserve.Release();
            }
            if (batch.Count > 0 && !Commit(batch))
            {
                // Only what brings users back is worth the reserve.
                _full = true;
                _reserve.Release();
                foreach (var refused in batch.Where(write => !write.Urgent))
                {
                    refused.Fail(new StoreFullException());
                }
                batch.RemoveAll(write => !write.Urgent);
                if (batch.Count > 0 && !Commit(batch))
                {
                    batch.ForEach(write => write.Fail(new StoreFullException("the store's disk is full and so was the reserve")));
                }
            }
        }
    }

    /// <summary>False when the disk is full; nothing was written then.</summary>
    private bool Commit(List<Write> batch)
    {
        List<(Write Write, Exception Error)> failed = [];
        try
        {
            _writer.Run("BEGIN IMMEDIATE");
            foreach (var write in batch)
            {
                _writer.Run("SAVEPOINT one");
                try
                {
                    write.Work(_writer);
                    _writer.Run("RELEASE one");
                }
                catch (Exception error) when (!IsFull(error))
                {
                    _writer.Run("ROLLBACK TO one");
                    _writer.Run("RELEASE one");
                    failed.Add((write, error));
                }
            }
            Pass("commit.before", batch);
            _writer.Run("COMMIT");
            Pass("commit.after", batch);
        }
        catch (Exception error)
        {
            try
            {
                _writer.Run("ROLLBACK");
            }
            catch (SqliteException)
            {
                // SQLite has rolled back by itself.
            }
            if (IsFull(error))
            {
                return false;
            }
            batch.ForEach(write => write.Fail(error));
            return true;
        }
        foreach (var (write, error) in failed)
        {
            write.Fail(error);
        }
        foreach (var write in batch.Where(write => !failed.Exists(failure => failure.Write == write)))
        {
            write.Done();
        }
        return true;
    }

    private void Pass(string when, List<Write> batch)
    {
        if (Probe is { } probe)
        {
            foreach (var what in batch.Select(write => write.What).Distinct())
            {
                probe($"{when}/{what}");
            }
        }
    }

    private static bool IsFull(Exception error) => error is SqliteException { SqliteErrorCode: SqliteFull or SqliteIoError };

    private sealed record Write(Action<Statements> Work, bool Urgent, string What, Action Done, Action<Exception> Fail);
}
