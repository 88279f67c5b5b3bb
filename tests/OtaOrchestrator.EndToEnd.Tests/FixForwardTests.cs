using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>A fix that goes forward from firmware which real devices run already.</summary>
[Collection(Site.OneAtATime)]
public sealed class FixForwardTests
{
    private const string Broken = "2.5.0";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Devices_with_the_broken_firmware_get_the_fix_first_and_come_back_with_it()
    {
        await using var site = await Site.StartAsync(8);
        var image = new FileInfo(Programs.Sample($"{Site.Firmware}-{Broken}-unhealthy.img"));
        await site.Connection.PublishAsync(new Release { Name = $"releases/{Site.Firmware}@{Broken}", Firmware = new FirmwareRelease { Size = image.Length, Fleet = Site.Fleet } }, image);

        var broken = await CreateAsync(site, "broken", Broken, supersede: false);
        await site.UntilAsync(broken.Name, RolloutState.Paused, Limit);
        var reached = await RunAsync(site, Broken);
        Assert.NotEmpty(reached);

        var fix = await CreateAsync(site, "fix", Site.FirmwareNew, supersede: true);
        Assert.Equal((broken.Name, $"{Site.Firmware}@{Site.FirmwareOld}"), (fix.Supersedes, fix.Lanes[0].Fallback));
        Assert.Equal(RolloutState.Superseded, (await site.CallAsync(c => c.Rollouts.GetRolloutAsync(new() { Name = broken.Name }))).State);
        await site.UntilAsync(fix.Name, RolloutState.AwaitingPromotion, Limit);
        Assert.Equal(reached, await RunAsync(site, Site.FirmwareNew));
        Assert.Empty(await RunAsync(site, Broken));

        await site.CallAsync(c => c.Rollouts.RollbackRolloutAsync(new() { Name = fix.Name, RequestId = Guid.NewGuid().ToString() }));
        await site.UntilAsync(fix.Name, RolloutState.RolledBack, Limit);
        await site.AllRunAsync(Site.FirmwareOld, Limit, () => site.Server.Output);
        await site.AgreesAsync(() => site.Server.Output);
    }

    private static async Task<Rollout> CreateAsync(Site site, string name, string version, bool supersede)
    {
        var plan = Plan.Parser.ParseJson(
            $$"""
            {
              "apiVersion": "ota/v1", "kind": "Plan", "name": "{{name}}",
              "lanes": [
                { "name": "firmware", "target": "{{Site.Fleet}}", "release": "{{Site.Firmware}}@{{version}}", "observeFor": "1s",
                  "steps": [ { "share": 0.5, "bakeMin": "1s", "pause": true }, { "share": 1, "bakeMin": "1s" } ],
                  "checks": [ { "name": "health", "source": "devices", "failuresMax": 0.05, "silentAfter": "60s", "interval": "0.2s" } ] }
              ],
              "judge": { "unhealthy": "freeze" },
              "rollback": { "untilAfter": "86400s", "shares": [ 1 ], "undoWait": "60s" }
            }
            """);
        var request = new CreateRolloutRequest { Parent = Site.Environment, RolloutId = name, Plan = plan, Supersede = supersede, RequestId = Guid.NewGuid().ToString() };
        return await site.CallAsync(c => c.Rollouts.CreateRolloutAsync(request));
    }

    private static async Task<List<string>> RunAsync(Site site, string version) =>
        [.. (await site.CallAsync(c => c.Devices.ListDevicesAsync(new() { Parent = Site.Environment }))).Devices
            .Where(device => device.Release == $"{Site.Firmware}@{version}").Select(device => device.Name).Order(StringComparer.Ordinal)];
}
