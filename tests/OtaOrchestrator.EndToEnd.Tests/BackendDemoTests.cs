using System.Text.Json;
using OtaOrchestrator.EndToEnd.Tests.Installation;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>The back end without downtime, as anybody can have it shown: real programs under load, and every request counted by its client.</summary>
[Collection(Site.OneAtATime)]
public sealed class BackendDemoTests
{
    [Fact]
    public async Task Back_end_goes_there_and_back_and_loses_its_orchestrator_and_its_router_without_a_failed_request()
    {
        var home = Directory.CreateTempSubdirectory("ota-demo-");
        try
        {
            await using var demo = Child.Start(Programs.Cli, "demo", "--scenario", "backend", "--json", "--home", home.FullName);
            await demo.WaitAsync(TimeSpan.FromMinutes(5));
            Assert.True(demo.ExitCode == 0, $"exit code {demo.ExitCode}\n{demo.Output}");
            var report = JsonDocument.Parse(string.Join('\n', demo.Written)).RootElement;
            JsonElement At(params string[] path) => path.Aggregate(report, (element, name) => element.GetProperty(name));

            Assert.Equal(0, At("failed").GetInt64());
            Assert.True(At("requests").GetInt64() > 20_000);
            Assert.True(At("slowRequests").GetInt64() > 0);
            Assert.True(At("streams").GetInt64() > 1);
            Assert.Equal(12, At("switches").GetInt32());
            Assert.Equal("SUCCEEDED", At("blueGreen", "state").GetString());
            Assert.Equal("ROLLED BACK", At("blueGreen", "stateAfterReturn").GetString());
            Assert.Equal("SUCCEEDED", At("canary", "state").GetString());
            Assert.Equal("ROLLED BACK", At("errorCandidate", "state").GetString());
            Assert.True(At("errorCandidate", "exposedErrors").GetInt64() > 0);
            Assert.True(At("errorCandidate", "secondsToRestored").GetDouble() >= 0);
            Assert.Equal(0, At("errorCandidate", "requestsAfterRestored").GetInt64());
            Assert.Equal("ROLLED BACK", At("slowCandidate", "state").GetString());
            Assert.Equal(0, At("slowCandidate", "requestsAfterRestored").GetInt64());
            Assert.Equal((0, 0), (At("errorCandidate", "exitCode").GetInt32(), At("slowCandidate", "exitCode").GetInt32()));
            Assert.Equal("SUCCEEDED", At("controllerLoss", "state").GetString());
            Assert.True(At("controllerLoss", "resumed").GetBoolean());
            Assert.InRange(At("controllerLoss", "candidateShare").GetDouble(), 0.2, 0.3);
            Assert.Equal(0, At("controllerLoss", "failed").GetInt64());
            Assert.Equal("ROLLED BACK", At("routerUpgrade", "stateAfterwards").GetString());
            Assert.Equal(0, At("routerUpgrade", "exitCode").GetInt32());
            Assert.Equal(0, At("routerUpgrade", "failed").GetInt64());
            Assert.True(At("p99RatioDuringSwitch").GetDouble() > 0);
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }
}
