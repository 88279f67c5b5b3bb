using System.Text.Json;
using OtaOrchestrator.EndToEnd.Tests.Installation;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>Cloud and devices of an account together, as anybody can have it shown, on the doubles of AWS.</summary>
// Beside the others: it mostly waits.
public sealed class CloudDemoTests
{
    [Fact]
    public async Task Each_kind_of_target_goes_there_and_back_with_the_devices_and_is_exactly_as_before()
    {
        var home = Directory.CreateTempSubdirectory("ota-demo-");
        try
        {
            await using var demo = Child.Start(Programs.Cli, "demo", "--scenario", "aws", "--devices", "12", "--json", "--home", home.FullName);
            await demo.WaitAsync(TimeSpan.FromMinutes(5));
            Assert.True(demo.ExitCode == 0, $"exit code {demo.ExitCode}\n{demo.Output}");
            var report = JsonDocument.Parse(string.Join('\n', demo.Written)).RootElement;

            Assert.Equal(["lambda", "codedeploy", "cloudfront", "apigateway"], report.GetProperty("targets").EnumerateArray().Select(target => target.GetProperty("service").GetString()));
            Assert.All(report.GetProperty("targets").EnumerateArray(), target =>
            {
                Assert.Equal(("SUCCEEDED", "ROLLED BACK"), (target.GetProperty("good").GetProperty("state").GetString(), target.GetProperty("good").GetProperty("stateAfterReturn").GetString()));
                Assert.Equal("ROLLED BACK", target.GetProperty("bad").GetProperty("state").GetString());
                Assert.Contains("health", target.GetProperty("bad").GetProperty("cause").GetString(), StringComparison.Ordinal);
                Assert.True(target.GetProperty("changed").GetBoolean());
                Assert.True(target.GetProperty("restoredExactly").GetBoolean());
            });
            var fleet = report.GetProperty("fleet");
            Assert.Equal(("SUCCEEDED", 12, 12, 12), (fleet.GetProperty("state").GetString(), fleet.GetProperty("devices").GetInt32(), fleet.GetProperty("onNew").GetInt32(), fleet.GetProperty("onOld").GetInt32()));
            Assert.True(fleet.GetProperty("tookBad").GetInt32() > 0);
            Assert.True(report.GetProperty("crash").GetProperty("resumed").GetBoolean());
            Assert.Equal(0, report.GetProperty("violations").GetInt32());
            var calls = report.GetProperty("calls");
            Assert.All((string[])["lambda:UpdateAlias", "codedeploy:CreateDeployment", "cloudfront:UpdateDistributionWithStagingConfig", "apigateway:UpdateStage", "s3:PutObject", "cloudwatch:DescribeAlarms"], name => Assert.True(calls.GetProperty(name).GetInt32() > 0));
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }
}
