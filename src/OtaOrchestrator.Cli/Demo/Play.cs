using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>The whole story, act by act.</summary>
internal static class Play
{
    public static async Task<DemoReport> Run(Stage stage, DemoProgress progress, bool keep, CancellationToken cancellation)
    {
        var endpoint = await Installation.Build(stage, progress, cancellation);
        var (good, crash) = await GoodAct.Play(stage, progress, endpoint, cancellation);
        var (bad, firstWave) = await BadAct.Play(stage, progress, cancellation);
        var tampered = await AttackAct.Tampered(stage, progress, cancellation);
        var forged = await AttackAct.Forged(stage, progress, ServerEndpoint.Read(stage.Home) ?? endpoint, cancellation);
        if (!keep)
        {
            // The last word of the load generator: it finishes what is under way and writes its report.
            await stage.Load!.Stop(TimeSpan.FromSeconds(10));
        }
        var load = LoadReport.Read(stage.LoadFile);
        var report = new DemoReport
        {
            Devices = stage.Devices,
            FirstWave = firstWave,
            Good = good,
            Bad = bad,
            Requests = load?.Requests ?? 0,
            FailedRequests = load?.Failed ?? 0,
            Tampered = tampered,
            Forged = forged,
            Crash = crash,
            Seconds = Math.Round(progress.Elapsed.TotalSeconds, 1),
        };
        return report with { Findings = [.. report.Check()] };
    }

    public static IEnumerable<string> Summary(DemoReport report)
    {
        yield return "";
        yield return $"requests  {Say.Count(report.Requests)}, failed {Say.Count(report.FailedRequests)}";
        yield return $"devices   {Say.Count(report.Devices)}; good: {Say.Count(report.Good?.DevicesOnNew ?? 0)} on new; bad: {Say.Count(report.Bad?.DevicesThatTookIt ?? 0)} took it, {Say.Count(report.Bad?.DevicesOnOld ?? 0)} back";
        foreach (var finding in report.Findings)
        {
            yield return Terminal.Clean("[NG] " + finding);
        }
        yield return report.Findings.Count == 0 ? $"[OK] all as it should be, {report.Seconds:0.0} s" : $"{Say.Plural(report.Findings.Count, "finding")}, {report.Seconds:0.0} s";
    }
}
