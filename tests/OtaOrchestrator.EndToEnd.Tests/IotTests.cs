using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>A function and the devices of an account change together: jobs of AWS IoT over its own tools' door, images from a bucket.</summary>
// Beside the others: it mostly waits.
public sealed class IotTests
{
    private const int Devices = 12;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    [Trait("Gate", "Full")]
    public async Task Function_and_devices_go_there_together_and_one_command_takes_both_back()
    {
        await using var site = await CloudSite.StartAsync(Devices);
        var before = await site.ServesAsync();
        await site.LoadAsync(errors: 0);
        await site.StartBothAsync("autumn", "2.4.0");
        await site.UntilAsync("autumn", RolloutState.Succeeded, Limit);
        await site.Iot!.AllRunAsync("2.4.0", Devices);
        Assert.Contains("\"FunctionVersion\":\"2\"", await site.ServesAsync(), StringComparison.Ordinal);

        await site.OtaAsync("rollback", "autumn", "-e", "production", "--reason", "second thoughts");
        await site.UntilAsync("autumn", RolloutState.RolledBack, Limit);
        await site.Iot.AllRunAsync("2.3.1", Devices);
        Assert.Equal(before, await site.ServesAsync());
        Assert.Equal(2, (await site.Aws.CallsAsync()).Count(call => call is { Service: "s3", Operation: "PutObject" }));
        Assert.Empty((await site.OtaAsync("fsck", "-e", "production")).GetProperty("findings").EnumerateArray());
        await site.CleanAsync();
    }

