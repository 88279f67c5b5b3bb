using System.Text.Json;
using OtaOrchestrator.Cli.Demo;
using OtaOrchestrator.Cli.Demo.Backend;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

public sealed class BackendDemoTests
{
    private static readonly BackendReport Fine = new()
    {
        Requests = 50_000,
        SlowRequests = 250,
        Streams = 7,
        Switches = 12,
        BlueGreen = new BlueGreen("SUCCEEDED", "ROLLED BACK", 0.1),
        Canary = new Canary("SUCCEEDED"),
        ErrorCandidate = new ErrorCandidate("ROLLED BACK", "errors", 9, 0.1, 0, 0),
        SlowCandidate = new SlowCandidate("ROLLED BACK", "latency", 0.1, 0, 0),
        ControllerLoss = new ControllerLoss("SUCCEEDED", true, 0.25, 6000, 0),
        RouterUpgrade = new RouterUpgrade("ROLLED BACK", 0, 9000, 0),
        P99RatioDuringSwitch = 1.1,
    };

    private static readonly Dictionary<string, BackendReport> Wrong = new()
    {
        ["a request lost"] = Fine with { Failed = 1, Causes = ["1 x timeout"] },
        ["no requests"] = Fine with { Requests = 0 },
        ["no slow requests"] = Fine with { SlowRequests = 0 },
        ["no streams"] = Fine with { Streams = 0 },
        ["a switch missing"] = Fine with { Switches = 11 },
        ["not there"] = Fine with { BlueGreen = Fine.BlueGreen! with { State = "HELD" } },
        ["not back"] = Fine with { BlueGreen = Fine.BlueGreen! with { StateAfterReturn = "ROLLBACK STUCK" } },
        ["canary not there"] = Fine with { Canary = new Canary("ROLLED BACK") },
        ["errors not caught"] = Fine with { ErrorCandidate = Fine.ErrorCandidate! with { State = "SUCCEEDED" } },
        ["no errors seen"] = Fine with { ErrorCandidate = Fine.ErrorCandidate! with { ExposedErrors = 0 } },
        ["errors after the return"] = Fine with { ErrorCandidate = Fine.ErrorCandidate! with { RequestsAfterRestored = 1 } },
        ["slowness not caught"] = Fine with { SlowCandidate = Fine.SlowCandidate! with { State = "SUCCEEDED" } },
        ["slow after the return"] = Fine with { SlowCandidate = Fine.SlowCandidate! with { RequestsAfterRestored = 1 } },
        ["candidate crashed"] = Fine with { SlowCandidate = Fine.SlowCandidate! with { ExitCode = 134 } },
        ["not carried on"] = Fine with { ControllerLoss = Fine.ControllerLoss! with { Resumed = false } },
        ["weights not held"] = Fine with { ControllerLoss = Fine.ControllerLoss! with { CandidateShare = 0 } },
        ["nobody there without the orchestrator"] = Fine with { ControllerLoss = Fine.ControllerLoss! with { Requests = 0 } },
        ["old router crashed"] = Fine with { RouterUpgrade = Fine.RouterUpgrade! with { ExitCode = 134 } },
        ["new router takes no orders"] = Fine with { RouterUpgrade = Fine.RouterUpgrade! with { StateAfterwards = "ROLLBACK STUCK" } },
        ["no upgrade"] = Fine with { RouterUpgrade = null },
        ["nothing compared"] = Fine with { P99RatioDuringSwitch = null },
    };

    public static TheoryData<string> Spoilt() => [.. Wrong.Keys];

    [Fact]
    public void Report_in_which_all_is_as_it_should_be_has_no_findings() => Assert.Empty(Fine.Check());

    [Theory]
    [MemberData(nameof(Spoilt))]
    public void Anything_that_is_not_as_it_should_be_is_found(string what) => Assert.NotEmpty(Wrong[what].Check());

    [Fact]
    public void Document_has_the_promised_fields()
    {
        var document = JsonDocument.Parse(JsonSerializer.Serialize(Fine, DemoJson.Default.BackendReport)).RootElement;
        foreach (var path in (string[])
        [
            "requests", "failed", "switches", "errorCandidate.exposedErrors", "errorCandidate.secondsToRestored", "slowCandidate.state", "controllerLoss.failed",
            "routerUpgrade.failed", "p99RatioDuringSwitch",
        ])
        {
            var at = document;
            foreach (var name in path.Split('.'))
            {
                Assert.True(at.TryGetProperty(name, out at), path);
            }
        }
    }

