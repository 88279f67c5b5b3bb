using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Agent.Tests;

public sealed class UpdateTests
{
    [Fact]
    public async Task A_device_enrols_takes_an_update_confirms_and_returns_without_a_download()
    {
        await using var bench = await FleetBench.StartAsync();
        var device = (await bench.DeviceAsync("0001")).Start();
        await bench.ReportAsync(device.Thing, s => s.GetProperty("release").GetString() == "thermostat-fw@2.3.1");

        var update = await bench.OfferAsync(FleetBench.Sample("2.4.0"), device.Thing);
        var report = await bench.OutcomeAsync(device.Thing, update);
        Assert.Equal("confirmed", report.GetProperty("job").GetProperty("outcome").GetString());
        Assert.Equal("thermostat-fw@2.4.0", report.GetProperty("release").GetString());
        Assert.Equal("thermostat-fw@2.3.1", report.GetProperty("previous").GetString());
        Assert.Equal("healthy", report.GetProperty("health").GetString());
        Assert.Equal("B", report.GetProperty("slot").GetString());
        Assert.Equal("SUCCEEDED", await bench.StatusAsync(update, device.Thing));
        var package = await bench.ReportAsync(device.Thing, _ => true, "$package");
        Assert.Equal("2.4.0", package.GetProperty("thermostat-fw").GetProperty("version").GetString());

        // Its image is gone from the server, so it can only come from the other slot.
        foreach (var file in Directory.GetFiles(bench.FirmwareRoot))
        {
            File.Delete(file);
        }
        var candidate = report.GetProperty("digest").GetString();
        var back = await bench.OfferAsync(FleetBench.Sample("2.3.1"), device.Thing, o =>
        {
            File.Delete(Path.Combine(bench.FirmwareRoot, o.Manifest.Sha256));
            return o with { Operation = UpdateOperation.Return, Candidates = ["sha256:" + new string('e', 64), candidate!] };
        });
        report = await bench.OutcomeAsync(device.Thing, back);
        Assert.Equal("confirmed", report.GetProperty("job").GetProperty("outcome").GetString());
        Assert.Equal("thermostat-fw@2.3.1", report.GetProperty("release").GetString());
        Assert.Equal("SUCCEEDED", await bench.StatusAsync(back, device.Thing));
    }
}
