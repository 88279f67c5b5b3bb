using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Checks;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Telemetry;

namespace OtaOrchestrator.Benchmarks;

/// <summary>
/// Durable transitions of 32 rollouts at once: a person pauses and resumes each as fast as it answers while the reconciler carries the effects out, against the same
/// store taking the same rows from 32 writers with nothing decided.
/// </summary>
internal static class TransitionBenchmark
{
    private const int Rollouts = 32;
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(8);

    public static async Task<Result> RunAsync()
    {
        List<double> ours = [];
        List<double> bare = [];
        for (int round = 0; round < 3; round++)
        {
            ours.Add(await MeasureAsync(OursAsync));
            bare.Add(await MeasureAsync(BareAsync));
        }
        double ratio = Result.Median(ours) / Result.Median(bare);
        return new Result("durable transitions, 32 rollouts at once", "the same store doing the bare inserts", "/s", Result.Median(ours), Result.Median(bare), ratio, ">= 0.5", ratio >= 0.5);
    }

    private static async Task<double> MeasureAsync(Func<Database, CancellationToken, Task<long>> work)
    {
        var directory = Directory.CreateTempSubdirectory("ota-bench-");
        try
        {
            using var database = new Database(Path.Combine(directory.FullName, "ota.db"), TimeProvider.System);
            using var span = new CancellationTokenSource(Span, TimeProvider.System);
            long started = Stopwatch.GetTimestamp();
            long done = await work(database, span.Token);
            return done / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<long> OursAsync(Database database, CancellationToken span)
    {
        var time = TimeProvider.System;
        var changes = new Changes();
        using var metering = new Metering();
        var ledger = new Ledger(database, changes, metering, time, NullLogger<Ledger>.Instance);
        var options = Options.Create(new ReconcilerOptions { PollMin = TimeSpan.FromMilliseconds(10) });
        var runner = new EffectRunner(new InstantTargets(), new CheckReadings(new SocketsHttpHandler(), new AwsClients(new(), time), time), ledger, new ProgressBoard(database, changes, time), metering, options, time, NullLogger<EffectRunner>.Instance);
        using var reconciler = new Reconciler(database, ledger, runner, options, time, NullLogger<Reconciler>.Instance);
        await reconciler.StartAsync(CancellationToken.None);
        await database.WriteAsync(db => Journal.InsertEnvironment(db, new EnvironmentRow("bench", "{}", 1, ledger.Now())), cancellation: CancellationToken.None);
        var rollouts = Enumerable.Range(0, Rollouts).Select(i => Example($"r{i}", ledger.Now())).ToList();
        foreach (var rollout in rollouts)
        {
            await ledger.CreateAsync("bench", rollout.Id, null, _ => [], _ => rollout, Actor.Orchestrator, null, CancellationToken.None);
        }
        await Task.WhenAll(rollouts.Select(rollout => Task.Run(async () =>
        {
            while (!span.IsCancellationRequested)
            {
                foreach (var trigger in (Trigger[])[Trigger.Pause, Trigger.Resume])
                {
                    await ledger.TellAsync("bench", rollout.Id, new Signal(trigger, new Actor("bench")), cancellation: CancellationToken.None);
                }
            }
        })));
        await reconciler.StopAsync(CancellationToken.None);
        return rollouts.Sum(rollout => ledger.Find("bench", rollout.Id)!.Revision);
    }

    private static async Task<long> BareAsync(Database database, CancellationToken span)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        await database.WriteAsync(db => Journal.InsertEnvironment(db, new EnvironmentRow("bench", "{}", 1, now)), cancellation: CancellationToken.None);
        long done = 0;
        await Task.WhenAll(Enumerable.Range(0, Rollouts).Select(i => Task.Run(async () =>
        {
            // Rows of the size that ours have, made once.
            var rollout = Example($"r{i}", now);
            var spec = StoredJson.Of(rollout);
            var canonical = JsonSerializer.SerializeToUtf8Bytes(new JournalContent("bench", rollout.Id, 1, 0, new Signal(Trigger.Pause, new Actor("bench")), new string('0', 64)), StoredJson.Default.JournalContent);
            var sha256 = SHA256.HashData(canonical);
            var order = JsonSerializer.Serialize(rollout.Lanes[0].Order(rollout, 1), StoredJson.Default.TargetOrder);
            await database.WriteAsync(db => Journal.InsertRollout(db, rollout, spec, spec), cancellation: CancellationToken.None);
            for (long revision = 1; !span.IsCancellationRequested; revision++)
            {
                long at = revision;
                await database.WriteAsync(db =>
                {
                    Journal.UpdateRollout(db, rollout with { Revision = at }, spec);
                    Journal.InsertEntry(db, "bench", rollout.Id, new JournalRow(at, now, "bench", "Pause", "", "Baking", "Paused", "api: baking -> paused", canonical, sha256));
                    Journal.DeleteEffects(db, "bench", rollout.Id, "api");
                    Journal.PutEffect(db, new EffectRow("bench", rollout.Id, at, 0, "api", "api", EffectKind.Expose, TimeSpan.Zero, now, order));
                    Journal.PutEffect(db, new EffectRow("bench", rollout.Id, at, 1, "api", "api", EffectKind.Look, TimeSpan.Zero, now, order));
                    return true;
                }, cancellation: CancellationToken.None);
                Interlocked.Increment(ref done);
            }
        })));
        return done;
    }

    private static Rollout Example(string id, DateTimeOffset now) => new()
    {
        Environment = "bench",
        Id = id,
        StartedBy = new Actor("bench"),
        CreatedAt = now,
        UpdatedAt = now,
        Plan = new Plan { Name = id, Rollback = new RollbackPlan { UntilAfter = TimeSpan.FromHours(72), Shares = [1] } },
        Lanes =
        [
            new Lane
            {
                Name = "api",
                Target = $"api-{id}",
                Kind = TargetKind.Traffic,
                Epoch = 1,
                Candidate = new TargetRelease("api", "2.0.0", "sha256:" + new string('b', 64)),
                Fallback = new TargetRelease("api", "1.0.0", "sha256:" + new string('a', 64)),
                Plan = new LanePlan
                {
                    Name = "api",
                    Steps = [new StepPlan { Share = 0.5, BakeMin = TimeSpan.FromHours(1) }, new StepPlan { Share = 1 }],
                    Checks = [new CheckPlan { Name = "errors", Source = "router", ErrorsMax = 0.01, Interval = TimeSpan.FromMinutes(1) }],
                },
            },
        ],
    };

    private sealed class InstantTargets : ITargets
    {
        private readonly InstantTarget _target = new();

        public ITarget Of(string environment, string target) => _target;
    }

    /// <summary>Answers at once: what is measured is the orchestrator, not a target.</summary>
    private sealed class InstantTarget : ITarget
    {
        public Capabilities Capabilities { get; } = new();

        public Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Preparation(0));

        public Task ExposeAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

        public Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Reading(true, order.Share, "holds"));

        public Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Forecast(0, [.. order.Steps.Select(step => new StepForecast(0, $"{step.Share:P0}"))]));

        public Task RenewAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

        public Task HoldAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

        public Task PromoteAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

        public Task RestoreAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

        public Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Restoration(true, "back"));

        public Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult<Observation?>(null);
    }
}
