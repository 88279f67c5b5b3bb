using Microsoft.Data.Sqlite;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Tests.Store;

public sealed class DatabaseTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ota-store-").FullName;

    private string DatabaseFile => Path.Combine(_directory, "ota.db");

    [Fact]
    public async Task One_write_that_fails_does_not_take_the_others_of_its_batch_along()
    {
        using var database = Open();
        var writes = Enumerable.Range(0, 200).Select(i => database.WriteAsync(db =>
        {
            Assert.True(Journal.InsertEnvironment(db, new EnvironmentRow($"e{i:000}", "{}", 1, DateTimeOffset.UnixEpoch)));
            return i % 10 == 3 ? throw new LostRaceException($"write {i}") : i;
        })).ToList();
        for (int i = 0; i < writes.Count; i++)
        {
            if (i % 10 == 3)
            {
                Assert.Equal($"write {i}", (await Assert.ThrowsAsync<LostRaceException>(() => writes[i])).Message);
            }
            else
            {
                Assert.Equal(i, await writes[i]);
            }
        }
        Assert.Equal(180, database.Read(db => Journal.Environments(db, "", 1000)).Count);
    }

    [Fact]
    public async Task What_was_answered_is_there_after_opening_again()
    {
        using (var database = Open())
        {
            await database.WriteAsync(db => Journal.InsertEnvironment(db, new EnvironmentRow("production", "{}", 1, DateTimeOffset.UnixEpoch)));
        }
        using var again = Open();
        Assert.NotNull(again.Read(db => Journal.Environment(db, "production")));
    }

    [Fact]
    public async Task Many_writers_share_commits()
    {
        using var database = Open();
        int commits = 0;
        database.Probe = point => commits += point == "commit.after/other" ? 1 : 0;
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => database.WriteAsync(db => Journal.InsertEnvironment(db, new EnvironmentRow($"e{i}", "{}", 1, DateTimeOffset.UnixEpoch)))));
        Assert.InRange(commits, 1, 500);
    }

    [Fact]
    public void A_database_of_a_newer_program_is_refused()
    {
        Open().Dispose();
        using (var connection = new SqliteConnection($"Data Source={DatabaseFile};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO schema_steps (step, at) VALUES (9999, 0)";
            command.ExecuteNonQuery();
        }
        Assert.Contains("newer version", Assert.Throws<InvalidOperationException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_is_taken_once_however_many_want_it()
    {
        using var database = Open();
        await database.WriteAsync(db => Journal.InsertEnvironment(db, new EnvironmentRow("production", "{}", 1, DateTimeOffset.UnixEpoch)));
        await database.WriteAsync(db => Journal.InsertTarget(db, new TargetRow("production", "api", TargetKind.Traffic, "{}", "api@1.0", "", 0, DateTimeOffset.UnixEpoch)));
        var taken = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => database.WriteAsync(db => Journal.TakeTarget(db, "production", "api", $"r{i}", 1))));
        Assert.Single(taken, true);
        Assert.Equal(1, database.Read(db => Journal.Target(db, "production", "api"))!.Epoch);
    }

    [Fact]
    public async Task Sequences_of_a_fleet_rise_without_a_gap_and_without_a_repeat()
    {
        using var database = Open();
        var numbers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => database.WriteAsync(db => Journal.NextSequence(db, "thermostats"))));
        Assert.Equal(Enumerable.Range(1, 100).Select(number => (long)number), numbers.Order());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private Database Open() => new(DatabaseFile, TimeProvider.System, 64 * 1024);
}