    [Fact]
    public async Task Things_that_are_there_become_a_fleet_and_change_only_when_they_are_driven()
    {
        await using var site = await CloudSite.StartAsync(Devices);
        var looked = await site.AdoptAsync(0, "homes", "drive", "--query", "thingGroupNames:thermostats", "--dry-run");
        Assert.Equal((Devices, Devices), (Number(looked, "devices"), Number(looked, "connected")));
        Assert.Equal(Devices.ToString(System.Globalization.CultureInfo.InvariantCulture), looked.GetProperty("inventory").GetProperty("versions").GetProperty("thermostat-fw@2.3.1").GetString());
        Assert.Equal(["CreateThingGroup 102", $"AddThingToThingGroup {2 * Devices}"], looked.GetProperty("inventory").GetProperty("calls").EnumerateArray().Select(call => $"{call.GetProperty("operation").GetString()} {call.GetProperty("count").GetString()}"));
        await site.OtaAsync(1, ["target", "show", "homes", "-e", "production"]);

        var driven = await site.AdoptAsync(0, "homes", "drive", "--query", "thingGroupNames:thermostats");
        Assert.Equal((102 + (2 * Devices)).ToString(System.Globalization.CultureInfo.InvariantCulture), driven.GetProperty("callsMade").GetString());
        Assert.False((await site.AdoptAsync(0, "homes", "drive")).GetProperty("inventory").TryGetProperty("calls", out var left) && left.GetArrayLength() > 0);

        // An account with what rollouts change, and nothing of what keeps it honest.
        var examined = (await site.OtaAsync(1, ["aws", "doctor", "-e", "production"])).GetProperty("findings").EnumerateArray()
            .ToLookup(finding => $"{finding.GetProperty("code").GetString()} {finding.GetProperty("subject").GetString()}", finding => finding.GetProperty("verdict").GetString());
        Assert.All((string[])["ALIAS api", "FLEET_INDEX homes", "FLEET_GROUPS homes", "BUCKET_PRIVATE homes"], finding => Assert.Equal(["OK"], examined[finding]));
        Assert.All((string[])["BUCKET_LOCK homes", "PRESIGN_TRUST homes", "PUBLIC_ACCESS account", "TRAIL eu-central-1"], finding => Assert.Equal(["MISSING"], examined[finding]));

        // Observed and advised: told of, and left alone.
        await site.AdoptAsync(0, IotAccount.Fleet, "observe");
        Assert.Contains("observed only", Error(await site.StartFirmwareAsync(3, "--dry-run")), StringComparison.Ordinal);
        await site.AdoptAsync(0, IotAccount.Fleet, "advise");
        await site.StartFirmwareAsync(0, "--dry-run");
        Assert.Contains("advised only", Error(await site.StartFirmwareAsync(3)), StringComparison.Ordinal);
        await site.AdoptAsync(0, IotAccount.Fleet, "drive");
        await site.StartFirmwareAsync(0);
        await site.AdoptAsync(3, IotAccount.Fleet, "observe");
        await site.UntilAsync("firmware", RolloutState.Succeeded, Limit);
        await site.Iot!.AllRunAsync("2.4.0", Devices);
        await site.CleanAsync();

        static int Number(System.Text.Json.JsonElement answer, string name) => int.Parse(answer.GetProperty("inventory").GetProperty(name).GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        static string Error(System.Text.Json.JsonElement answer) => answer.GetProperty("error").GetProperty("message").GetString()!;
    }

    /// <summary>The devices here are not of FreeRTOS, and refuse its updates: so the way back is seen, too.</summary>
    [Fact]
    public async Task Devices_that_refuse_lower_versions_get_updates_and_return_by_a_twin()
    {
        await using var site = await CloudSite.StartAsync(Devices);
        await site.AdoptAsync(0, IotAccount.Fleet, "drive", "--agent", "freertos");
        var refused = await site.StartFirmwareAsync(8);
        Assert.Contains("--twin-of thermostat-fw@2.3.1", refused.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        var twin = Path.GetTempFileName();
        await File.WriteAllBytesAsync(twin, System.Security.Cryptography.RandomNumberGenerator.GetBytes(5000));
        await site.OtaAsync(8, ["release", "publish", "thermostat-fw@2.3.0", "--file", twin, "--hardware", "thermo-a1", "--twin-of", "thermostat-fw@2.3.1"]);
        var published = await site.OtaAsync("release", "publish", "thermostat-fw@2.5.0", "--file", twin, "--hardware", "thermo-a1", "--security-counter", "99", "--twin-of", "thermostat-fw@2.3.1");

        await site.StartFirmwareAsync(0);
        var sheet = await site.UndoSheetAsync("firmware");
        await site.UntilAsync("firmware", RolloutState.RolledBack, Limit);
        await site.Iot!.AllRunAsync("2.3.1", Devices);
        var (code, said) = await site.ShellAsync("aws iot list-jobs --query 'jobs[].jobId' --output text; aws iot get-job-document --job-id $(aws iot list-jobs --query \"jobs[?contains(jobId,'-r-')].jobId | [0]\" --output text) --output text");
        Assert.True(code == 0, said);
        Assert.Matches(@"AFR_OTA-ota-\w+-firmware-\w+-u-0-1", said);
        Assert.Contains(published.GetProperty("firmware").GetProperty("signature").GetString()!, said, StringComparison.Ordinal);
        (code, said) = await site.ShellAsync(string.Join("\n", sheet.Commands.Select(command => command.Command + " || exit 9")));
        Assert.True(code == 0, said);

        // They have the twin now, and take nothing below it: that is said before anybody is asked to.
        foreach (var (version, of) in ((string, string[])[])[("2.4.5", []), ("2.6.0", ["--twin-of", "thermostat-fw@2.3.1"])])
        {
            await site.OtaAsync(["release", "publish", $"thermostat-fw@{version}", "--file", twin, "--hardware", "thermo-a1", "--security-counter", "99", .. of]);
        }

        File.Delete(twin);
        refused = await site.StartFirmwareAsync("2.4.5", 8);
        Assert.Contains("not above 2.5.0: rollout firmware brought it on the way back to thermostat-fw@2.3.1", refused.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        await site.CleanAsync();
    }

    [Fact]
    [Trait("Gate", "Full")]
    public async Task Ill_firmware_on_devices_takes_the_function_back_too()
    {
        await using var site = await CloudSite.StartAsync(Devices);
        var before = await site.ServesAsync();
        await site.LoadAsync(errors: 0);
        await site.StartBothAsync("autumn", "2.4.4");
        await site.UntilAsync("autumn", RolloutState.RolledBack, Limit);
        await site.Iot!.AllRunAsync("2.3.1", Devices);
        Assert.Equal(before, await site.ServesAsync());
        await site.CleanAsync();
    }
}
