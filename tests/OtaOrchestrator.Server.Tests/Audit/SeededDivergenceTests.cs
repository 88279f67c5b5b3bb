using System.Text.Json;
using Microsoft.Data.Sqlite;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.DevicePlane;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;
using OtaOrchestrator.Server.Audit;
using OtaOrchestrator.Server.Hosting;
using OtaOrchestrator.Server.Releases;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Audit;

/// <summary>A divergence of each kind is put in by hand, and found. Before it, nothing is.</summary>
public sealed class SeededDivergenceTests : IAsyncLifetime
{
    private readonly SigningKey _key = SigningKey.Create();
    private Scene _scene = null!;
    private Home _home = null!;

    public async ValueTask InitializeAsync()
    {
        _scene = await Scene.New().Started();
        _home = new Home(Path.Combine(_scene.Directory, "home"));
        _home.Create();
        await _scene.Set("api", "web");
        await _scene.Start("autumn", "api");
        await _scene.Until("autumn", LaneState.Succeeded);
        await _scene.Start("winter", plan => plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)] }, ["web"]);
        await _scene.Until("winter", LaneState.AwaitingPromotion);
    }

    [Fact]
    public async Task Nothing_is_found_where_nothing_differs()
    {
        var report = await Check();
        Assert.Empty(report.Findings);
        Assert.Equal(2, report.Rollouts);
        Assert.True(report.Entries > 10);
    }

    [Theory]
    [InlineData("UPDATE rollouts SET spec = replace(spec, '\"Attempt\":1', '\"Attempt\":2') WHERE id = 'autumn'", FindingKind.JournalRowMismatch)]
    [InlineData("UPDATE rollouts SET spec = 'null' WHERE id = 'autumn'", FindingKind.JournalRowMismatch)]
    [InlineData("UPDATE rollouts SET state = 'Cancelled' WHERE id = 'winter'", FindingKind.RowColumns)]
    [InlineData("UPDATE created_rollouts SET spec = replace(spec, '0.25', '0.35') WHERE id = 'winter'", FindingKind.JournalReplay)]
    [InlineData("DELETE FROM created_rollouts WHERE id = 'winter'", FindingKind.JournalReplay)]
    [InlineData("UPDATE journal SET actor = 'somebody' WHERE rollout = 'winter' AND revision = 1", FindingKind.JournalHash)]
    [InlineData("UPDATE journal SET canonical = CAST(replace(CAST(canonical AS TEXT), 'rel-01', 'rel-02') AS BLOB) WHERE rollout = 'winter' AND revision = 1", FindingKind.JournalHash)]
    [InlineData("UPDATE journal SET at = at + 1 WHERE rollout = 'winter' AND revision = 2", FindingKind.JournalHash)]
    [InlineData("DELETE FROM journal WHERE rollout = 'winter' AND revision = 2", FindingKind.JournalGap)]
    [InlineData("DELETE FROM effects WHERE rollout = 'winter'", FindingKind.EffectMissing)]
    [InlineData("UPDATE effects SET kind = 'Promote' WHERE rollout = 'winter'", FindingKind.EffectUnexpected)]
    [InlineData("INSERT INTO effects (environment, rollout, revision, ordinal, lane, target, kind, delay_ms, due_at, target_order) SELECT environment, 'ghost', revision, ordinal, lane, target, kind, delay_ms, due_at, target_order FROM effects", FindingKind.EffectUnexpected)]
    [InlineData("UPDATE targets SET active_rollout = '' WHERE id = 'web'", FindingKind.TargetTakenWrongly)]
    [InlineData("UPDATE targets SET active_rollout = 'autumn' WHERE id = 'api'", FindingKind.TargetTakenWrongly)]
    [InlineData("UPDATE targets SET epoch = 0 WHERE id = 'api'", FindingKind.TargetTakenWrongly)]
    [InlineData("UPDATE targets SET current_release = 'api@0.1' WHERE id = 'api'", FindingKind.TargetRelease)]
    public async Task A_changed_store_is_found(string change, string kind)
    {
        // The server is down while somebody has their hand in the file.
        await _scene.Stop();
        using (var connection = new SqliteConnection($"Data Source={_scene.DatabaseFile};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = change;
            Assert.True(command.ExecuteNonQuery() > 0, "nothing was changed");
        }
        await using var again = Scene.At(_scene.Directory);
        var report = await Check(again);
        Assert.Contains(report.Findings, finding => finding.Kind == kind);
    }

    [Fact]
    public async Task A_target_that_somebody_changed_is_found()
    {
        _scene.Target("api").Tamper(now => now with { Runs = "api@1.0" });
        var report = await Check();
        var finding = Assert.Single(report.Findings);
        Assert.Equal((FindingKind.TargetDrift, "production/api"), (finding.Kind, finding.Subject));
    }

    [Fact]
    public async Task A_target_that_does_not_answer_is_said()
    {
        _scene.Target("api").Before = (method, _, _) => method == nameof(ITarget.ReadAsync) ? throw new IOException("connection refused") : Task.CompletedTask;
        Assert.Contains((await Check()).Findings, finding => finding.Kind == FindingKind.TargetUnread && finding.Found.Contains("connection refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Missing_damaged_forged_and_stray_images_are_found()
    {
        var good = Publish("good", "one image"u8.ToArray());
        var damaged = Publish("damaged", "another image"u8.ToArray());
        var missing = Publish("missing", "a third image"u8.ToArray());
        var forged = Publish("forged", "a fourth image"u8.ToArray()) with { Signature = SigningKey.Create().SignDigest(new byte[32]) };
        File.WriteAllText(Path.Combine(_home.Firmware, damaged.Digest[7..]), "anothEr image");
        File.Delete(Path.Combine(_home.Firmware, missing.Digest[7..]));
        File.WriteAllText(Path.Combine(_home.Firmware, "stranger"), "?");
        var findings = new Findings();
        var store = new FirmwareStore(_home);
        PublishedImage[] images = [good, damaged, missing, forged];
        await FirmwareCheck.OfAsync(store, images, _key.Public, findings, CancellationToken.None);
        FirmwareCheck.Strays(store.Stored(), images, findings);
        Assert.Equal(
            [(FindingKind.FirmwareDigest, "damaged"), (FindingKind.FirmwareMissing, "missing"), (FindingKind.FirmwareSignature, "forged"), (FindingKind.FirmwareStray, "stranger")],
            findings.All.Select(finding => (finding.Kind, finding.Subject)));
    }

    [Fact]
    public async Task An_image_is_a_stray_only_when_nobody_is_publishing_it()
    {
        var bytes = "a fifth image"u8.ToArray();
        var store = new FirmwareStore(_home);
        var check = new ConsistencyCheck(_scene.Database, _scene.Ledger, _scene.Targets, store, _key, TimeProvider.System);
        await using (var upload = store.Begin(bytes.Length))
        {
            await upload.AppendAsync(bytes, CancellationToken.None);
            await upload.FinishAsync();
            await upload.KeepAsync(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));
            Assert.Empty((await check.RunAsync(Scene.Environment, CancellationToken.None))!.Findings);
        }
        Assert.Equal(FindingKind.FirmwareStray, Assert.Single((await check.RunAsync(Scene.Environment, CancellationToken.None))!.Findings).Kind);
    }

    [Fact]
    public void A_job_that_no_rollout_made_is_found_and_so_is_one_with_another_document()
    {
        var lane = Fleet("sha256:" + new string('c', 64));
        var plane = new DevicePlaneSnapshot([], [],
        [
            Job("ota-known-u-0-1", lane.Lanes[0].Candidate.Document!), Job("ota-known-r-1", lane.Lanes[0].Fallback.Document!),
            Job("ota-known-u-1-1", "{}"), Job("forged", lane.Lanes[0].Candidate.Document!),
        ]);
        var findings = new Findings();
        DeviceCheck.Jobs(plane, [lane], (_, _) => "ota-known-", findings);
        Assert.Equal([(FindingKind.ForgedJob, "ota-known-u-1-1"), (FindingKind.ForgedJob, "forged")], findings.All.Select(finding => (finding.Kind, finding.Subject)));
    }

    [Fact]
    public void Devices_on_unknown_firmware_or_on_a_held_release_are_found_unless_they_are_in_the_tail()
    {
        var held = "sha256:" + new string('c', 64);
        var old = "sha256:" + new string('a', 64);
        var plane = new DevicePlaneSnapshot(
            [Thing("t1", old), Thing("t2", held), Thing("t3", "sha256:" + new string('e', 64)), Thing("t4", held) with { Fleet = "fridges" }, Thing("t5", held) with { Revoked = true }], [], []);
        Dictionary<string, string> releases = new() { [held] = "fw@2.0", [old] = "fw@1.0" };
        HoldRow[] holds = [new HoldRow(Scene.Environment, "fw@2.0", "spring", "bad", DateTimeOffset.UnixEpoch)];
        var spring = Fleet(held);
        var findings = new Findings();
        long devices = DeviceCheck.Digests(plane, new HashSet<string> { "thermostats" }, releases, holds, [spring with { Lanes = [spring.Lanes[0] with { State = LaneState.RolledBack }] }], findings);
        Assert.Equal(4, devices);
        Assert.Equal([(FindingKind.DeviceOnHeldRelease, "t2"), (FindingKind.DeviceUnknownFirmware, "t3")], findings.All.Select(finding => (finding.Kind, finding.Subject)));

        var tail = new Findings();
        DeviceCheck.Digests(plane, new HashSet<string> { "thermostats" }, releases, holds, [spring with { Lanes = [spring.Lanes[0] with { State = LaneState.RolledBack, Tail = 1 }] }], tail);
        Assert.DoesNotContain(tail.All, finding => finding.Kind == FindingKind.DeviceOnHeldRelease);
    }

    [Fact]
    public void A_sequence_behind_what_was_signed_is_found()
    {
        var manifest = new Manifest("thermostats", "fw@2.0", "2.0", ["a1"], 1, 12, new string('c', 64), 100).ToBytes();
        var document = new UpdateDocument(UpdateOperation.Update, "spring", "firmware", "fw@2.0", [], manifest, [1], [1], UpdateDocument.Placeholder(new string('c', 64)), 100).ToJson();
        var rollout = Fleet("sha256:" + new string('c', 64));
        rollout = rollout with { Lanes = [rollout.Lanes[0] with { Candidate = rollout.Lanes[0].Candidate with { Document = document } }] };
        var fine = new Findings();
        SequenceCheck.Of([rollout], new Dictionary<string, long> { ["thermostats"] = 12 }, fine);
        Assert.Empty(fine.All);
        var behind = new Findings();
        SequenceCheck.Of([rollout], new Dictionary<string, long> { ["thermostats"] = 11 }, behind);
        Assert.Equal(FindingKind.SequenceBehind, Assert.Single(behind.All).Kind);
    }

    public async ValueTask DisposeAsync() => await _scene.DisposeAsync();

    private async Task<AuditReport> Check(Scene? scene = null)
    {
        scene ??= _scene;
        return (await new ConsistencyCheck(scene.Database, scene.Ledger, scene.Targets, new FirmwareStore(_home), _key, TimeProvider.System).RunAsync(Scene.Environment, CancellationToken.None))!;
    }

    private PublishedImage Publish(string release, byte[] bytes)
    {
        var sha256 = System.Security.Cryptography.SHA256.HashData(bytes);
        File.WriteAllBytes(Path.Combine(_home.Firmware, Convert.ToHexStringLower(sha256)), bytes);
        return new PublishedImage(release, "sha256:" + Convert.ToHexStringLower(sha256), bytes.Length, _key.SignDigest(sha256));
    }

    private static DevicePlaneJob Job(string id, string document) => new(id, "IN_PROGRESS", document, new Dictionary<string, string>());

    private static DevicePlaneThing Thing(string name, string digest) => new(
        name, "thermostats", ["thermostats"], true, false, new Dictionary<string, JsonElement> { ["ota"] = JsonElement.Parse($$"""{"digest":"{{digest}}"}""") });

    private static Rollout Fleet(string candidate) => new()
    {
        Environment = Scene.Environment,
        Id = "spring",
        StartedBy = Scene.Releaser,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Plan = new Plan { Name = "spring" },
        Lanes =
        [
            new Lane
            {
                Name = "firmware", Target = "thermostats", Kind = TargetKind.Fleet, Epoch = 1, Step = 0, State = LaneState.Baking, Plan = new LanePlan { Steps = [Scene.Step(1)] },
                Candidate = new TargetRelease("fw", "2.0", candidate) { Document = "{\"update\":1}" },
                Fallback = new TargetRelease("fw", "1.0", "sha256:" + new string('a', 64)) { Document = "{\"return\":1}" },
            },
        ],
    };
}
