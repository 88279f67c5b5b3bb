using System.Text.Json;
using OtaOrchestrator.EndToEnd.Tests.Installation;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>The newcomer's first command, run as a newcomer runs it: real programs, real connections, real crashes.</summary>
[Collection(Site.OneAtATime)]
public sealed class DemoTests
{
    [Fact]
    public Task Demo_goes_forward_and_comes_back_with_a_small_fleet() => RunsAsync(40, TimeSpan.FromMinutes(5));

    [Fact]
    [Trait("Gate", "Full")]
    public Task Demo_goes_forward_and_comes_back_with_its_whole_fleet() => RunsAsync(200, TimeSpan.FromMinutes(10));

    private static async Task RunsAsync(int devices, TimeSpan limit)
    {
        var home = Directory.CreateTempSubdirectory("ota-demo-");
        try
        {
            await using var demo = Child.Start(Programs.Cli, "demo", "--json", "--devices", devices.ToString(System.Globalization.CultureInfo.InvariantCulture), "--home", home.FullName);
            await demo.WaitAsync(limit);
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
}
