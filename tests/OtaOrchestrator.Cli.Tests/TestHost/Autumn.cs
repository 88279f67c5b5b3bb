using Google.Protobuf.WellKnownTypes;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests.TestHost;

/// <summary>The rollout that the tests look at: a back end that is done, a fleet in its third wave.</summary>
internal static class Autumn
{
    public const string Name = "environments/production/rollouts/thermostat-autumn";

    public static Rollout Rollout() => new()
    {
        Name = Name,
        State = RolloutState.Baking,
        Revision = 87,
        StartedBy = "rel-01",
        CreateTime = Scene.At(TimeSpan.FromMinutes(26 * 60 + 14)),
        UpdateTime = Scene.At(TimeSpan.FromMinutes(2)),
        Exposed = 1,
        Next = "wave 50%, after approval managers-2",
        Eta = Timestamp.FromDateTimeOffset(Scene.Now.AddMinutes(86)),
        WaitingFor = new WaitingFor { Kind = "evidence", Have = "3,112", Need = "5,000 confirmed", Until = Timestamp.FromDateTimeOffset(Scene.Now.AddHours(4)) },
        Approvals = { new Approval { Actor = "appr-01", Approval_ = "managers-2" }, new Approval { Actor = "appr-02", Approval_ = "managers-2" } },
        WayBack = new WayBack
        {
            Ready = true, Text = "signed",
            Rehearsals = { new Rehearsal { Target = "thermostat-api", Time = Timestamp.FromDateTimeOffset(Scene.Now.AddDays(-6)), Took = Duration.FromTimeSpan(TimeSpan.FromSeconds(1.2)) } },
        },
        Plan = new Plan
        {
            Name = "thermostat-autumn",
            Lanes =
            {
                new LanePlan { Name = "api", Target = "thermostat-api", Steps = { new StepPlan { Share = 0 }, new StepPlan { Share = 0.05 }, new StepPlan { Share = 0.25 }, new StepPlan { Share = 1 } } },
                new LanePlan
                {
                    Name = "firmware", Target = "thermostats",
                    Steps = { new StepPlan { Group = "lab" }, new StepPlan { Share = 0.01 }, new StepPlan { Share = 0.1, ConfirmedMin = 5000 }, new StepPlan { Share = 0.5, Approval = "managers-2" }, new StepPlan { Share = 1 } },
                },
            },
        },
        Lanes =
        {
            new Lane
            {
                Name = "api", Target = "thermostat-api", Candidate = "thermostat-api@5.1.0", Fallback = "thermostat-api@5.0.3", State = RolloutState.Succeeded, Step = 3, Exposed = 1,
                RestoreUntil = Timestamp.FromDateTimeOffset(Scene.Now.AddHours(18)), WaitsFor = { "firmware" },
                Judgement = new Judgement { Verdict = "healthy", Checks = { new CheckResult { Name = "errors", Verdict = "healthy", Text = "api 0.21% / base 0.20%  n 1.2M", EValue = 0.4 }, new CheckResult { Name = "latency", Verdict = "unhealthy", Text = "2.1 % slower than 50 ms, baseline 0.8 %", EValue = 1.4e23, DryRun = true } } },
            },
            new Lane
            {
                Name = "firmware", Target = "thermostats", Candidate = "thermostat-fw@2.4.0", Fallback = "thermostat-fw@2.3.1", State = RolloutState.Baking, Step = 2, Exposed = 0.1,
                Fleet = new FleetCounts { Devices = 80112, Offered = 8011, OnCandidate = 3881, Confirmed = 3881, Busy = 2870, Failed = 12, Silent = 3, Queued = 1245 },
                Judgement = new Judgement { Verdict = "healthy", Checks = { new CheckResult { Name = "install", Verdict = "healthy", Text = "15/3,896 bad 0.39% (max 2%)", EValue = 0.02 } } },
            },
        },
        Impact = new Impact
        {
            DurationMin = Duration.FromTimeSpan(TimeSpan.FromHours(15.5)),
            Lanes =
            {
                new LaneImpact
                {
                    Name = "api", Target = "thermostat-api", Candidate = "thermostat-api@5.1.0", Fallback = "thermostat-api@5.0.3", Restore = "instant",
                    Steps =
                    {
                        new StepImpact { Who = "nobody; with the preview header only", BakeMin = new Duration() },
                        new StepImpact { Share = 1, Who = "100 % of the requests of route api", BakeMin = Duration.FromTimeSpan(TimeSpan.FromMinutes(30)), WaitsFor = "promotion" },
                    },
                },
                new LaneImpact
                {
                    Name = "firmware", Target = "thermostats", Candidate = "thermostat-fw@2.4.0", Fallback = "thermostat-fw@2.3.1", Restore = "redeploy", Devices = 80112,
                    Steps =
                    {
                        new StepImpact { Devices = 24, Who = "group lab", BakeMin = Duration.FromTimeSpan(TimeSpan.FromHours(2)) },
                        new StepImpact { Share = 0.01, Devices = 777, Who = "1 cohort: c17", BakeMin = Duration.FromTimeSpan(TimeSpan.FromHours(1)), WaitsFor = "approval managers-2" },
                    },
                },
                new LaneImpact { Name = "edge", Target = "cdn", Candidate = "cdn@2.0", Fallback = "cdn@1.9", Restore = "none", Unknown = "connection refused" },
            },
            Stays = { "DB migration 0051" },
            Notes = { "firmware step 1: 0 failures in 24 devices bound nothing below 17.5 %; 228 devices are needed for 2 %" },
        },
        Actions =
        {
            new Protocol.V1.Action { Verb = "pause", Permitted = true }, new Protocol.V1.Action { Verb = "rollback", Permitted = true },
            new Protocol.V1.Action { Verb = "approve", Permitted = false, Reason = "you started it" },
        },
    };

