using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
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

namespace OtaOrchestrator.Server.Tests.Scenes;

/// <summary>Store, ledger and reconciler on a directory of their own, over targets of files. What is on the disk survives <see cref="Restart"/>.</summary>
public sealed class Scene : IAsyncDisposable
{
    public const string Environment = "production";
    public static readonly Actor Releaser = new("rel-01");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FileTargets _targets;
    private readonly ILoggerFactory _logging;
    private readonly Action<string>? _probe;
    private readonly bool _ownsDirectory;
    private Metering _metering = null!;
    private Reconciler? _reconciler;

    private Scene(string directory, bool ownsDirectory, TimeProvider time, Action<string>? probe)
    {
        Directory = directory;
        Time = time;
        _ownsDirectory = ownsDirectory;
        _probe = probe;
        _targets = new FileTargets(directory);
        Logs = new LogBook();
        _logging = LoggerFactory.Create(builder => builder.AddProvider(Logs).SetMinimumLevel(LogLevel.Information));
    }

    public string Directory { get; }
    public string DatabaseFile => Path.Combine(Directory, "ota.db");
    public TimeProvider Time { get; }
    public LogBook Logs { get; }
    public ITargets Targets => _targets;
    public Database Database { get; private set; } = null!;
    public Ledger Ledger { get; private set; } = null!;
    public Changes Changes { get; private set; } = null!;
    public ProgressBoard Progress { get; private set; } = null!;
    /// <summary>Of the rollouts that are started here.</summary>
    public TimeSpan? CallTimeout { get; set; }
    public ReconcilerOptions Options { get; } = new() { PollMin = TimeSpan.FromMilliseconds(20), PollMax = TimeSpan.FromMilliseconds(200) };

    public static Scene New(TimeProvider? time = null, long? reserveBytes = null) =>
        new Scene(System.IO.Directory.CreateTempSubdirectory("ota-server-").FullName, true, time ?? TimeProvider.System, null).Open(reserveBytes);

    /// <summary>A directory that somebody else keeps; <paramref name="probe"/> is called at every point where a process may end.</summary>
    public static Scene At(string directory, Action<string>? probe = null, long? reserveBytes = null) => new Scene(directory, false, TimeProvider.System, probe).Open(reserveBytes);

    public FileTarget Target(string name) => _targets.Get(name);

    public async Task<Scene> Started()
    {
        Options.Probe = _probe;
        var runner = new EffectRunner(_targets, new CheckReadings(new SocketsHttpHandler(), new AwsClients(new(), Time), Time), Ledger, Progress, _metering, Microsoft.Extensions.Options.Options.Create(Options), Time, _logging.CreateLogger<EffectRunner>());
        _reconciler = new Reconciler(Database, Ledger, runner, Microsoft.Extensions.Options.Options.Create(Options), Time, _logging.CreateLogger<Reconciler>());
        await _reconciler.StartAsync(CancellationToken.None);
        return this;
    }

    public async Task Stop()
    {
        if (_reconciler is { } reconciler)
        {
            _reconciler = null;
            await reconciler.StopAsync(CancellationToken.None);
            reconciler.Dispose();
        }
        Database.Dispose();
        _metering.Dispose();
    }

    /// <summary>Opens what <see cref="Stop"/> closed.</summary>
    public void Reopen() => Open(null);

    public async Task Restart()
    {
        await Stop();
        Reopen();
        await Started();
    }

    /// <summary>Makes the environment and targets that are missing.</summary>
    public async Task Set(params string[] targets) => await Database.WriteAsync(db =>
    {
        Journal.InsertEnvironment(db, new EnvironmentRow(Environment, "{}", 1, Ledger.Now()));
        foreach (var target in targets)
        {
            Journal.InsertTarget(db, new TargetRow(Environment, target, TargetKind.Traffic, "{}", $"{target}@1.0", "", 0, Ledger.Now()));
        }
        return true;
    });

    public Task<Rollout> Start(string id, params string[] targets) => Start(id, null, targets);

