using System.Text.Json;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>Rollouts of a function's alias by the shipped server and command line, with credentials and endpoints by the SDK's own chain.</summary>
// Beside the others: it mostly waits.
public sealed class LambdaTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_good_version_gets_all_requests_and_a_bad_one_is_taken_back_to_exactly_what_was()
    {
        await using var site = await CloudSite.StartAsync();
        var before = await site.ServesAsync();
        await site.LoadAsync(errors: 0.5);
        await site.StartAsync("bad");
        var bad = await site.UntilAsync("bad", RolloutState.RolledBack, Limit);
        Assert.Contains("errors", bad.Cause, StringComparison.Ordinal);
        Assert.Equal(before, await site.ServesAsync());

        await site.OtaAsync("release", "unhold", "api@5.1.0", "-e", "production", "--reason", "it was the load");
        await site.LoadAsync(errors: 0);
        await site.StartAsync("good");
        await site.UntilAsync("good", RolloutState.Succeeded, Limit);
        Assert.Contains("\"FunctionVersion\":\"2\"", await site.ServesAsync(), StringComparison.Ordinal);
        Assert.Empty((await site.OtaAsync("fsck", "-e", "production")).GetProperty("findings").EnumerateArray());

        // One command takes it back, and the sheet of the same rollout would have as well.
        var sheet = await site.UndoSheetAsync("good");
        await site.OtaAsync("rollback", "good", "-e", "production", "--reason", "second thoughts");
        await site.UntilAsync("good", RolloutState.RolledBack, Limit);
        Assert.Equal(before, await site.ServesAsync());
        await site.Aws.ActAsync("lambda", "UpdateAlias", new { FunctionName = CloudSite.Function, Name = CloudSite.Alias, FunctionVersion = "2" });
        var (code, said) = await site.ShellAsync(string.Join("\n", sheet.Commands.Select(command => command.Command + " || exit 9")));
        Assert.True(code == 0, said);
        Assert.Equal(before, await site.ServesAsync());
        await site.CleanAsync();
    }

    [Fact]
    public async Task A_change_by_hand_stops_the_rollout_until_a_person_has_decided()
    {
        await using var site = await CloudSite.StartAsync();
        await site.Aws.SetAsync(new { cloudtrailDelaySeconds = 1 });
        await site.LoadAsync(errors: 0);
        await site.StartAsync("autumn", pause: true);
        await site.UntilAsync("autumn", RolloutState.AwaitingPromotion, Limit);
        await MoveAsync(site, 0.4);
        await site.UntilAsync("autumn", RolloutState.Drifted, Limit);
        await Wait.UntilAsync(async () => (await site.LaneAsync("autumn")).Drift?.Author == "night-shift", Limit, () => $"nobody was named\n{site.Server.Output}");
        Assert.Contains("sends 60% to 1, 40% to 2; it was 90% to 1, 10% to 2", (await site.LaneAsync("autumn")).Drift.What, StringComparison.Ordinal);
        Assert.Contains("0.4", await site.ServesAsync(), StringComparison.Ordinal);

        var refused = await site.OtaAsync(3, ["rollout", "resume", "autumn", "-e", "production"]);
        Assert.Contains("--take", refused.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        await site.OtaAsync("rollout", "resume", "autumn", "-e", "production", "--accept");
        Assert.Equal(0.4, (await site.UntilAsync("autumn", RolloutState.AwaitingPromotion, Limit)).Lanes[0].Exposed);

        await MoveAsync(site, 0.7);
        await site.UntilAsync("autumn", RolloutState.Drifted, Limit);
        await site.OtaAsync("rollout", "resume", "autumn", "-e", "production", "--take");
        await site.UntilAsync("autumn", RolloutState.AwaitingPromotion, Limit);
        Assert.Contains("0.1", await site.ServesAsync(), StringComparison.Ordinal);

        await MoveAsync(site, 0.9);
        await site.UntilAsync("autumn", RolloutState.Drifted, Limit);
        await site.OtaAsync("rollback", "autumn", "-e", "production");
        await site.UntilAsync("autumn", RolloutState.RolledBack, Limit);
        await site.CleanAsync();
    }

    [Fact]
    [Trait("Gate", "Full")]
    public async Task An_alarm_of_CloudWatch_takes_a_version_back_whose_own_numbers_are_good()
    {
        await using var site = await CloudSite.StartAsync();
        await site.LoadAsync(errors: 0);
        await site.Aws.ActAsync("cloudwatch", "PutMetricAlarm", new { AlarmName = "complaints", Namespace = "Shop", MetricName = "Complaints", Statistic = "Sum", Period = 60, EvaluationPeriods = 1, Threshold = 1, ComparisonOperator = "GreaterThanThreshold" });
        await site.Aws.ActAsync("cloudwatch", "SetAlarmState", new { AlarmName = "complaints", StateValue = "OK", StateReason = "quiet" });
        await site.StartAsync("autumn", pause: true, alarm: "complaints");
        await site.UntilAsync("autumn", RolloutState.AwaitingPromotion, Limit);
        await site.Aws.ActAsync("cloudwatch", "SetAlarmState", new { AlarmName = "complaints", StateValue = "ALARM", StateReason = "the telephones ring" });
        var rollout = await site.UntilAsync("autumn", RolloutState.RolledBack, Limit);
        Assert.Contains("the telephones ring", rollout.Cause, StringComparison.Ordinal);
        await site.CleanAsync();
    }

    [Fact]
    [Trait("Gate", "Full")]
    public async Task A_deployment_group_goes_there_and_is_taken_back_by_an_alarm()
    {
        await using var site = await CloudSite.StartAsync();
        await site.Aws.SetAsync(new { codedeployStepSeconds = 0.05 });
        var before = await site.ServesAsync();
        await site.Aws.AdminAsync("lambda/functions", new { name = "shop", codes = new[] { "old", "new" }, aliases = new { live = "1" } });
        await site.Aws.ActAsync("codedeploy", "CreateApplication", new { applicationName = "shop", computePlatform = "Lambda" });
        await site.Aws.ActAsync("codedeploy", "CreateDeploymentGroup", new { applicationName = "shop", deploymentGroupName = "all", serviceRoleArn = "arn:aws:iam::111122223333:role/codedeploy" });
        await site.Aws.ActAsync("cloudwatch", "PutMetricAlarm", new { AlarmName = "complaints", Namespace = "Shop", MetricName = "Complaints", Statistic = "Sum", Period = 60, EvaluationPeriods = 1, Threshold = 1, ComparisonOperator = "GreaterThanThreshold" });
        await site.Aws.ActAsync("cloudwatch", "SetAlarmState", new { AlarmName = "complaints", StateValue = "OK", StateReason = "quiet" });
        foreach (var (version, number) in new[] { ("1.0", 1), ("2.0", 2) })
        {
            await site.OtaAsync("release", "publish", $"shop@{version}", "--artifact", $"codedeploy=lambda:shop:live:{number}");
        }
        await site.OtaAsync("target", "create", "shop", "-e", "production", "--codedeploy", "shop/all", "--release", "shop@1.0");
        await site.StartShopAsync("autumn");
        await site.UntilAsync("autumn", RolloutState.Succeeded, Limit);
        await site.Aws.ActAsync("cloudwatch", "SetAlarmState", new { AlarmName = "complaints", StateValue = "ALARM", StateReason = "the telephones ring" });
        var rollout = await site.UntilAsync("autumn", RolloutState.RolledBack, Limit);
        Assert.Contains("the telephones ring", rollout.Cause, StringComparison.Ordinal);
        var shop = JsonDocument.Parse(await site.Aws.SnapshotAsync("lambda")).RootElement.GetProperty("lambda").GetProperty("functions").GetProperty("shop").GetProperty("aliases").GetProperty("live");
        Assert.Equal("1", shop.GetProperty("FunctionVersion").GetString());
        Assert.Equal(before, await site.ServesAsync());
        await site.CleanAsync();
    }

    /// <summary>In the gate the demo's account does it.</summary>
    [Fact]
    [Trait("Gate", "Full")]
    public async Task Killed_in_the_middle_of_a_write_it_goes_on_where_the_journal_says()
    {
        await using var site = await CloudSite.StartAsync();
        await site.LoadAsync(errors: 0);
        await site.Aws.FaultAsync(new AwsFault("hold", "lambda", "UpdateAlias", When: "after"));
        await site.StartAsync("autumn");
        await Wait.UntilAsync(async () => (await site.Aws.HeldAsync()).Count > 0, Limit, () => $"no write was held\n{site.Server.Output}");
        site.Server.Kill();
        await site.Aws.ReleaseAsync();
        await site.StartServerAsync();
        await site.UntilAsync("autumn", RolloutState.Succeeded, Limit);
        await site.OtaAsync("rollback", "autumn", "-e", "production");
        await site.UntilAsync("autumn", RolloutState.RolledBack, Limit);
        Assert.Equal(1, (await site.Aws.CallsAsync()).Count(call => call is { Operation: "PublishVersion", User: "ota-orchestrator" }));
        await site.CleanAsync();
    }

    private static Task MoveAsync(CloudSite site, double weight) => site.Aws.ActAsync("lambda", "UpdateAlias", new
    {
        FunctionName = CloudSite.Function, Name = CloudSite.Alias, FunctionVersion = "1", RoutingConfig = new { AdditionalVersionWeights = new Dictionary<string, double> { ["2"] = weight } },
    }, "night-shift");
}
