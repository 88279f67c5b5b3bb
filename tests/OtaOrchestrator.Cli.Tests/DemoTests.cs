using System.Text.Json;
using OtaOrchestrator.Cli.Demo;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

public sealed class DemoTests
{
    private static readonly DemoReport Fine = new()
    {
        Devices = 200,
        FirstWave = 20,
        Good = new GoodRollout("SUCCEEDED", 200),
        Bad = new BadRollout("ROLLED BACK", 20, 200, true, 3.2),
        Requests = 4000,
        Tampered = new TamperedImage(true),
        Forged = new ForgedUpdate(0, 200),
        Crash = new CrashReport(true, 12, 20),
    };

    [Fact]
    public void Report_in_which_all_is_as_it_should_be_has_no_findings() => Assert.Empty(Fine.Check());

    public static TheoryData<string> Spoilt() => [.. Wrong.Keys];

    private static readonly Dictionary<string, DemoReport> Wrong = new()
    {
        ["good not succeeded"] = Fine with { Good = Fine.Good! with { State = "HELD" } },
        ["a device missing"] = Fine with { Good = Fine.Good! with { DevicesOnNew = 199 } },
        ["no good rollout"] = Fine with { Good = null },
        ["not resumed"] = Fine with { Crash = new CrashReport(false, 12, 20) },
        ["nothing in the first wave"] = Fine with { FirstWave = 0 },
        ["bad succeeded"] = Fine with { Bad = Fine.Bad! with { State = "SUCCEEDED" } },
        ["bad in more than the first wave"] = Fine with { Bad = Fine.Bad! with { DevicesThatTookIt = 21 } },
        ["bad never taken"] = Fine with { Bad = Fine.Bad! with { DevicesThatTookIt = 0 } },
        ["not all back"] = Fine with { Bad = Fine.Bad! with { DevicesOnOld = 199 } },
        ["back end not restored"] = Fine with { Bad = Fine.Bad! with { BackendRestored = false } },
        ["no bad rollout"] = Fine with { Bad = null },
        ["a request lost"] = Fine with { FailedRequests = 1 },
        ["no requests"] = Fine with { Requests = 0 },
        ["tampered published"] = Fine with { Tampered = new TamperedImage(false) },
        ["forged installed"] = Fine with { Forged = new ForgedUpdate(1, 200) },
        ["forged not reported by all"] = Fine with { Forged = new ForgedUpdate(0, 199) },
        ["no attack"] = Fine with { Forged = null },
    };

    [Theory]
    [MemberData(nameof(Spoilt))]
    public void Anything_that_is_not_as_it_should_be_is_found(string what) => Assert.NotEmpty(Wrong[what].Check());

    [Fact]
    public void Document_has_the_promised_fields()
    {
        var document = JsonDocument.Parse(JsonSerializer.Serialize(Fine, DemoJson.Default.DemoReport)).RootElement;
        foreach (var path in (string[])
        [
            "devices", "firstWave", "good.state", "good.devicesOnNew", "bad.state", "bad.devicesThatTookIt", "bad.devicesOnOld", "bad.backendRestored", "bad.secondsToRestored",
            "requests", "failedRequests", "tampered.publishRefused", "forged.installed", "forged.reported", "crash.resumed",
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
    public void Seconds_to_restored_run_from_the_verdict_to_the_end_of_the_way_back()
    {
        static JournalEntry At(int second, string to, string trigger = "Looked") => new() { Revision = second, Time = Scene.At(TimeSpan.FromSeconds(100 - second)), To = to, Trigger = trigger };
        var story = new WatchRolloutResponse { Rollout = new Rollout(), Entries = { At(1, "Exposing"), At(10, "ROLLING_BACK"), At(11, "AwaitingUndo"), At(17, "RolledBack"), At(19, "RolledBack", "TailRead") } };
        Assert.Equal(7, BadAct.SecondsToRestored(story));
        story.Entries.RemoveAt(4);
        story.Entries.RemoveAt(3);
        story.Rollout.Lanes.Add(new Lane { RestoredTime = Scene.At(TimeSpan.FromSeconds(85)) });
        Assert.Equal(5, BadAct.SecondsToRestored(story));
    }

    [Fact]
    public async Task Plans_of_the_demo_are_valid()
    {
        var folder = Directory.CreateTempSubdirectory("ota-plans-").FullName;
        foreach (var (name, text) in ((string, string)[])[("good", Demo.Plans.Text("good-autumn", Cast.ApiNew, Cast.FirmwareNew)), ("break", Demo.Plans.Breaking)])
        {
            var file = Path.Combine(folder, name);
            await File.WriteAllTextAsync(file, text);
            var run = await Run.Ota(folder, TimeProvider.System, "plan", "lint", file);
            Assert.Equal("", run.Error);
            Assert.Equal(0, run.ExitCode);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("9")]
    [InlineData("1000000")]
    [InlineData("many")]
    public async Task Unreasonable_number_of_devices_is_a_usage_error(string devices)
    {
        var run = await Run.Ota(Path.GetTempPath(), TimeProvider.System, "demo", "--devices", devices);
        Assert.Equal(2, run.ExitCode);
    }

    [Theory]
    [InlineData("--scenario", "everything")]
    [InlineData("--scenario", "backend", "--devices", "20")]
    [InlineData("--scenario", "backend", "--keep")]
    public async Task What_no_scenario_means_is_a_usage_error(params string[] options)
    {
        var run = await Run.Ota(Path.GetTempPath(), TimeProvider.System, ["demo", .. options]);
        Assert.Equal(2, run.ExitCode);
    }

    [Fact]
    public async Task Help_names_the_scenarios()
    {
        var run = await Run.Ota(Path.GetTempPath(), TimeProvider.System, "demo", "--help");
        Assert.Contains("--scenario", run.Out, StringComparison.Ordinal);
        Assert.Contains("backend|whole", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Home_with_a_server_is_left_alone()
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, "demo", "--home", server.Home);
        Assert.Equal(3, run.ExitCode);
        Assert.Empty(server.Scene.Calls);
    }
}
