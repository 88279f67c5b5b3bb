using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Demo.Backend;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo.Cloud;

/// <summary>Cloud and devices of an account together, for each kind of traffic target: ill firmware takes both back, a good rollout gets everywhere and is taken back by hand.</summary>
internal static class CloudPlay
{
    public const string Alarm = "complaints";
    private const string Bucket = "ota-firmware";

    public static async Task<CloudReport> Run(Stage stage, DemoProgress progress, CancellationToken cancellation)
    {
        progress.Begin("an account: doubles of AWS's services, AWS IoT, devices");
        using var account = await IotAccount.Start(stage, cancellation);
        using var aws = await CloudDoubles.Start(stage, Bucket, account.Images, cancellation);
        stage.ServerVariables = new Dictionary<string, string>(account.Variables)
        {
            ["AWS_ACCESS_KEY_ID"] = IotAccount.AccessKey,
            ["AWS_SECRET_ACCESS_KEY"] = IotAccount.Secret,
            ["AWS_REGION"] = IotAccount.Region,
            ["AWS_EC2_METADATA_DISABLED"] = "true",
            ["AWS_ENDPOINT_URL"] = aws.Url.ToString().TrimEnd('/'),
            ["Aws__CallsPerSecond"] = "50",
        };
        var endpoint = await stage.StartServer(null, cancellation);
        progress.Event($"server serves on {endpoint.Grpc}");
        var services = await Build(stage, aws, cancellation);
        await account.Enrol(progress, cancellation);
        progress.Done($"{stage.Devices} devices, targets {string.Join(", ", services.Select(service => service.Name))}");

        List<CloudTarget> targets = [];
        List<string> good = [];
        CrashReport? crash = null;
        long took = 0, onNew = 0;
        foreach (var service in services)
        {
            var before = await service.Configuration(cancellation);
            progress.Begin($"{service.Name}: {Cast.Api} {Cast.ApiNew}, then {Cast.Firmware} {Cast.FirmwareBad}, which makes devices ill");
            var bad = await Told.Run(stage, progress, service.Plan($"bad-{service.Name}", Cast.FirmwareBad), cancellation);
            await account.AllOn(Cast.FirmwareOld, cancellation);
            var exactly = await service.Configuration(cancellation) == before;
            took += await account.Had(Cast.FirmwareBad, cancellation);
            progress.Done($"{bad.State}: {bad.Rollout.Cause}; configuration {(exactly ? "as before" : "NOT as before")}");
            await Acts.Unhold(stage, Cast.ApiNew, cancellation);

            progress.Begin($"{service.Name}: {Cast.Api} {Cast.ApiNew}, then {Cast.Firmware} {Cast.FirmwareNew}; and back by hand");
            var plan = service.Plan($"good-{service.Name}", Cast.FirmwareNew);
            Told there;
            if (crash is null)
            {
                (there, crash) = await Crashing(stage, progress, plan, endpoint, cancellation);
            }
            else
            {
                there = await Told.Run(stage, progress, plan, cancellation);
            }
            onNew += await account.AllOn(Cast.FirmwareNew, cancellation);
            var changed = await service.Configuration(cancellation) != before;
            var back = await Told.Back(stage, progress, there.Rollout.Name, "shown to go back", cancellation);
            await account.AllOn(Cast.FirmwareOld, cancellation);
            exactly &= await service.Configuration(cancellation) == before;
            progress.Done($"{there.State}, then {back.State}; configuration {(exactly ? "as before" : "NOT as before")}");
            await Acts.Unhold(stage, Cast.ApiNew, cancellation);
            await Acts.Unhold(stage, Cast.Firmware, Cast.FirmwareBad, cancellation);
            await Acts.Unhold(stage, Cast.Firmware, Cast.FirmwareNew, cancellation);
            targets.Add(new CloudTarget(service.Name, new CloudOutcome(there.State, null, back.State, back.SecondsToRestored), new CloudOutcome(bad.State, bad.Rollout.Cause, null, bad.SecondsToRestored), changed, exactly));
            good.Add(there.State);
        }
        var report = new CloudReport
        {
            Targets = targets,
            Fleet = new CloudFleet(good.Find(state => state != "SUCCEEDED") ?? "SUCCEEDED", stage.Devices, onNew / services.Count, await account.AllOn(Cast.FirmwareOld, cancellation), took),
            Calls = await aws.Calls(cancellation),
            Violations = await aws.Violations(cancellation),
            Crash = crash,
            Seconds = Math.Round(progress.Elapsed.TotalSeconds, 1),
        };
        return report with { Findings = [.. report.Check(services.Count)] };
    }

