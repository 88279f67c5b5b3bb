using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Pki;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Tests.Scenes;
using Environment = OtaOrchestrator.Protocol.V1.Environment;

namespace OtaOrchestrator.Server.Tests.Api;

/// <summary>The API as a client over mutual TLS sees it. One server for all; each test has an environment of its own.</summary>
public sealed class ApiTests(ApiTests.Shared shared) : IClassFixture<ApiTests.Shared>
{
    private static int _environments;
    private readonly RunningServer _server = shared.Server;
    private readonly string _environment = $"environments/e{Interlocked.Increment(ref _environments)}";

    private Client Admin => _server.Admin;

    // Who calls.

    [Fact]
    public async Task Nobody_is_anonymous_and_no_stranger_is_let_in()
    {
        var folder = Directory.CreateTempSubdirectory("ota-stranger-").FullName;
        using var stranger = Authority.Open(folder, "operators-ca", TimeProvider.System);
        stranger.Issue(folder, "admin", "admin", Usage.Client, TimeSpan.FromDays(1));
        using var pki = new ServerPki(_server.Home, TimeProvider.System);
        pki.Devices.Issue(folder, "device", "admin", Usage.Client, TimeSpan.FromDays(1));
        // The server itself is sent about by plans and must not come home to act.
        foreach (var certificate in (X509Certificate2?[])[null, PemFiles.Load(folder, "admin"), PemFiles.Load(folder, "device"), PemFiles.Load(_server.Home.Pki, "orchestrator")])
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await _server.With(certificate).Environments.ListEnvironmentsAsync(new()));
            // No answer of the server's: the handshake failed, or with TLS 1.3 the first read after it.
            Assert.Contains(refused.StatusCode, new[] { StatusCode.Unavailable, StatusCode.Internal });
            Assert.NotNull(refused.Status.DebugException);
        }
    }

    [Fact]
    public async Task The_actor_is_the_name_in_the_certificate()
    {
        await Set();
        var rollout = await Start(_server.As("rel-07"));
        Assert.Equal("rel-07", rollout.StartedBy);
        var journal = await Admin.Rollouts.ListJournalAsync(new ListJournalRequest { Name = rollout.Name });
        Assert.Equal("rel-07", journal.Entries[0].Actor);
        Assert.Equal("rel-08", (await _server.As("rel-08").Audit.GetServerInfoAsync(new())).Actor);
    }

    // Requests that come again.

    [Fact]
    public async Task A_repeated_request_gets_the_first_answer_and_another_body_under_its_id_is_refused()
    {
        await Set();
        var request = Creation(requestId: Id());
        var first = await Admin.Rollouts.CreateRolloutAsync(request);
        var again = await Admin.Rollouts.CreateRolloutAsync(request);
        Assert.Equal(first, again);
        request.Plan.Lanes[0].Steps[0].Share = 0.5;
        Assert.Equal("REQUEST_REUSED", (await Refused.By(async () => await Admin.Rollouts.CreateRolloutAsync(request))).Reason);
        Assert.Single((await Admin.Rollouts.ListRolloutsAsync(new ListRolloutsRequest { Parent = _environment })).Rollouts);
    }

    [Fact]
    public async Task The_same_request_many_times_at_once_acts_once_and_each_gets_the_first_answer()
    {
        await Set();
        var request = Creation(requestId: Id(), pause: true);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ => await Admin.Rollouts.CreateRolloutAsync(request)));
        Assert.Single(answers.Select(answer => (answer.Name, answer.Revision)).Distinct());
        Assert.Single((await Admin.Rollouts.ListRolloutsAsync(new ListRolloutsRequest { Parent = _environment })).Rollouts);
        var rollback = new RollbackRolloutRequest { Name = answers[0].Name, RequestId = Id() };
        await Until(answers[0].Name, RolloutState.AwaitingPromotion);
        var undone = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ => await Admin.Rollouts.RollbackRolloutAsync(rollback)));
        Assert.False(Assert.Single(undone.Select(answer => (answer.Already, answer.AcceptTime, answer.JournalRevision)).Distinct()).Already);
    }

    [Fact]
    public async Task A_request_id_belongs_to_its_actor()
    {
        await Set();
        var id = Id();
        await Admin.Rollouts.CreateRolloutAsync(Creation(requestId: id));
        var other = Creation(requestId: id);
        other.Plan.Name = "another";
        Assert.Equal("TARGET_TAKEN", (await Refused.By(async () => await _server.As("rel-09").Rollouts.CreateRolloutAsync(other))).Reason);
    }

    // Hostile input.

    public static TheoryData<string> HostileNames() => ["", "/", "..", "../../etc/passwd", "a/b", "a/../b", "😀", "A", "-a", "a-", "a b", "a\0b", "a\nb", "%2e%2e", new string('a', 64), new string('x', 10 * 1024)];

    [Theory]
    [MemberData(nameof(HostileNames))]
    public async Task Hostile_names_are_refused_and_change_nothing(string name)
    {
        await Set();
        var before = await Admin.Environments.ListEnvironmentsAsync(new() { PageSize = 1000 });
        Func<Task>[] calls =
        [
            async () => await Admin.Environments.CreateEnvironmentAsync(new() { EnvironmentId = name, Environment = new Environment() }),
            async () => await Admin.Environments.GetEnvironmentAsync(new() { Name = "environments/" + name }),
            async () => await Admin.Environments.CreateTargetAsync(new() { Parent = _environment, TargetId = name, Target = Router("api@1.0") }),
            async () => await Admin.Environments.CreateTargetAsync(new() { Parent = "environments/" + name, TargetId = "x", Target = Router("api@1.0") }),
            async () => await Admin.Environments.GetTargetAsync(new() { Name = $"{_environment}/targets/{name}" }),
            async () => await Admin.Rollouts.GetRolloutAsync(new() { Name = $"{_environment}/rollouts/{name}" }),
            async () => await Admin.Releases.GetReleaseAsync(new() { Name = $"releases/{name}@1.0" }),
            async () => await Admin.PublishBackend($"{name}@1.0"),
        ];
        foreach (var call in calls)
        {
            var refused = await Refused.By(call);
            Assert.Equal((StatusCode.InvalidArgument, "INVALID"), (refused.Code, refused.Reason));
            Assert.True(refused.Text.Length < 300, "what was refused is not sent back whole");
            Assert.NotEmpty(refused.Fields);
        }
        Assert.Equal(before, await Admin.Environments.ListEnvironmentsAsync(new() { PageSize = 1000 }));
    }

    [Fact]
    public async Task Page_tokens_and_filters_that_were_not_made_here_are_refused()
    {
        await Set();
        foreach (var token in (string[])["x", "!!!!", Convert.ToBase64String("9999999999999999999\nx"u8), Convert.ToBase64String("999999999999999999\nx"u8), Convert.ToBase64String("a\nb\nc\nd"u8), new string('A', 5000)])
        {
            Assert.Equal("INVALID", (await Refused.By(async () => await Admin.Rollouts.ListRolloutsAsync(new() { Parent = _environment, PageToken = token }))).Reason);
        }
        foreach (var filter in (string[])["nonsense", "state=", "colour=red", "state=BAKING OR 1=1", "state=BAKED", "state=3", "active=maybe", "state=\"x\" AND state=\"y\"", new string('x', 2000)])
        {
            Assert.Equal("INVALID", (await Refused.By(async () => await Admin.Rollouts.ListRolloutsAsync(new() { Parent = _environment, Filter = filter }))).Reason);
        }
        Assert.Equal("INVALID", (await Refused.By(async () => await Admin.Releases.ListReleasesAsync(new() { PageSize = -1 }))).Reason);
    }

    [Fact]
    public async Task A_reason_that_would_steer_a_terminal_or_forge_a_line_of_the_log_is_refused()
    {
        await Set();
        foreach (var reason in (string[])["\u001b[2J", "cold\n12:00:00 info: all is well"])
        {
            Assert.Equal("INVALID", (await Refused.By(async () => await Admin.Rollouts.RollbackRolloutAsync(new() { Name = $"{_environment}/rollouts/any", Reason = reason }))).Reason);
            Assert.Equal("INVALID", (await Refused.By(async () => await Admin.Releases.UnholdReleaseAsync(new() { Name = "releases/api@1.0", Environment = _environment, Reason = reason }))).Reason);
        }
    }

    [Fact]
    public async Task A_plan_is_refused_with_everything_that_is_wrong_at_once()
    {
        await Set();
        var plan = new Plan { Name = "Bad Name" };
        plan.Lanes.Add(new LanePlan { Target = "api", Release = "api@9.9", Steps = { new StepPlan { Share = 0.5 }, new StepPlan { Share = 0.25 } }, Checks = { new CheckPlan { Name = "e", Source = "devices" } } });
        plan.Lanes.Add(new LanePlan { Target = "nowhere", Release = "api@2.0" });
        var refused = await Refused.By(async () => await Admin.Rollouts.CreateRolloutAsync(new() { Parent = _environment, Plan = plan }));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID"), (refused.Code, refused.Reason));
        Assert.Subset(refused.Fields.ToHashSet(), new HashSet<string> { "name", "lanes[0].release", "lanes[0].steps[1].share", "lanes[0].steps", "lanes[0].checks[0].source", "lanes[1].target" });
        Assert.Empty((await Admin.Rollouts.ListRolloutsAsync(new() { Parent = _environment })).Rollouts);
        Assert.Empty((await Admin.Environments.GetTargetAsync(new() { Name = $"{_environment}/targets/api" })).ActiveRollout);
    }

    [Fact]
    public async Task The_environments_caps_hold_for_every_plan()
    {
        var environment = new Environment { Caps = new ExposureCaps { FirstStepMax = 0.1, JumpMax = 0.5 } };
        await Set(environment);
        var refused = await Refused.By(async () => await Admin.Rollouts.CreateRolloutAsync(Creation()));
        Assert.Equal(["lanes[0].steps[0].share", "lanes[0].steps[1].share"], refused.Fields);
    }

    // Rollouts.

    [Fact]
    public async Task A_taken_target_names_the_rollout_that_has_it()
    {
        await Set();
        var first = await Start(Admin);
        var refused = await Refused.By(async () => await Admin.Rollouts.CreateRolloutAsync(Creation()));
        Assert.Equal((StatusCode.FailedPrecondition, "TARGET_TAKEN", first.Name), (refused.Code, refused.Reason, refused.Metadata["rollout"]));
        Assert.Contains(first.Name.Split('/')[^1], refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watched_rollout_goes_to_its_end_and_the_stream_with_it()
    {
        await Set();
        var rollout = await Start(Admin);
        using var watch = Admin.Rollouts.WatchRollout(new WatchRolloutRequest { Name = rollout.Name });
        var entries = new List<JournalEntry>();
        Rollout last = rollout;
        await foreach (var message in watch.ResponseStream.ReadAllAsync())
        {
            last = message.Rollout;
            entries.AddRange(message.Entries);
        }
        Assert.Equal(RolloutState.Succeeded, last.State);
        Assert.Equal(Enumerable.Range(1, entries.Count).Select(revision => (long)revision), entries.Select(entry => entry.Revision));
        Assert.Equal(last.Revision, entries[^1].Revision);
        using var resumed = Admin.Rollouts.WatchRollout(new WatchRolloutRequest { Name = rollout.Name, AfterRevision = last.Revision - 2 });
        var rest = new List<JournalEntry>();
        await foreach (var message in resumed.ResponseStream.ReadAllAsync())
        {
            rest.AddRange(message.Entries);
        }
        Assert.Equal(entries.TakeLast(2), rest);
        Assert.Equal("releases/api@2.0", (await Admin.Environments.GetTargetAsync(new() { Name = $"{_environment}/targets/api" })).CurrentRelease);
    }

    [Fact]
    public async Task A_rollback_is_accepted_at_once_again_it_is_a_no_op_and_the_release_is_held()
    {
        await Set();
        var rollout = await Start(Admin, pause: true);
        await Until(rollout.Name, RolloutState.AwaitingPromotion);
        var shown = await Admin.Rollouts.GetRolloutAsync(new() { Name = rollout.Name });
        Assert.True(shown.Actions.Single(action => action.Verb == "rollback").Permitted);
        Assert.True(shown.Actions.Single(action => action.Verb == "promote").Permitted);
        Assert.False(shown.Actions.Single(action => action.Verb == "cancel").Permitted);
        Assert.NotEmpty(shown.Actions.Single(action => action.Verb == "cancel").Reason);
        Assert.Equal("promotion", shown.WaitingFor.Kind);
        Assert.True(shown.WayBack.Ready);

        var accepted = await Admin.Rollouts.RollbackRolloutAsync(new() { Name = $"{_environment}/rollouts/-", Reason = "homes were cold", RequestId = Id() });
        Assert.False(accepted.Already);
        Assert.Equal(rollout.Name, accepted.Rollout.Name);
        Assert.True(accepted.JournalRevision > shown.Revision);
        await Until(rollout.Name, RolloutState.RolledBack);
        Assert.True((await Admin.Rollouts.RollbackRolloutAsync(new() { Name = rollout.Name })).Already);

        Assert.Equal((StatusCode.FailedPrecondition, "RELEASE_HELD"), await Code(async () => await Admin.Rollouts.CreateRolloutAsync(Creation())));
        Assert.Equal("INVALID", (await Refused.By(async () => await Admin.Releases.UnholdReleaseAsync(new() { Name = Release("2.0"), Environment = _environment }))).Reason);
        Assert.DoesNotContain((await Admin.Releases.UnholdReleaseAsync(new() { Name = Release("2.0"), Environment = _environment, Reason = "was the sensor" })).Holds, hold => hold.Environment == _environment);
        await Start(Admin);
    }

    [Fact]
    public async Task A_command_that_does_not_fit_is_refused_with_the_reason_and_an_old_revision_is_a_lost_race()
    {
        await Set();
        var rollout = await Start(Admin, pause: true);
        Assert.Equal((StatusCode.Aborted, "LOST_RACE"), await Code(async () => await Admin.Rollouts.PauseRolloutAsync(new() { Name = rollout.Name, Revision = 9999 })));
        await Until(rollout.Name, RolloutState.AwaitingPromotion);
        Assert.Equal((StatusCode.FailedPrecondition, "WRONG_STATE"), await Code(async () => await Admin.Rollouts.ResumeRolloutAsync(new() { Name = rollout.Name })));
        Assert.Equal((StatusCode.FailedPrecondition, "WRONG_STATE"), await Code(async () => await Admin.Rollouts.CancelRolloutAsync(new() { Name = rollout.Name })));
        Assert.Equal((StatusCode.NotFound, "NOT_FOUND"), await Code(async () => await Admin.Rollouts.GetRolloutAsync(new() { Name = $"{_environment}/rollouts/ghost" })));
        Assert.Equal((StatusCode.NotFound, "NOT_FOUND"), await Code(async () => await Admin.Rollouts.RollbackRolloutAsync(new() { Name = $"{_environment}/rollouts/ghost" })));
    }

    [Fact]
    public async Task Who_started_a_rollout_cannot_approve_it()
    {
        await Set();
        var request = Creation();
        request.Plan.Lanes[0].Steps[0].Approval = "managers-2";
        var rollout = await _server.As("rel-01").Rollouts.CreateRolloutAsync(request);
        await Until(rollout.Name, RolloutState.AwaitingApproval);
        Assert.Equal((StatusCode.PermissionDenied, "NOT_APPROVER"), await Code(async () => await _server.As("rel-01").Rollouts.ApproveRolloutAsync(new() { Name = rollout.Name })));
        var one = await _server.As("mgr-01").Rollouts.ApproveRolloutAsync(new() { Name = rollout.Name });
        Assert.Equal(("approval", "1", "2"), (one.WaitingFor.Kind, one.WaitingFor.Have, one.WaitingFor.Need));
        await _server.As("mgr-01").Rollouts.ApproveRolloutAsync(new() { Name = rollout.Name });
        await _server.As("mgr-02").Rollouts.ApproveRolloutAsync(new() { Name = rollout.Name });
        await Until(rollout.Name, RolloutState.Succeeded);
    }

    [Fact]
    public async Task A_fix_goes_forward_from_a_rollout_that_is_under_way_and_keeps_its_way_back()
    {
        await Set();
        await Admin.PublishBackend("api@3.0");
        var first = await Start(Admin, pause: true);
        await Until(first.Name, RolloutState.AwaitingPromotion);
        var fix = Creation(pause: true);
        fix.Plan.Lanes[0].Release = "api@3.0";
        Assert.Equal("TARGET_TAKEN", (await Refused.By(async () => await Admin.Rollouts.CreateRolloutAsync(fix))).Reason);
        fix.Supersede = true;
        fix.Plan.Lanes[0].Fallback = "api@2.0";
        Assert.Equal("INVALID", (await Refused.By(async () => await Admin.Rollouts.CreateRolloutAsync(fix))).Reason);
        fix.Plan.Lanes[0].ClearFallback();
        var second = await Admin.Rollouts.CreateRolloutAsync(fix);
        Assert.Equal((first.Name, "api@3.0", "api@1.0"), (second.Supersedes, second.Lanes[0].Candidate, second.Lanes[0].Fallback));
        var over = await Admin.Rollouts.GetRolloutAsync(new() { Name = first.Name });
        Assert.Equal((RolloutState.Superseded, second.Name), (over.State, over.SupersededBy));
        Assert.Equal("WRONG_STATE", (await Refused.By(async () => await Admin.Rollouts.RollbackRolloutAsync(new() { Name = first.Name }))).Reason);
        await Until(second.Name, RolloutState.AwaitingPromotion);
        Assert.Equal(("api@3.0", 0.25), (Target().Candidate, Target().Share));
        Assert.Equal(second.Name, (await Admin.Rollouts.RollbackRolloutAsync(new() { Name = $"{_environment}/rollouts/-" })).Rollout.Name);
        await Until(second.Name, RolloutState.RolledBack);
        Assert.Equal("api@1.0", Target().Runs);
        Assert.Empty((await Admin.Audit.CheckConsistencyAsync(new() { Parent = _environment })).Findings);
    }

    [Fact]
    public async Task A_fix_that_can_not_begin_takes_back_what_it_took_over()
    {
        await Set();
        await Admin.PublishBackend("api@3.0");
        var first = await Start(Admin, pause: true);
        await Until(first.Name, RolloutState.AwaitingPromotion);
        FileTarget().Before = (method, order, _) => method == nameof(Core.Ports.ITarget.PrepareAsync) && order.Candidate.Version == "3.0" ? throw new Core.Ports.TargetException("no such version here") : Task.CompletedTask;
        var fix = Creation();
        fix.Plan.Lanes[0].Release = "api@3.0";
        fix.Supersede = true;
        var second = await Admin.Rollouts.CreateRolloutAsync(fix);
        await Until(second.Name, RolloutState.RolledBack);
        Assert.Equal(("api@1.0", null), (Target().Runs, Target().Candidate));
        Assert.Empty((await Admin.Audit.CheckConsistencyAsync(new() { Parent = _environment })).Findings);
    }

    [Fact]
    public async Task A_lane_that_was_exposed_after_the_check_is_not_left_to_nobody()
    {
        await Set();
        foreach (var release in (string[])["api@3.0", "web@1.0", "web@2.0"])
        {
            await Admin.PublishBackend(release);
        }
        await Admin.Environments.CreateTargetAsync(new() { Parent = _environment, TargetId = "web", Target = Router("web@1.0") });
        var creation = Creation(pause: true);
        creation.Plan.Lanes.Add(new LanePlan(creation.Plan.Lanes[0]) { Target = "web", Release = "web@2.0" });
        var first = await Admin.Rollouts.CreateRolloutAsync(creation);
        await Until(first.Name, RolloutState.AwaitingPromotion);

        // Checked while the web is not exposed, created when it is.
        var fix = Creation();
        fix.Plan.Lanes[0].Release = "api@3.0";
        var (rollouts, environment) = (_server.Services.GetRequiredService<RolloutCreation>(), _environment["environments/".Length..]);
        var draft = rollouts.Check(environment, "fix", fix.Plan, new("admin"), DateTimeOffset.UnixEpoch, supersede: true);
        await Admin.Rollouts.PromoteRolloutAsync(new() { Name = first.Name });
        await Condition.Holds(() => _server.Services.GetRequiredService<Ledger>().Find(environment, first.Name.Split('/')[^1])!.Lanes[1].Exposed);
        var refused = await Assert.ThrowsAsync<Server.Errors.RefusedException>(() => _server.Services.GetRequiredService<Server.Store.Database>().WriteAsync(db => rollouts.Take(db, draft, DateTimeOffset.UnixEpoch), cancellation: CancellationToken.None));
        Assert.Contains(refused.Violations, violation => violation.Text.StartsWith("leave out web", StringComparison.Ordinal));
        await Admin.Rollouts.RollbackRolloutAsync(new() { Name = first.Name });
        await Until(first.Name, RolloutState.RolledBack);
    }

    [Fact]
    public async Task A_fleet_s_fix_takes_back_all_that_was_offered_before_it_and_is_taken_over_twice_at_most()
    {
        var (name, fleet, environment) = (Firmware(), $"fleet{_environment[13..]}", _environment["environments/".Length..]);
        await Admin.Environments.CreateEnvironmentAsync(new() { EnvironmentId = environment, Environment = new Environment() });
        foreach (var version in (string[])["1.0", "2.0", "3.0", "4.0", "5.0"])
        {
            await Admin.PublishFirmware(name, version, counter: 1);
        }
        await Admin.Environments.CreateTargetAsync(new()
        {
            Parent = _environment, TargetId = name, Target = new Target { CurrentRelease = $"releases/{name}@1.0", Fleet = new FleetTarget { Fleet = fleet, HardwareIds = { "thermo-a1" } } },
        });
        async Task<Rollout> Fix(string version) => await Admin.Rollouts.CreateRolloutAsync(new()
        {
            Parent = _environment, Supersede = true,
            Plan = new Plan { Name = "up", Lanes = { new LanePlan { Name = "homes", Target = name, Release = $"{name}@{version}", Steps = { new StepPlan { Share = 0.1, Pause = true }, new StepPlan { Share = 1 } } } } },
        });

        List<Core.Rollouts.Rollout> rollouts = [];
        foreach (var version in (string[])["2.0", "3.0", "4.0"])
        {
            var rollout = await Fix(version);
            await Until(rollout.Name, RolloutState.Baking);
            rollouts.Add(_server.Services.GetRequiredService<Ledger>().Find(environment, rollout.Name.Split('/')[^1])!);
        }
        var refused = await Refused.By(() => Fix("5.0"));
        Assert.Equal((StatusCode.FailedPrecondition, "WRONG_STATE"), (refused.Code, refused.Reason));

        var last = rollouts[^1].Lanes[0];
        Assert.Equal([rollouts[0].Id, rollouts[1].Id], last.Predecessors!.Value.Select(before => before.Rollout));
        var candidates = JsonDocument.Parse(last.Fallback.Document!).RootElement.GetProperty("ota").GetProperty("candidates").EnumerateArray().Select(one => one.GetString()).ToHashSet();
        Assert.Equal([.. rollouts.Select(rollout => rollout.Lanes[0].Candidate.Digest)], candidates);
        await Admin.Rollouts.RollbackRolloutAsync(new() { Name = $"{_environment}/rollouts/-" });
        await Until($"{_environment}/rollouts/{rollouts[^1].Id}", RolloutState.RolledBack);
    }

    private FileTarget FileTarget() => (FileTarget)_server.Services.GetRequiredService<ITargets>().Of(_environment["environments/".Length..], "api");

    private FileTargetState Target() => FileTarget().State;

    [Fact]
    public async Task What_a_rollback_undoes_first_is_said_before_it_begins()
    {
        await Set();
        foreach (var version in (string[])["1.0", "2.0"])
        {
            await Admin.PublishBackend($"web@{version}");
        }
        await Admin.Environments.CreateTargetAsync(new() { Parent = _environment, TargetId = "web", Target = Router("web@1.0") });
        var creation = Creation();
        creation.Plan.Lanes.Add(new LanePlan(creation.Plan.Lanes[0]) { Target = "web", Release = "web@2.0", Needs = { "api >= 2" } });
        creation.Plan.Lanes[1].Steps[0].Pause = true;
        var rollout = await Admin.Rollouts.CreateRolloutAsync(creation);
        Assert.All(rollout.Lanes, lane => Assert.Empty(lane.WaitsFor));
        await Until(rollout.Name, RolloutState.AwaitingPromotion);
        var exposed = await Admin.Rollouts.GetRolloutAsync(new() { Name = rollout.Name });
        Assert.Equal([("api", "web"), ("web", "")], exposed.Lanes.Select(lane => (lane.Name, string.Join(",", lane.WaitsFor))));
        await Admin.Rollouts.RollbackRolloutAsync(new() { Name = rollout.Name });
        await Until(rollout.Name, RolloutState.RolledBack);
        var back = await Admin.Rollouts.GetRolloutAsync(new() { Name = rollout.Name });
        Assert.All(back.Lanes, lane => Assert.Empty(lane.WaitsFor));
    }

    [Fact]
    public async Task The_undo_sheet_is_there_from_the_start()
    {
        await Set();
        var rollout = await Start(Admin);
        var sheet = await Admin.Rollouts.GetUndoSheetAsync(new() { Name = rollout.Name });
        Assert.Contains(sheet.Commands, command => command.Command.Contains("curl", StringComparison.Ordinal) && command.Command.Contains("api@1.0", StringComparison.Ordinal));
        Assert.Contains("ota rollback", sheet.Text, StringComparison.Ordinal);

        // It is followed at night, in a shell that knows nothing of the installation.
        Assert.DoesNotContain("$OTA_HOME", sheet.Text, StringComparison.Ordinal);
        var files = System.Text.RegularExpressions.Regex.Matches(sheet.Text, "--(?:cacert|cert|key) '([^']+)'").Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.True(File.Exists(file), file));
    }

    [Fact]
    public async Task What_operators_wrote_is_never_a_command_of_the_undo_sheet()
    {
        await Set();
        const string Inside = "'$(echo ran >&2)`echo ran >&2`'";
        await Admin.Environments.CreateTargetAsync(new()
        {
            Parent = _environment, TargetId = "web", Target = new Target { CurrentRelease = "releases/api@1.0", Router = new RouterTarget { AdminUrl = "https://127.0.0.1:9443/" + Inside, Route = "web" } },
        });
        var creation = Creation();
        creation.Plan.Lanes[0].Target = "web";
        var rollout = await Admin.Rollouts.CreateRolloutAsync(creation);
        var sheet = await Admin.Rollouts.GetUndoSheetAsync(new() { Name = rollout.Name });
        foreach (var command in sheet.Commands)
        {
            var start = new System.Diagnostics.ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true };
            start.ArgumentList.Add("-c");
            start.ArgumentList.Add("curl() { printf '%s\\n' \"$@\"; }\n" + command.Command);
            using var shell = System.Diagnostics.Process.Start(start)!;
            var said = await shell.StandardOutput.ReadToEndAsync();
            Assert.Equal("", await shell.StandardError.ReadToEndAsync());
            Assert.Contains(Inside, said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_validated_plan_is_shown_with_its_defaults_and_nothing_is_stored()
    {
        await Set();
        var request = Creation();
        request.ValidateOnly = true;
        request.Plan.Lanes[0].Steps.Clear();
        var shown = await Admin.Rollouts.CreateRolloutAsync(request);
        Assert.True(shown.Plan.Lanes[0].Steps.Count > 1);
        Assert.NotNull(shown.Plan.Rollback.UntilAfter);
        Assert.Empty((await Admin.Rollouts.ListRolloutsAsync(new() { Parent = _environment })).Rollouts);
    }

    [Fact]
    public async Task A_rehearsal_goes_there_and_back_reaches_nobody_and_holds_nothing()
    {
        await Set();
        var request = Creation();
        request.Rehearsal = true;
        Assert.Equal("INVALID", (await Refused.By(async () => await Admin.Rollouts.CreateRolloutAsync(request))).Reason);
        request.Plan.Lanes[0].Steps.Clear();
        var rehearsal = await Admin.Rollouts.CreateRolloutAsync(request);
        Assert.True(rehearsal.Rehearsal);
        await Until(rehearsal.Name, RolloutState.RolledBack);
        Assert.Equal("api@1.0", Target().Runs);
        Assert.DoesNotContain(Target().Changes, change => change.StartsWith("Promote", StringComparison.Ordinal));
        Assert.DoesNotContain((await Admin.Releases.GetReleaseAsync(new() { Name = "releases/api@2.0" })).Holds, hold => hold.Environment == _environment);
        Assert.Equal("NOTHING_TO_UNDO", (await Refused.By(async () => await Admin.Rollouts.RollbackRolloutAsync(new() { Name = $"{_environment}/rollouts/-" }))).Reason);

        var next = await Start(Admin, pause: true);
        var rehearsed = Assert.Single(next.WayBack.Rehearsals);
        Assert.Equal("api", rehearsed.Target);
        Assert.NotNull(rehearsed.Took);
        Assert.Empty((await Admin.Audit.CheckConsistencyAsync(new() { Parent = _environment })).Findings);
    }

    [Fact]
    public async Task Whom_a_rollout_reaches_is_known_before_it_begins_and_kept()
    {
        await Set();
        var request = Creation(pause: true);
        request.ValidateOnly = true;
        var lane = Assert.Single((await Admin.Rollouts.CreateRolloutAsync(request)).Impact.Lanes);
        Assert.Equal(("api@2.0", "api@1.0", "instant", ""), (lane.Candidate, lane.Fallback, lane.Restore, lane.Unknown));
        Assert.Equal([(0.25, "25 %", "promotion"), (1, "100 %", "")], lane.Steps.Select(step => (step.Share, step.Who, step.WaitsFor)));
        request.ValidateOnly = false;
        var rollout = await Admin.Rollouts.CreateRolloutAsync(request);
        Assert.Equal(rollout.Impact, (await Admin.Rollouts.GetRolloutAsync(new() { Name = rollout.Name })).Impact);
        Assert.Equal(TimeSpan.FromMilliseconds(400), rollout.Impact.DurationMin.ToTimeSpan());
    }

    [Fact]
    public async Task The_check_of_a_healthy_environment_finds_nothing()
    {
        await Set();
        var rollout = await Start(Admin);
        await Until(rollout.Name, RolloutState.Succeeded);
        var answer = await Admin.Audit.CheckConsistencyAsync(new() { Parent = _environment });
        Assert.Empty(answer.Findings);
        Assert.Equal(1, answer.Rollouts);
        Assert.Equal((StatusCode.NotFound, "NOT_FOUND"), await Code(async () => await Admin.Audit.CheckConsistencyAsync(new() { Parent = "environments/ghost" })));
    }

    // HTTP.

    [Fact]
    public async Task The_same_api_speaks_json()
    {
        await Set();
        var environment = JsonNode.Parse(await Admin.Http.GetStringAsync($"/v1/{_environment}"))!;
        Assert.Equal(_environment, (string?)environment["name"]);
        using var missing = await Admin.Http.GetAsync("/v1/environments/ghost");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        using var posted = await Admin.Http.PostAsync($"/v1/{_environment}/rollouts", new StringContent("{\"plan\":{\"lanes\":[{\"target\":\"api\"}]}}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, posted.StatusCode);
        Assert.Contains("lanes[0].release", await posted.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var misspelt = await Admin.Http.PostAsync($"/v1/{_environment}/rollouts", new StringContent("{\"plan\":{\"lanes\":[{\"target\":\"api\",\"releese\":\"api@2.0\"}]}}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, misspelt.StatusCode);
        Assert.Contains("plan.lanes[0].releese", await misspelt.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var huge = await Admin.Http.PostAsync($"/v1/{_environment}/rollouts", new StringContent(new string(' ', 2 * 1024 * 1024) + "{}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, huge.StatusCode);
        using var right = await Admin.Http.PostAsync($"/v1/{_environment}/rollouts", new StringContent("{\"plan\":{\"lanes\":[{\"target\":\"api\",\"release\":\"api@2.0\"}]},\"validateOnly\":true}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task The_openapi_document_lists_every_route_and_every_reference_in_it_leads_somewhere()
    {
        var document = JsonNode.Parse(await Admin.Http.GetStringAsync("/openapi/v1.json"))!;
        var paths = document["paths"]!.AsObject().Select(path => path.Key).ToHashSet();
        Assert.Contains("/v1/environments/{environment}/rollouts/{rollout}:rollback", paths);
        Assert.Contains("/v1/environments/{environment}/devices:enroll", paths);
        Assert.True(paths.Count > 20);
        var text = document.ToJsonString();
        var schemas = document["components"]!["schemas"]!.AsObject();
        foreach (System.Text.RegularExpressions.Match reference in System.Text.RegularExpressions.Regex.Matches(text, "#/components/schemas/([A-Za-z0-9.]+)"))
        {
            Assert.True(schemas.ContainsKey(reference.Groups[1].Value), reference.Value);
        }
        using var page = await Admin.Http.GetAsync("/docs/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Fact]
    public async Task Tools_find_the_services_by_reflection_and_their_health()
    {
        var reflection = new Grpc.Reflection.V1Alpha.ServerReflection.ServerReflectionClient(Admin.Channel);
        using var call = reflection.ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new() { ListServices = "" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var services = call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name).ToHashSet();
        Assert.Superset(new HashSet<string> { "ota.v1.Environments", "ota.v1.Releases", "ota.v1.Rollouts", "ota.v1.Devices", "ota.v1.Audit", "grpc.health.v1.Health" }, services);
        await call.RequestStream.WriteAsync(new() { FileContainingSymbol = "ota.v1.Rollouts" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.NotEmpty(call.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto);
        await call.RequestStream.CompleteAsync();
        var health = new Grpc.Health.V1.Health.HealthClient(Admin.Channel);
        Assert.Equal(Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving, (await health.CheckAsync(new())).Status);
    }

    [Fact]
    public async Task Metrics_count_transitions()
    {
        await Set();
        var rollout = await Start(Admin);
        await Until(rollout.Name, RolloutState.Succeeded);
        await Condition.Holds(() => Admin.Http.GetStringAsync("/metrics").GetAwaiter().GetResult().Contains("ota_rollout_transitions", StringComparison.Ordinal));
    }

    // Releases.

    [Fact]
    public async Task A_fallback_that_devices_would_refuse_is_refused_beforehand()
    {
        var (name, fleet) = (Firmware(), $"fleet{_environment[13..]}");
        await Admin.Environments.CreateEnvironmentAsync(new() { EnvironmentId = _environment[13..], Environment = new Environment() });
        await Admin.PublishFirmware(name, "1.0", counter: 1);
        await Admin.PublishFirmware(name, "2.0", counter: 2);
        await Admin.Environments.CreateTargetAsync(new()
        {
            Parent = _environment, TargetId = "homes", Target = new Target { CurrentRelease = $"releases/{name}@1.0", Fleet = new FleetTarget { Fleet = fleet, HardwareIds = { "thermo-a1" } } },
        });
        var refused = await Refused.By(async () => await Admin.Rollouts.CreateRolloutAsync(new() { Parent = _environment, Plan = new Plan { Name = "up", Lanes = { new LanePlan { Target = "homes", Release = $"{name}@2.0" } } } }));
        Assert.Equal((StatusCode.FailedPrecondition, "FALLBACK_UNFIT"), (refused.Code, refused.Reason));
    }

    // Helpers of these tests.

    private static string Id() => Guid.NewGuid().ToString();

    private string Firmware() => $"fw-{_environment[13..]}";

    private static string Release(string version) => $"releases/api@{version}";

    private static async Task<(StatusCode, string)> Code(Func<Task> call)
    {
        var refused = await Refused.By(call);
        return (refused.Code, refused.Reason);
    }

    private async Task Set(Environment? environment = null)
    {
        foreach (var version in (string[])["1.0", "2.0"])
        {
            await Admin.PublishBackend($"api@{version}");
        }
        await Admin.Environments.CreateEnvironmentAsync(new() { EnvironmentId = _environment["environments/".Length..], Environment = environment ?? new Environment { Title = "Test" } });
        await Admin.Environments.CreateTargetAsync(new() { Parent = _environment, TargetId = "api", Target = Router("api@1.0") });
    }

    private static Target Router(string release) => new() { CurrentRelease = $"releases/{release}", Router = new RouterTarget { AdminUrl = "https://127.0.0.1:9443", Route = "api" } };

    private CreateRolloutRequest Creation(bool pause = false, string requestId = "") => new()
    {
        Parent = _environment,
        RequestId = requestId,
        Plan = new Plan
        {
            Name = "autumn",
            Lanes =
            {
                new LanePlan
                {
                    Target = "api",
                    Release = "api@2.0",
                    Steps = { Step(0.25, pause), Step(1) },
                    Checks = { new CheckPlan { Name = "errors", Source = "router", ErrorsMax = 0.01, SamplesMin = 10, Interval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(100)) } },
                },
            },
        },
    };

    private static StepPlan Step(double share, bool pause = false) => new() { Share = share, Pause = pause, BakeMin = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200)) };

    private async Task<Rollout> Start(Client client, bool pause = false) => await client.Rollouts.CreateRolloutAsync(Creation(pause));

    private async Task Until(string name, RolloutState state)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var watch = Admin.Rollouts.WatchRollout(new WatchRolloutRequest { Name = name }, cancellationToken: patience.Token);
        var last = "";
        await foreach (var message in watch.ResponseStream.ReadAllAsync(patience.Token))
        {
            last = $"{message.Rollout.State} {message.Rollout.Cause}";
            if (message.Rollout.State == state)
            {
                return;
            }
        }
        Assert.Fail($"{name} never came to {state}: {last}");
    }

    public sealed class Shared : IAsyncLifetime
    {
        public RunningServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await RunningServer.Start();

        public async ValueTask DisposeAsync() => await Server.DisposeAsync();
    }
}