    /// <summary>Starts a rollout from 1.0 to 2.0 with a lane for each target, bakes of a fraction of a second.</summary>
    public Task<Rollout> Start(string id, Func<LanePlan, LanePlan>? change, string[] targets, TimeSpan? guard = null, RequestKey? request = null, string? fallback = null, Func<JudgePlan, JudgePlan>? judge = null) =>
        Ledger.CreateAsync(Environment, id, request, rollout => System.Text.Encoding.UTF8.GetBytes($"{rollout.Id} {rollout.Revision}"), db =>
        {
            var lanes = targets.Select(target =>
            {
                var row = Journal.Target(db, Environment, target)!;
                if (row.ActiveRollout.Length > 0 || !Journal.TakeTarget(db, Environment, target, id, row.Epoch + 1))
                {
                    throw new InvalidOperationException($"{target} is taken by {row.ActiveRollout}");
                }
                var plan = new LanePlan
                {
                    Name = target,
                    Target = target,
                    Release = $"{target}@2.0",
                    Steps = [Step(0.25), Step(1)],
                    GuardAfter = guard ?? TimeSpan.Zero,
                    ObserveFor = TimeSpan.Zero,
                    Checks = [new CheckPlan { Name = "errors", Source = "router", ErrorsMax = 0.01, SamplesMin = 10, Interval = TimeSpan.FromMilliseconds(60) }],
                };
                return new Lane
                {
                    Name = target,
                    Target = target,
                    Kind = TargetKind.Traffic,
                    Epoch = row.Epoch + 1,
                    Plan = change?.Invoke(plan) ?? plan,
                    CallTimeout = CallTimeout,
                    Candidate = new TargetRelease(target, "2.0", "sha256:" + new string('b', 64)),
                    Fallback = new TargetRelease(target, fallback ?? row.CurrentRelease.Split('@')[1], "sha256:" + new string('a', 64)),
                };
            });
            return new Rollout
            {
                Environment = Environment,
                Id = id,
                StartedBy = Releaser,
                CreatedAt = Ledger.Now(),
                UpdatedAt = Ledger.Now(),
                Lanes = [.. lanes],
                Plan = new Plan
                {
                    Name = id,
                    Judge = judge?.Invoke(Judge) ?? Judge,
                    Rollback = new RollbackPlan { UntilAfter = TimeSpan.FromHours(1), Shares = [1], FailuresMax = 0.1, UndoWait = TimeSpan.FromMinutes(1) },
                },
            };
        }, Releaser, null, CancellationToken.None);

    private static JudgePlan Judge { get; } = new() { FalseAbortMax = 0.01, NoData = OnVerdict.Hold, Unhealthy = OnVerdict.Rollback };

    public static StepPlan Step(double share) => new() { Share = share, BakeMin = TimeSpan.FromMilliseconds(100), BakeMax = TimeSpan.FromSeconds(30) };

    public async Task<Told> Tell(string id, Trigger trigger, string actor = "rel-01", string? lane = null, string? reason = null, bool full = false) =>
        (await Ledger.TellAsync(Environment, id, new Signal(trigger, new Actor(actor)) { Lane = lane, Reason = reason, Full = full }))!;

    public Rollout Rollout(string id) => Ledger.Find(Environment, id) ?? throw new InvalidOperationException($"there is no {id}");

    public TargetRow TargetRow(string target) => Database.Read(db => Journal.Target(db, Environment, target))!;

    public Task<Rollout> Until(string id, LaneState state) => Until(id, rollout => rollout.State == state, state.ToString());

    public async Task<Rollout> Until(string id, Func<Rollout, bool> holds, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var change = Changes.Next(Environment, id);
            var rollout = Rollout(id);
            if (holds(rollout))
            {
                return rollout;
            }
            try
            {
                await change.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{id} never came to {what}; it is {rollout.State} at revision {rollout.Revision}: {rollout.Cause}\n{Story(id)}\n{Logs}");
            }
        }
    }

    /// <summary>The journal as text.</summary>
    public string Story(string id) => string.Join('\n', Entries(id).Select(entry => $"{entry.Revision} {entry.Actor} {entry.Trigger} {entry.Lane} {entry.From}->{entry.To} {entry.Text}"));

    public List<JournalRow> Entries(string id) => Database.Read(db => Journal.Entries(db, Environment, id, 0, int.MaxValue));

    public List<EffectRow> Effects(string id) => [.. Database.Read(Journal.Effects).Where(effect => effect.Rollout == id)];

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _logging.Dispose();
        if (_ownsDirectory)
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    private Scene Open(long? reserveBytes)
    {
        Database = new Database(DatabaseFile, Time, reserveBytes ?? 64 * 1024) { Probe = _probe };
        Changes = new Changes();
        _metering = new Metering();
        Ledger = new Ledger(Database, Changes, _metering, Time, _logging.CreateLogger<Ledger>());
        Progress = new ProgressBoard(Database, Changes, Time);
        return this;
    }

    private sealed class FileTargets(string directory) : ITargets
    {
        private readonly ConcurrentDictionary<string, FileTarget> _all = new(StringComparer.Ordinal);

        public ITarget Of(string environment, string target) => Get(target);

        public FileTarget Get(string name) => _all.GetOrAdd(name, _ => new FileTarget(Path.Combine(directory, name + ".target.json"), $"{name}@1.0"));
    }
}
