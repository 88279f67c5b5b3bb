using System.Text.Json;
using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>The way back, tried on the real router and on real devices, while everybody else goes on as if nothing were.</summary>
[Collection(Site.OneAtATime)]
public sealed class RehearsalTests
{
    private const int RolledBack = 9;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    [Trait("Gate", "Full")]
    public async Task A_rehearsal_sends_probes_and_lab_devices_there_and_back_and_nobody_else()
    {
        await using var site = await Site.StartAsync(5);
        var lab = (await site.CallAsync(c => c.Devices.ListDevicesAsync(new() { Parent = Site.Environment }))).Devices.Take(2).Select(device => device.Name.Split('/')[^1]).ToList();
        await site.CallAsync(c => c.Devices.GroupDevicesAsync(new() { Parent = Site.Environment, Target = Site.Fleet, Group = "lab", Devices = { lab } }));

        var backend = await RehearseAsync(site, 0, Site.Api, "--probe", "/healthz");
        Assert.Contains("probe", backend.GetProperty("lanes")[0].GetProperty("judgement").ToString(), StringComparison.Ordinal);
        var (release, route) = await site.ServesAsync();
        Assert.True(release == $"{Site.Api}@{Site.ApiOld}", route);
        Assert.DoesNotContain($"\"{Site.ApiNew}\"", site.Load().Text, StringComparison.Ordinal);

        // What does not answer is not shown to work.
        var bad = await RehearseAsync(site, RolledBack, Site.Api, "--probe", "/nowhere");
        Assert.Contains("404", bad.GetProperty("cause").GetString(), StringComparison.Ordinal);

        var fleet = await RehearseAsync(site, 0, Site.Fleet);
        Assert.Equal("ROLLOUT_STATE_ROLLED_BACK", fleet.GetProperty("state").GetString());
        await site.AllRunAsync(Site.FirmwareOld, Limit, () => fleet.ToString());
        var devices = (await site.CallAsync(c => c.Devices.ListDevicesAsync(new() { Parent = Site.Environment }))).Devices;
        // Who was there says so: it came back by a return of its own.
        Assert.Equal(lab.Order(), devices.Where(device => device.Job.Contains("-r-", StringComparison.Ordinal)).Select(device => device.Name.Split('/')[^1]).Order());
        foreach (var target in (string[])[Site.Api, Site.Fleet])
        {
            var shown = await site.CallAsync(c => c.Rollouts.ListRolloutsAsync(new() { Parent = Site.Environment }));
            Assert.Contains(shown.Rollouts.SelectMany(rollout => rollout.WayBack.Rehearsals), rehearsal => rehearsal.Target == target && rehearsal.Took.ToTimeSpan() > TimeSpan.Zero);
        }
        await site.AgreesAsync(() => site.Server.Output);
        var (requests, failed, text) = site.Load();
        Assert.True(requests > 0 && failed == 0, text);
    }

    private static async Task<JsonElement> RehearseAsync(Site site, int expected, string target, params string[] more)
    {
        await using var ota = Child.Start(Programs.Cli, ["rollback", "--rehearse", target, "-e", "site", "--home", site.Home, "--json", .. more]);
        await ota.WaitAsync(Limit);
        Assert.True(ota.ExitCode == expected, ota.Output);
        return JsonDocument.Parse(string.Join('\n', ota.Written)).RootElement;
    }
}