    public static async Task<TestServer> Server()
    {
        var server = await TestServer.Start();
        server.Scene.AddEnvironment("production");
        server.Scene.Add(Rollout(),
            new JournalEntry { Revision = 1, Time = Scene.At(TimeSpan.FromHours(26)), Actor = "rel-01", Trigger = "Created", To = "Pending" },
            new JournalEntry { Revision = 86, Time = Scene.At(TimeSpan.FromHours(1)), Actor = "system", Trigger = "StepReached", Lane = "firmware", From = "Exposing", To = "Baking", Text = "wave 3 of 5" },
            new JournalEntry { Revision = 87, Time = Scene.At(TimeSpan.FromMinutes(2)), Actor = "system", Trigger = "Judged", Lane = "firmware", Text = "healthy" });
        server.Scene.Releases["releases/thermostat-fw@2.4.0"] = new Release
        {
            Name = "releases/thermostat-fw@2.4.0", Digest = "sha256:" + new string('a', 64), Publisher = "rel-01", PublishTime = Scene.At(TimeSpan.FromDays(2)),
            Firmware = new FirmwareRelease { Size = 65536, HardwareIds = { "thermo-a1" }, SecurityCounter = 3, Signature = "MEUC", Format = "ota-image" },
        };
        server.Scene.Releases["releases/thermostat-api@5.1.0"] = new Release
        {
            Name = "releases/thermostat-api@5.1.0", Digest = "sha256:" + new string('b', 64), Publisher = "rel-01", PublishTime = Scene.At(TimeSpan.FromDays(2)),
            Backend = new BackendRelease { Addresses = { "https://127.0.0.1:9001" } },
        };
        server.Scene.Targets["environments/production/targets/thermostats"] = new Target
        {
            Name = "environments/production/targets/thermostats", CurrentRelease = "releases/thermostat-fw@2.3.1", ActiveRollout = Name,
            Fleet = new FleetTarget { Fleet = "thermostats", HardwareIds = { "thermo-a1" }, Devices = 80112, LastCheckIn = Scene.At(TimeSpan.FromSeconds(1)) },
        };
        server.Scene.Targets["environments/production/targets/thermostat-api"] = new Target
        {
            Name = "environments/production/targets/thermostat-api", CurrentRelease = "releases/thermostat-api@5.0.3", ActiveRollout = Name,
            Router = new RouterTarget { AdminUrl = "https://127.0.0.1:9443", Route = "thermostat-api" },
        };
        server.Scene.Devices["environments/production/devices/thermostats-0001"] = new Device
        {
            Name = "environments/production/devices/thermostats-0001", Fleet = "thermostats", Hardware = "thermo-a1", Release = "thermostat-fw@2.4.0", Previous = "thermostat-fw@2.3.1", Health = "healthy",
            CheckIn = Scene.At(TimeSpan.FromSeconds(2)), Connected = true, Cohort = "thermostats-c07", Groups = { "thermostats", "thermostats-c07", "thermostats-lab" }, Job = "j1", Outcome = "confirmed", SecurityCounter = 3,
        };
        server.Scene.Devices["environments/production/devices/thermostats-0002"] = new Device
        {
            Name = "environments/production/devices/thermostats-0002", Fleet = "thermostats", Hardware = "thermo-a1", Release = "thermostat-fw@2.3.1", Health = "healthy",
            CheckIn = Scene.At(TimeSpan.FromMinutes(50)), Outcome = "refused", Reason = "SIGNATURE", Detail = "\u001b[31mtest", Cohort = "thermostats-c90", Groups = { "thermostats" }, Job = "j1",
        };
        return server;
    }
}
