using System.Diagnostics;
using System.Text.Json;
using Amazon.IoT.Model;

namespace OtaOrchestrator.Agent.Tests;

public sealed class FleetProgramTests
{
    [Fact]
    public async Task The_fleet_program_enrols_updates_ends_on_a_signal_and_remembers()
    {
        const int Devices = 25;
        await using var bench = await FleetBench.StartAsync();
        var files = await FilesAsync(bench);
        using (var fleet = Start(Arguments(bench, files, Devices)))
        {
            Assert.Equal(Devices, (await EventAsync(fleet, "ready")).GetProperty("devices").GetInt32());
            Assert.Equal(Devices, await CountAsync(bench, "thermostat-fw@2.3.1"));

            // One job for the whole group.
            string document = "";
            await bench.OfferAsync(FleetBench.Sample("2.4.0"), "nobody-yet", o =>
            {
                document = o.ToDocument().ToJson();
                return o;
            }, send: false);
            await bench.IoT.CreateJobAsync(new CreateJobRequest { JobId = "all", Targets = ["arn:aws:iot:local-1:000000000000:thinggroup/thermostats"], Document = document });
            await Wait.UntilAsync(async () => await CountAsync(bench, "thermostat-fw@2.4.0") == Devices, () => "not all devices took the update");
            await EndAsync(fleet);
        }
        using (var again = Start(Arguments(bench, files, Devices)))
        {
            await EventAsync(again, "ready");
            Assert.Equal(Devices, await CountAsync(bench, "thermostat-fw@2.4.0"));
            Assert.Equal(Devices, (await bench.Plane.SnapshotAsync()).Things.Count);
            await EndAsync(again);
        }
    }

    [Theory]
    [InlineData("--devices", "0")]
    [InlineData("--devices", "999999")]
    [InlineData("--mqtt", "localhost")]
    [InlineData("--check-in", "soon")]
    [InlineData("--offline-share", "2")]
    [InlineData("--initial-image", "/nowhere")]
    public async Task Bad_arguments_are_refused_by_name(string name, string value)
    {
        await using var bench = await FleetBench.StartAsync();
        var arguments = Arguments(bench, await FilesAsync(bench), 1);
        arguments[arguments.IndexOf(name) + 1] = value;
        using var fleet = Start(arguments);
        var error = await fleet.StandardError.ReadToEndAsync();
        await fleet.WaitForExitAsync();
        Assert.NotEqual(0, fleet.ExitCode);
        Assert.Contains(name == "--initial-image" ? value : name, error, StringComparison.Ordinal);
    }

    private static async Task<int> CountAsync(FleetBench bench, string release) =>
        (await bench.Plane.SnapshotAsync()).Things.Count(t => t.Shadows.TryGetValue("ota", out var ota) && ota.TryGetProperty("release", out var value) && value.GetString() == release);

    private static async Task<string> FilesAsync(FleetBench bench)
    {
        string folder = Directory.CreateDirectory(Path.Combine(bench.Directory, "claim")).FullName;
        var claim = await bench.Plane.IssueClaimAsync(FleetBench.Fleet);
        await File.WriteAllTextAsync(Path.Combine(folder, "ca.crt"), bench.ServerCertificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder, "claim.crt"), claim.CertificatePem);
        await File.WriteAllTextAsync(Path.Combine(folder, "claim.key"), claim.PrivateKeyPem);
        await File.WriteAllTextAsync(Path.Combine(folder, "release.pem"), bench.ReleaseKey.Public.ToPem());
        return folder;
    }

    private static List<string> Arguments(FleetBench bench, string files, int devices) =>
    [
        "fleet", "--devices", $"{devices}", "--fleet", FleetBench.Fleet, "--state", Path.Combine(bench.Directory, "devices"), "--mqtt", $"localhost:{bench.Plane.MqttEndpoint.Port}",
        "--ca", Path.Combine(files, "ca.crt"), "--claim-cert", Path.Combine(files, "claim.crt"), "--claim-key", Path.Combine(files, "claim.key"),
        "--release-key", Path.Combine(files, "release.pem"), "--initial-image", FleetBench.Sample("2.3.1"), "--check-in", "500ms", "--offline-share", "0", "--json",
    ];

    private static Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "ota-sim.dll") }.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }
        return Process.Start(start)!;
    }

    private static async Task<JsonElement> EventAsync(Process fleet, string name)
    {
        using var patience = new CancellationTokenSource(FleetBench.Patience, TimeProvider.System);
        while (await fleet.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            var json = JsonElement.Parse(line);
            if (json.GetProperty("event").GetString() == name)
            {
                return json;
            }
        }
        Assert.Fail($"the fleet ended without '{name}': {await fleet.StandardError.ReadToEndAsync(patience.Token)}");
        return default;
    }

    private static async Task EndAsync(Process fleet)
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{fleet.Id}"]))
        {
            await kill.WaitForExitAsync();
        }
        await EventAsync(fleet, "stopped");
        using var patience = new CancellationTokenSource(FleetBench.Patience, TimeProvider.System);
        await fleet.WaitForExitAsync(patience.Token);
        Assert.Equal(0, fleet.ExitCode);
    }
}
