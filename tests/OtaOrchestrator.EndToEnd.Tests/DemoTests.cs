using System.Text.Json;
using OtaOrchestrator.EndToEnd.Tests.Installation;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>The newcomer's first command, run as a newcomer runs it: real programs, real connections, real crashes.</summary>
[Collection(Site.OneAtATime)]
public sealed class DemoTests
{
    private const int RolledBack = 9;

    [Fact]
    public Task Demo_goes_forward_and_comes_back_with_a_small_fleet_and_what_it_says_to_try_afterwards_works() => RunsAsync(40, TimeSpan.FromMinutes(5), keep: true);

    [Fact]
    [Trait("Gate", "Full")]
    public Task Demo_goes_forward_and_comes_back_with_its_whole_fleet() => RunsAsync(200, TimeSpan.FromMinutes(10), keep: false);

    private static async Task RunsAsync(int devices, TimeSpan limit, bool keep)
    {
        var home = Directory.CreateTempSubdirectory("ota it's-");
        try
        {
            string[] more = keep ? ["--keep"] : [];
            await using var demo = Child.Start(Programs.Cli, ["demo", "--json", "--devices", devices.ToString(System.Globalization.CultureInfo.InvariantCulture), "--home", home.FullName, .. more]);
            await demo.WaitAsync(limit);
            if (keep)
            {
                await TryAsync(demo, devices);
            }
            Assert.True(demo.ExitCode == 0, $"exit code {demo.ExitCode}\n{demo.Output}");
            var report = JsonDocument.Parse(string.Join('\n', demo.Written)).RootElement;
            JsonElement At(params string[] path) => path.Aggregate(report, (element, name) => element.GetProperty(name));

            Assert.Equal(devices, At("devices").GetInt64());
            Assert.Equal("SUCCEEDED", At("good", "state").GetString());
            Assert.Equal(devices, At("good", "devicesOnNew").GetInt64());
            Assert.Equal("ROLLED BACK", At("bad", "state").GetString());
            Assert.InRange(At("bad", "devicesThatTookIt").GetInt64(), 1, At("firstWave").GetInt64());
            Assert.Equal(devices, At("bad", "devicesOnOld").GetInt64());
            Assert.True(At("bad", "backendRestored").GetBoolean());
            Assert.True(At("requests").GetInt64() > 0);
            Assert.Equal(0, At("failedRequests").GetInt64());
            Assert.True(At("tampered", "publishRefused").GetBoolean());
            Assert.Equal(0, At("forged", "installed").GetInt64());
            Assert.Equal(devices, At("forged", "reported").GetInt64());
            Assert.True(At("crash", "resumed").GetBoolean());
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    /// <summary>The three commands as they are printed, one of which breaks things; and the line that ends everything.</summary>
    private static async Task TryAsync(Child demo, int devices)
    {
        var said = demo.Lines.SkipWhile(line => line != "Everything runs on. Try:").Skip(1).ToList();
        Assert.True(said.Count >= 4, demo.Output);
        const string End = "and to end it: ";
        var end = said.Single(line => line.StartsWith(End, StringComparison.Ordinal))[End.Length..];
        try
        {
            var list = await ShellAsync(said[0], 0);
            Assert.Contains(devices.ToString(System.Globalization.CultureInfo.InvariantCulture), list, StringComparison.Ordinal);
            Assert.Contains("ROLLED BACK", await ShellAsync(said[1], RolledBack), StringComparison.Ordinal);
            Assert.Contains("ROLLED BACK already", await ShellAsync(said[2], 0), StringComparison.Ordinal);
        }
        finally
        {
            await ShellAsync(end, 0);
        }
        foreach (var process in end.Split(' ').Skip(1))
        {
            await Wait.UntilAsync(() => Task.FromResult(!Directory.Exists($"/proc/{process}")), TimeSpan.FromSeconds(60), () => $"{process} does not end");
        }
    }

    private static async Task<string> ShellAsync(string command, int expected)
    {
        await using var shell = Child.Start("/bin/sh", "-c", command);
        await shell.WaitAsync(TimeSpan.FromMinutes(3));
        Assert.True(shell.ExitCode == expected, $"{command}: exit code {shell.ExitCode}\n{shell.Output}");
        return shell.Output;
    }
}
