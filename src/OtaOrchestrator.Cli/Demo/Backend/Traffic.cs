using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Cli.Programs;

namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>The scenario's load: many short requests at a constant rate, a few that take long, and a gRPC stream, each from a program of its own.</summary>
internal sealed class Traffic
{
    private const int RequestsPerSecond = 1000;
    private const int SlowRequestsPerSecond = 5;
    private const int SlowRequestMs = 2000;

    /// <summary>Of one stream; when it has ended the next one begins.</summary>
    public static readonly TimeSpan StreamLength = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(15);
    private static readonly string[] Names = ["load", "slow", "stream"];

    private readonly Stage _stage;

    private Traffic(Stage stage) => _stage = stage;

    public static string Text => $"{RequestsPerSecond} requests/s, {SlowRequestsPerSecond}/s that take {SlowRequestMs / 1000} s, a gRPC stream";

    public static async Task<Traffic> Start(Stage stage, string url, CancellationToken cancellation)
    {
        var traffic = new Traffic(stage);
        traffic.Begin("load", "load", url + "/api/temperature", "--rate", Stage.Number(RequestsPerSecond));
        traffic.Begin("slow", "load", $"{url}/api/history?ms={SlowRequestMs}", "--rate", Stage.Number(SlowRequestsPerSecond));
        traffic.Begin("stream", "stream", url, "--length", $"{StreamLength.TotalSeconds:0}s");
        await stage.Child("load").WaitUntil("answered", _ => Task.FromResult(traffic.Counted("load")?.Of(Cast.ApiOld) > 0), StartMax, cancellation);
        await stage.Child("slow").WaitUntil("answered", _ => Task.FromResult(traffic.Counted("slow")?.Of(Cast.ApiOld) > 0), StartMax, cancellation);
        return traffic;
    }

    /// <summary>Short requests that have ended so far.</summary>
    public LoadReport Now => Counted("load") ?? throw new CliFailure(ExitCode.Failure, "the load has no report");

    /// <summary>Failures of all kinds so far that no back end was told to show.</summary>
    public long Lost => Names.Sum(name => Counted(name)?.Lost ?? 0);

    /// <summary>Waits until so many more short requests were answered: time as users feel it.</summary>
    public async Task Served(long more, CancellationToken cancellation)
    {
        var before = Now.Requests;
        await _stage.Read(() => Task.FromResult(Now.Requests), now => now >= before + more, TimeSpan.FromSeconds((5.0 * more / RequestsPerSecond) + 10), cancellation);
    }

    /// <summary>Ends it all, without losing what is under way, and reads what became of each request.</summary>
    public async Task<TrafficStory> End()
    {
        await Task.WhenAll(Names.Select(name => _stage.Child(name).Stop(EndMax)));
        return new TrafficStory(Read("load"), Read("slow"), Read("stream"));
    }

    private IReadOnlyList<RequestRecord> Read(string name) => [.. RequestRecord.Read(LogFile(name))];

    private LoadReport? Counted(string name) => LoadReport.Read(ReportFile(name));

    private void Begin(string name, string command, string url, params string[] more) =>
        _stage.Start(name, ProgramFiles.Simulator, [command, "--url", url, "--ca", _stage.Home.ServerCa, "--report", ReportFile(name), "--log", LogFile(name), .. more]);

    private string ReportFile(string name) => _stage.InFolder(name + ".json");

    private string LogFile(string name) => _stage.InFolder(name + ".requests");
}

/// <summary>What became of every request.</summary>
internal sealed record TrafficStory(IReadOnlyList<RequestRecord> Short, IReadOnlyList<RequestRecord> Slow, IReadOnlyList<RequestRecord> Streams)
{
    public IEnumerable<RequestRecord> All => [.. Short, .. Slow, .. Streams];

    /// <summary>What a client saw fail for another reason than the candidate's own errors.</summary>
    public long Failed(Window? during = null) => All.Count(request => request.Ending == Ending.Failed && (during is not { } window || window.Overlaps(request)));

    public long Requests(Window during) => All.Count(during.Overlaps);

    public long OnPurpose(string version) => All.Count(request => request.Ending == Ending.OnPurpose && request.Told == version);

    /// <summary>Requests of users that were sent after this and still reached that version.</summary>
    public long ReachedAfter(string version, long ms) => Short.Concat(Slow).Count(request => request.Ending != Ending.Failed && request.Told == version && request.SentMs > ms);

    public IEnumerable<string> Causes => All.Where(request => request.Ending == Ending.Failed).GroupBy(request => request.Told, StringComparer.Ordinal).Select(cause => $"{Say.Count(cause.Count())} x {cause.Key}");
}