    public static IEnumerable<string> Summary(CloudReport report)
    {
        yield return "";
        foreach (var target in report.Targets)
        {
            yield return $"{target.Service,-11}good {target.Good.State}, then {target.Good.StateAfterReturn}; bad {target.Bad.State}; {(target.RestoredExactly ? "exactly as before" : "NOT as before")}";
        }
        yield return $"devices    {report.Fleet?.TookBad} took the bad firmware, {report.Fleet?.OnOld} of {report.Fleet?.Devices} are back on {Cast.FirmwareOld}";
        yield return $"calls      {Say.Count(report.Calls.Values.Sum())} of {Say.Plural(report.Calls.Count, "operation")}, {report.Violations} that AWS would not have understood";
        foreach (var finding in report.Findings)
        {
            yield return Terminal.Clean("[NG] " + finding);
        }
        yield return report.Findings.Count == 0 ? $"[OK] all as it should be, {report.Seconds:0.0} s" : $"{Say.Plural(report.Findings.Count, "finding")}, {report.Seconds:0.0} s";
    }

    private static async Task<IReadOnlyList<CloudService>> Build(Stage stage, CloudDoubles aws, CancellationToken cancellation)
    {
        await aws.Act("s3", "CreateBucket", $$"""{"Bucket":"{{Bucket}}"}""", cancellation);
        await aws.Act("cloudwatch", "PutMetricAlarm",
            $$"""{"AlarmName":"{{Alarm}}","Namespace":"Shop","MetricName":"Complaints","Statistic":"Sum","Period":60,"EvaluationPeriods":1,"Threshold":1,"ComparisonOperator":"GreaterThanThreshold"}""", cancellation);
        await aws.Act("cloudwatch", "SetAlarmState", $$"""{"AlarmName":"{{Alarm}}","StateValue":"OK","StateReason":"quiet"}""", cancellation);
        var services = await CloudService.Make(aws, cancellation);
        await Parts.CreateEnvironment(stage, cancellation);
        foreach (var version in (string[])[Cast.ApiOld, Cast.ApiNew])
        {
            var backend = new BackendRelease { Artifacts = { services.ToDictionary(service => service.Name, service => version == Cast.ApiOld ? service.Old : service.New) } };
            await Parts.Publish(stage, new Release { Name = $"releases/{Cast.Api}@{version}", Backend = backend }, null, cancellation);
        }
        foreach (var version in (string[])[Cast.FirmwareOld, Cast.FirmwareNew, Cast.FirmwareBad])
        {
            await Parts.PublishFirmware(stage, version, cancellation);
        }
        foreach (var service in services)
        {
            service.Target.CurrentRelease = $"releases/{Cast.Api}@{Cast.ApiOld}";
            await Parts.CreateTarget(stage, $"{Cast.Api}-{service.Name}", service.Target, cancellation);
        }
        var place = new AwsIotPlace { Region = IotAccount.Region, FirmwareBucket = Bucket, PresignRoleArn = "arn:aws:iam::111122223333:role/ota-presign" };
        await Parts.CreateTarget(stage, Cast.Fleet,
            new Target { CurrentRelease = $"releases/{Cast.Firmware}@{Cast.FirmwareOld}", Fleet = new FleetTarget { Fleet = Cast.Fleet, HardwareIds = { Cast.Hardware }, Aws = place } }, cancellation);
        return services;
    }

    /// <summary>The orchestrator is killed in the rollout's middle, and another one goes on.</summary>
    private static async Task<(Told Told, CrashReport Crash)> Crashing(Stage stage, DemoProgress progress, string plan, ServerEndpoint endpoint, CancellationToken cancellation)
    {
        var rollout = await Acts.Start(stage, Plans.Read(plan), cancellation);
        var middle = await Acts.Follow(stage, progress, rollout.Name, 0, r => InTheMiddle(r) || Acts.HasEnded(r), _ => { }, cancellation);
        if (!InTheMiddle(middle.Rollout))
        {
            throw new CliFailure(ExitCode.Failure, $"the rollout never came to its devices: {Say.State(middle.Rollout.State)} {middle.Rollout.Cause}");
        }
        var before = await GoodAct.Journal(stage, rollout.Name, cancellation);
        progress.Event($"kill -9 {stage.Server!.Id}: the server is gone, revision {middle.Rollout.Revision}");
        await stage.Kill(stage.Server, cancellation);
        var restarted = await stage.StartServer(endpoint, cancellation);
        progress.Event("a new server serves on the same files");
        var told = await Told.ToTheEnd(stage, progress, rollout.Name, cancellation);
        var resumed = told.Rollout.State == RolloutState.Succeeded && restarted.StartId != endpoint.StartId && before.Count > 0 && told.Journal.Count > before.Count && GoodAct.Continues(before, told.Journal);
        return (told, new CrashReport(resumed, before.Count, told.Journal.Count - before.Count));
    }

    private static bool InTheMiddle(Rollout rollout) => rollout.Lanes.Any(lane => lane is { Fleet: not null, Step: 0, State: RolloutState.Exposing or RolloutState.Baking });
}