    [Fact]
    public async Task Plans_of_the_scenario_are_valid()
    {
        var folder = Directory.CreateTempSubdirectory("ota-plans-").FullName;
        foreach (var text in (string[])[BackendPlans.BlueGreen("5.1.0"), BackendPlans.Canary("5.1.0"), BackendPlans.Held("5.2.0"), BackendPlans.Erring("5.1.1"), BackendPlans.Slow("5.1.2")])
        {
            var file = Path.Combine(folder, "plan.yaml");
            await File.WriteAllTextAsync(file, text);
            var run = await Run.Ota(folder, TimeProvider.System, "plan", "lint", file);
            Assert.Equal("", run.Error);
            Assert.Equal(0, run.ExitCode);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Line_of_a_log_says_when_how_long_and_how_it_ended()
    {
        Assert.Equal(new RequestRecord(1795425316400, 8.5, Ending.Answered, "5.1.0"), RequestRecord.Parse("1795425316400 8.5 answered 5.1.0"));
        Assert.Equal(new RequestRecord(5, 0.1, Ending.OnPurpose, "5.1.1"), RequestRecord.Parse("5 0.1 on-purpose 5.1.1"));
        Assert.Equal(new RequestRecord(5, 10_000, Ending.Failed, "transport ConnectionError"), RequestRecord.Parse("5 10000.0 failed transport ConnectionError"));
        Assert.Throws<CliFailure>(() => RequestRecord.Parse("5 0.1 forgotten"));
    }

    [Fact]
    public void Failure_counts_where_it_was_under_way_and_the_candidates_own_errors_nowhere()
    {
        var story = new TrafficStory(
            [new(1000, 5, Ending.Answered, "5.0.3"), new(1000, 5, Ending.OnPurpose, "5.1.1"), new(2000, 5, Ending.Failed, "timeout")],
            [new(1000, 2000, Ending.Failed, "status 502")],
            [new(500, 8000, Ending.Answered, "5.0.3")]);
        Assert.Equal(2, story.Failed());
        Assert.Equal(1, story.Failed(new Window(2500, 2600)));
        Assert.Equal(0, story.Failed(new Window(3001, 4000)));
        Assert.Equal(2, story.Requests(new Window(2500, 2600)));
        Assert.Equal((1, 0), (story.OnPurpose("5.1.1"), story.OnPurpose("5.0.3")));
        Assert.Equal((1, 0), (story.ReachedAfter("5.1.1", 999), story.ReachedAfter("5.1.1", 1000)));
    }

    [Fact]
    public void Switch_is_a_change_of_the_share_and_lasts_a_second_from_its_decision()
    {
        static JournalEntry At(int second, string from, string to) => new() { Revision = second, Time = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeSeconds(second)), From = from, To = to };
        var plan = Plans.Read(BackendPlans.BlueGreen("5.1.0"));
        var told = new Told(new Rollout { Plan = plan },
        [
            At(1, "Preparing", "Ready"), At(2, "Ready", "Exposing"), At(3, "Exposing", "Baking"), At(4, "Baking", "Baking"), At(5, "Baking", "Exposing"),
            At(6, "Exposing", "Exposing"), At(8, "Baking", "Promoting"), At(9, "Succeeded", "RollingBack"), At(10, "RollingBack", "RolledBack"),
        ]);
        // The staged step reaches nobody.
        Assert.Equal([new Window(5000, 6000), new Window(9000, 10_000)], Switches.Of(told));
        Assert.Equal(10_000, told.RestoredMs);
    }

    [Fact]
    public void Quiet_is_the_second_before_a_switch_and_the_slow_candidate_is_in_neither()
    {
        List<RequestRecord> requests = [];
        void Many(long ms, double tookMs, string version, Ending ending = Ending.Answered) => requests.AddRange(Enumerable.Repeat(new RequestRecord(ms, tookMs, ending, version), 100));
        Many(1000, 500, "5.0.3"); // long before: counts nowhere
        Many(4500, 4, "5.0.3");
        Many(5500, 6, "5.0.3");
        Many(5500, 60, Cast.ApiSlow);
        Many(5500, 70, "timeout", Ending.Failed);
        Many(5800, 90, "5.0.3"); // disturbed
        Many(6500, 8, "5.0.3"); // before the next switch, but in the first one
        var (switching, quiet) = Switches.P99(requests, [new Window(5000, 6600), new Window(7000, 8000)], new Window(5700, 5900));
        Assert.Equal((8, 4), (switching, quiet));
        Assert.Equal((null, null), Switches.P99([], []));
    }

    [Fact]
    public void Percentile_is_a_value_that_was_there()
    {
        Assert.Equal(99, RequestRecord.P99Ms(Enumerable.Range(1, 100).Select(ms => new RequestRecord(0, ms, Ending.Answered, ""))));
        Assert.Equal(7, RequestRecord.P99Ms([new RequestRecord(0, 7, Ending.Answered, "")]));
    }
}
