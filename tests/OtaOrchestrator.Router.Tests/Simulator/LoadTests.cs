using System.Text.Json.Nodes;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests.Simulator;

/// <summary>The demo's back end and load, as the processes that the demo starts.</summary>
public sealed class LoadTests : IDisposable
{
    private readonly Pki _pki = new();

    public void Dispose() => _pki.Dispose();

    [Theory]
    [InlineData("1.1")]
    [InlineData("2")]
    public async Task A_load_counts_what_was_answered_and_by_which_version(string http)
    {
        await using var backend = Backend();
        string url = (string)JsonNode.Parse(await backend.LineAsync())!["url"]!;
        string report = Path.Combine(_pki.Folder, $"report-{http}.json");
        await using var load = Load(url, "--rate", "100", "--duration", "2s", "--http", http, "--report", report);
        var last = JsonNode.Parse(await load.LineAsync())!;
        Assert.Equal(0, await load.ExitAsync());
        Assert.True((bool)last["complete"]!);
        Assert.Equal(0, (long)last["failed"]!);
        Assert.InRange((long)last["requests"]!, 200, 260);
        Assert.Equal((long)last["requests"]!, (long)last["versions"]!["5.0.3"]!);
        Assert.True(JsonNode.DeepEquals(last, JsonNode.Parse(await File.ReadAllTextAsync(report))));
    }

    [Fact]
    public async Task Every_answer_but_2xx_is_a_failure_with_its_cause()
    {
        await using var backend = Backend("--error-rate", "1");
        string url = (string)JsonNode.Parse(await backend.LineAsync())!["url"]!;
        await using var load = Load(url, "--rate", "50", "--duration", "1s");
        var last = JsonNode.Parse(await load.LineAsync())!;
        Assert.Equal((long)last["requests"]!, (long)last["failed"]!);
        Assert.Equal((long)last["requests"]!, (long)last["failures"]!["status 500"]!);
    }

    [Fact]
    public async Task A_failure_that_the_back_end_was_told_to_show_says_so_and_any_other_does_not()
    {
        await using var backend = Backend("--error-rate", "0.5");
        string url = (string)JsonNode.Parse(await backend.LineAsync())!["url"]!;
        string log = Path.Combine(_pki.Folder, "meant.requests");
        await using var load = Load(url, "--rate", "100", "--duration", "2s", "--log", log);
        var last = JsonNode.Parse(await load.LineAsync())!;
        Assert.Equal(0, await load.ExitAsync());
        Assert.InRange((long)last["onPurpose"]!, 1, (long)last["requests"]! - 1);
        Assert.Equal((long)last["failed"]!, (long)last["onPurpose"]!);
        var lines = (await File.ReadAllLinesAsync(log)).Select(line => line.Split(' ', 3)[2]).ToLookup(ending => ending);
        Assert.Equal(["answered 5.0.3", "on-purpose 5.0.3"], lines.Select(ending => ending.Key).Order(StringComparer.Ordinal));
        Assert.Equal(((long)last["onPurpose"]!, (long)last["requests"]!), (lines["on-purpose 5.0.3"].LongCount(), lines.Sum(ending => ending.LongCount())));

        string lost = Path.Combine(_pki.Folder, "lost.requests");
        await using var nowhere = Load(url + "/no", "--rate", "20", "--duration", "1s", "--log", lost);
        var none = JsonNode.Parse(await nowhere.LineAsync())!;
        Assert.Equal(((long)none["requests"]!, 0), ((long)none["failed"]!, (long)none["onPurpose"]!));
        Assert.All(await File.ReadAllLinesAsync(lost), line => Assert.EndsWith(" failed status 404", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_slow_answer_takes_the_time_that_was_asked_for()
    {
        await using var backend = Backend();
        string url = (string)JsonNode.Parse(await backend.LineAsync())!["url"]!;
        await using var load = SimulatorProcess.Start("load", "--url", url + "/api/history?ms=1000", "--ca", _pki.AuthorityFile, "--rate", "10", "--duration", "1s");
        var last = JsonNode.Parse(await load.LineAsync())!;
        Assert.Equal((0, (long)last["requests"]!), ((long)last["failed"]!, (long)last["versions"]!["5.0.3"]!));
        Assert.True((double)last["latencyMs"]!["p50"]! >= 900, last.ToJsonString());
    }

    [Fact]
    public async Task Slow_answers_do_not_slow_the_load_and_time_out_as_failures()
    {
        await using var backend = Backend("--latency-ms", "20000");
        string url = (string)JsonNode.Parse(await backend.LineAsync())!["url"]!;
        await using var load = Load(url, "--rate", "50", "--duration", "2s", "--timeout", "1s");
        var last = JsonNode.Parse(await load.LineAsync())!;
        Assert.InRange((long)last["requests"]!, 100, 140);
        Assert.Equal((long)last["requests"]!, (long)last["failures"]!["timeout"]!);
    }

    [Fact]
    public async Task A_back_end_that_is_not_there_fails_every_request()
    {
        await using var load = Load("https://127.0.0.1:1", "--rate", "20", "--duration", "1s");
        var last = JsonNode.Parse(await load.LineAsync())!;
        Assert.Equal(0, await load.ExitAsync());
        Assert.True((long)last["requests"]! >= 20);
        Assert.Equal((long)last["requests"]!, (long)last["failed"]!);
    }

    [Fact]
    public async Task Both_end_in_order_when_told_to_and_nothing_is_lost()
    {
        await using var backend = Backend("--latency-ms", "300");
        string url = (string)JsonNode.Parse(await backend.LineAsync())!["url"]!;
        string report = Path.Combine(_pki.Folder, "report.json");
        await using var load = Load(url, "--rate", "100", "--report", report);
        await TestRouter.UntilAsync(async () => File.Exists(report) && (long)JsonNode.Parse(await File.ReadAllTextAsync(report))!["requests"]! > 50, "a report while it runs");
        Assert.False((bool)JsonNode.Parse(await File.ReadAllTextAsync(report))!["complete"]!);
        load.Terminate();
        var last = JsonNode.Parse(await load.LineAsync())!;
        Assert.Equal(0, await load.ExitAsync());
        Assert.True((bool)last["complete"]!);
        Assert.Equal((0, 0), ((long)last["failed"]!, (long)last["inFlight"]!));
        backend.Terminate();
        Assert.Equal(0, await backend.ExitAsync());
    }

    [Fact]
    public async Task A_wrong_option_is_told()
    {
        await using var load = Load("http://127.0.0.1:1", "--rate", "0", "--duration", "soon");
        Assert.NotEqual(0, await load.ExitAsync());
        string errors = await load.Errors;
        Assert.Contains("--url", errors, StringComparison.Ordinal);
        Assert.Contains("--rate", errors, StringComparison.Ordinal);
        Assert.Contains("'soon'", errors, StringComparison.Ordinal);
    }

    private SimulatorProcess Backend(params string[] more) =>
        SimulatorProcess.Start(["backend", "--version", "5.0.3", "--listen", "https://127.0.0.1:0", "--cert", _pki.Server.CertificateFile, "--key", _pki.Server.KeyFile, .. more]);

    private SimulatorProcess Load(string url, params string[] more) =>
        SimulatorProcess.Start(["load", "--url", url + "/api/temperature", "--ca", _pki.AuthorityFile, .. more]);
}
