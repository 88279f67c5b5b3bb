using System.Text.Json.Nodes;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests.Simulator;

/// <summary>The gRPC stream of the demo's load, against its back end.</summary>
public sealed class StreamProgramTests : IDisposable
{
    private readonly Pki _pki = new();

    public void Dispose() => _pki.Dispose();

    [Fact]
    public async Task One_stream_follows_another_and_leaving_the_last_one_is_no_failure()
    {
        await using var backend = Backend();
        string url = (string)JsonNode.Parse(await backend.LineAsync())!["url"]!;
        string report = Path.Combine(_pki.Folder, "stream.json");
        await using var stream = Stream(url, "--length", "500ms", "--report", report);
        await TestRouter.UntilAsync(async () => File.Exists(report) && (long)JsonNode.Parse(await File.ReadAllTextAsync(report))!["requests"]! >= 2, "two streams have ended");
        stream.Terminate();
        var last = JsonNode.Parse(await stream.LineAsync())!;
        Assert.Equal(0, await stream.ExitAsync());
        Assert.True((bool)last["complete"]!);
        Assert.Equal((0, 0), ((long)last["failed"]!, (long)last["inFlight"]!));
        Assert.Equal((long)last["requests"]!, (long)last["versions"]!["5.0.3"]!);
        backend.Terminate();
        Assert.Equal(0, await backend.ExitAsync());
    }

    [Fact]
    public async Task A_stream_that_is_cut_off_is_a_failure()
    {
        string report = Path.Combine(_pki.Folder, "cut.json");
        await using var backend = Backend();
        string url = (string)JsonNode.Parse(await backend.LineAsync())!["url"]!;
        await using var stream = Stream(url, "--length", "60s", "--report", report);
        await TestRouter.UntilAsync(async () => File.Exists(report) && (long)JsonNode.Parse(await File.ReadAllTextAsync(report))!["inFlight"]! == 1, "a stream is open");
        await backend.KillAsync();
        await TestRouter.UntilAsync(async () => (long)JsonNode.Parse(await File.ReadAllTextAsync(report))!["failed"]! > 0, "its end is told");
        stream.Terminate();
        var last = JsonNode.Parse(await stream.LineAsync())!;
        Assert.NotEmpty(last["failures"]!.AsObject());
        Assert.Equal(0, (long)last["onPurpose"]!);
    }

    private SimulatorProcess Backend() =>
        SimulatorProcess.Start("backend", "--version", "5.0.3", "--listen", "https://127.0.0.1:0", "--cert", _pki.Server.CertificateFile, "--key", _pki.Server.KeyFile);

    private SimulatorProcess Stream(string url, params string[] more) => SimulatorProcess.Start(["stream", "--url", url, "--ca", _pki.AuthorityFile, .. more]);
}
