using System.Globalization;
using OtaOrchestrator.Cli.Commands;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>The back end without downtime, act by act: there, back, and what goes wrong, under a load that counts every request.</summary>
internal static class BackendPlay
{
    private const double ErrorRate = 0.05;
    private const int SlowMs = 60;
    private const long RequestsToWarmUp = 2000;

    private static readonly string[] Generations = [Cast.ApiOld, Cast.ApiNew, Cast.ApiNext];

    // What is wrong with the bad candidates.
    private static readonly string[] Erring = ["--error-rate", ErrorRate.ToString(CultureInfo.InvariantCulture)];
    private static readonly string[] Slow = ["--latency-ms", Stage.Number(SlowMs)];

    public static async Task<BackendReport> Run(Stage stage, DemoProgress progress, CancellationToken cancellation)
    {
        progress.Begin("server, router, back ends, load");
        var endpoint = await stage.StartServer(null, cancellation);
        progress.Event($"server serves on {endpoint.Grpc}");
        var backends = await Task.WhenAll(Generations.Select(version => Parts.StartBackend(stage, version, cancellation)));
        var router = await Parts.StartRouter(stage, "router", backends[0], null, RouterUpgradeAct.Grace, cancellation);
        await Parts.CreateEnvironment(stage, cancellation);
        foreach (var (version, address) in Generations.Zip(backends))
        {
            await Parts.PublishBackend(stage, version, address, cancellation);
        }
        await Parts.CreateRoute(stage, router, cancellation);
        var traffic = await Traffic.Start(stage, router.Url, cancellation);
        // Programs that have just started compile what they run; that is no part of the story.
        await traffic.Served(RequestsToWarmUp, cancellation);
        progress.Done($"{Traffic.Text} on {Cast.Api} {Cast.ApiOld}");

        progress.Begin($"Blue-Green of {Cast.Api} {Cast.ApiNew}: tested with nobody on it, then everybody; and back");
        var there = await Told.Run(stage, progress, BackendPlans.BlueGreen(Cast.ApiNew), cancellation);
        var blueGreen = await Told.Back(stage, progress, there.Rollout.Name, "shown to go back", cancellation);
        progress.Done($"{there.State}, then {blueGreen.State}; {Lost(traffic)}");

        progress.Begin($"Canary of {Cast.Api} {Cast.ApiNew}: 5%, 25%, 100%");
        await Acts.Unhold(stage, Cast.ApiNew, cancellation);
        var canary = await Told.Run(stage, progress, BackendPlans.Canary(Cast.ApiNew), cancellation);
        progress.Done($"{canary.State}; {Lost(traffic)}");

        progress.Begin($"{Cast.Api} {Cast.ApiErring}, a candidate that fails {Say.Share(ErrorRate)} of its requests");
        using var supervisor = new Supervisor(stage, router);
        var (erring, erringEnded) = await Candidate(Cast.ApiErring, Erring, BackendPlans.Erring(Cast.ApiErring));
        progress.Done($"{erring.State}: {erring.Rollout.Cause}; {Lost(traffic)}");

        progress.Begin($"{Cast.Api} {Cast.ApiSlow}, a candidate that takes {SlowMs} ms longer");
        var (slow, slowEnded) = await Candidate(Cast.ApiSlow, Slow, BackendPlans.Slow(Cast.ApiSlow));
        progress.Done($"{slow.State}: {slow.Rollout.Cause}; {Lost(traffic)}");

        var (carried, loss, gone) = await ControllerLossAct.Play(stage, progress, traffic, endpoint, cancellation);
        var (returned, upgrade, during) = await RouterUpgradeAct.Play(stage, progress, carried, router, backends[0], cancellation);

        var story = await traffic.End();
        List<Window> switches = [.. ((Told[])[blueGreen, canary, erring, slow, returned]).SelectMany(Switches.Of)];
        var (switchingMs, quietMs) = Switches.P99(story.Short, switches, gone, during);
        var report = new BackendReport
        {
            Requests = story.All.Count(),
            Failed = story.Failed(),
            Causes = [.. story.Causes],
            SlowRequests = story.Slow.Count,
            Streams = story.Streams.Count,
            Switches = switches.Count,
            BlueGreen = new BlueGreen(there.State, blueGreen.State, blueGreen.SecondsToRestored),
            Canary = new Canary(canary.State),
            ErrorCandidate = new ErrorCandidate(erring.State, erring.Rollout.Cause, story.OnPurpose(Cast.ApiErring), erring.SecondsToRestored, Late(story, erring, Cast.ApiErring), erringEnded),
            SlowCandidate = new SlowCandidate(slow.State, slow.Rollout.Cause, slow.SecondsToRestored, Late(story, slow, Cast.ApiSlow), slowEnded),
            ControllerLoss = loss with { Requests = story.Requests(gone), Failed = story.Failed(gone) },
            RouterUpgrade = upgrade with { Requests = story.Requests(during), Failed = story.Failed(during) },
            P99RatioDuringSwitch = quietMs > 0 ? Round(switchingMs / quietMs) : null,
            P99MsDuringSwitch = Round(switchingMs),
            P99MsQuiet = Round(quietMs),
            Seconds = Math.Round(progress.Elapsed.TotalSeconds, 1),
        };
        return report with { Findings = [.. report.Check()] };

        // It runs for its own act alone.
        async Task<(Told Told, int ExitCode)> Candidate(string version, string[] faults, string plan)
        {
            var address = await supervisor.Start(version, faults, cancellation);
            progress.Event($"{version} is started, and well by HTTP and gRPC");
            await Parts.PublishBackend(stage, version, address, cancellation);
            var told = await Told.Run(stage, progress, plan, cancellation);
            var code = await supervisor.Stop(version, cancellation);
            progress.Event($"{version} was drained and has ended with {code}");
            return (told, code);
        }
    }

    public static IEnumerable<string> Summary(BackendReport report)
    {
        yield return "";
        yield return $"requests  {Say.Count(report.Requests)}, {Say.Count(report.SlowRequests)} slow ones and {Say.Plural(report.Streams, "stream")} among them; failed {Say.Count(report.Failed)}";
        yield return $"switches  {report.Switches}; p99 {Ms(report.P99MsDuringSwitch)} while switching, {Ms(report.P99MsQuiet)} otherwise";
        yield return $"errors    {report.ErrorCandidate?.ExposedErrors} of the bad candidate were seen; back {Seconds(report.ErrorCandidate?.SecondsToRestored)} after the verdict";
        yield return $"slow      {report.SlowCandidate?.State}; back {Seconds(report.SlowCandidate?.SecondsToRestored)} after the verdict";
        foreach (var finding in report.Findings)
        {
            yield return Terminal.Clean("[NG] " + finding);
        }
        yield return report.Findings.Count == 0 ? $"[OK] all as it should be, {report.Seconds:0.0} s" : $"{Say.Plural(report.Findings.Count, "finding")}, {report.Seconds:0.0} s";

        static string Ms(double? ms) => string.Create(CultureInfo.InvariantCulture, $"{ms:0.0} ms");
        static string Seconds(double? seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");
    }

    private static long Late(TrafficStory story, Told told, string version) => told.RestoredMs is { } ms ? story.ReachedAfter(version, ms) : 0;

    private static string Lost(Traffic traffic) => $"{Say.Count(traffic.Now.Requests)} requests so far, {Say.Count(traffic.Lost)} lost";

    private static double? Round(double? value) => value is { } number ? Math.Round(number, 2) : null;
}
