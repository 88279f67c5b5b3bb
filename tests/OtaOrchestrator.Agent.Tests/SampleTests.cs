using System.Security.Cryptography;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Updates;
using OtaOrchestrator.Simulator.Fleet;
using OtaOrchestrator.Tools.FirmwareSamples;

namespace OtaOrchestrator.Agent.Tests;

/// <summary>Holds <c>firmware-samples/README.md</c> to what really happens.</summary>
public sealed class SampleTests
{
    private static readonly string s_folder = Path.Combine(AppContext.BaseDirectory, "firmware-samples");

    public static TheoryData<string, string, long, string, string> Rows()
    {
        var rows = new TheoryData<string, string, long, string, string>();
        foreach (var cells in File.ReadLines(Path.Combine(s_folder, "README.md")).Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries)))
        {
            rows.Add(cells[1].Trim('`'), cells[2], long.Parse(cells[3], System.Globalization.CultureInfo.InvariantCulture), cells[4], cells[6]);
        }
        return rows;
    }

    [Fact]
    public void The_table_has_a_row_for_each_image_and_the_generator_makes_each_again()
    {
        var onDisk = Directory.GetFiles(s_folder, "*.img").Select(file => Path.GetFileName(file)!).Order().ToList();
        Assert.Equal(Sample.All.Select(sample => sample.FileName).Order(), onDisk);
        Assert.Equal(onDisk, Rows().Select(row => row.Data.Item1).Order());
        Assert.All(Sample.All, sample => Assert.Equal(Convert.ToHexString(File.ReadAllBytes(Path.Combine(s_folder, sample.FileName))), Convert.ToHexString(sample.ToImage())));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_sample_leads_to_what_the_readme_says(string file, string version, long counter, string hardware, string outcome)
    {
        var path = Path.Combine(s_folder, file);
        byte[] image = await File.ReadAllBytesAsync(path);
        var header = FirmwareImage.Header(image)!;
        Assert.Equal((version, counter, hardware), (header.Version, header.SecurityCounter, string.Join(',', header.HardwareIds)));

        await using var bench = await FleetBench.StartAsync();
        var behaviour = ImageBehaviour.Read(path);
        await using var server = behaviour.ServedBytes is { } until ? await StallingServer.StartAsync(bench, (context, _) => StallingServer.SendThenStallAsync(context, image, (int)until)) : null;
        var device = (await bench.DeviceAsync("0001", o => o with { ConfirmTimeout = TimeSpan.FromSeconds(6), StallTimeout = TimeSpan.FromMilliseconds(400), DownloadAttempts = 3 })).Start();
        await bench.ReportAsync(device.Thing, s => s.GetProperty("release").GetString() == "thermostat-fw@2.3.1");

        var job = await bench.OfferAsync(path, device.Thing, offer => server is not null ? offer with { Url = server.Url }
            : file.Contains("tampered", StringComparison.Ordinal) ? Smuggled(offer, image) : offer);
        var report = await bench.OutcomeAsync(device.Thing, job);

        var told = report.GetProperty("job");
        var reason = told.TryGetProperty("reason", out var code) ? " " + code.GetString() : "";
        Assert.Equal(outcome, told.GetProperty("outcome").GetString() + reason);
        string runs = outcome == "confirmed" ? version : "2.3.1";
        Assert.Equal("thermostat-fw@" + runs, report.GetProperty("release").GetString());
        Assert.Equal(runs, device.Agent.Store.Current[device.Agent.Store.Current.Active]!.Version);
        string expected = outcome.Split(' ')[0] switch { "confirmed" or "nothing" => "SUCCEEDED", "refused" => "REJECTED", _ => "FAILED" };
        Assert.Equal(expected, await bench.StatusAsync(job, device.Thing));
        if (behaviour.UnhealthyAfterSeconds is not null)
        {
            report = await bench.ReportAsync(device.Thing, s => s.GetProperty("health").GetString() == "unhealthy");
            Assert.Equal("confirmed", report.GetProperty("job").GetProperty("outcome").GetString());
            Assert.Equal(behaviour.HealthReason, report.GetProperty("healthReason").GetString());
        }
        else
        {
            Assert.Equal("healthy", report.GetProperty("health").GetString());
        }
    }

    /// <summary>Smuggled: what is signed is the image as it was made, what is served under its digest is the tampered one.</summary>
    private static Offer Smuggled(Offer offer, byte[] tampered)
    {
        var sample = Sample.All.Single(s => s.FlippedByte is not null);
        byte[] original = (sample with { FlippedByte = null }).ToImage();
        Assert.NotEqual(original, tampered);
        return offer with { Manifest = offer.Manifest with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(original)) } };
    }
}
