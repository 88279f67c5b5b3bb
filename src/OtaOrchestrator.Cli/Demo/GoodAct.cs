using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>Second act: back end, then firmware in waves; in the middle the server is killed and carries on.</summary>
internal static class GoodAct
{
    public static async Task<(GoodRollout Good, CrashReport Crash)> Play(Stage stage, DemoProgress progress, ServerEndpoint endpoint, CancellationToken cancellation)
    {
        progress.Begin($"rollout: {Cast.Api} {Cast.ApiOld} to {Cast.ApiNew}, then {Cast.Firmware} {Cast.FirmwareOld} to {Cast.FirmwareNew} in waves");
        var rollout = await Acts.Start(stage, Plans.Of("good-autumn", Cast.ApiNew, Cast.FirmwareNew, stage.Devices), cancellation);
        var middle = await Acts.Follow(stage, progress, rollout.Name, 0, r => InTheMiddle(r) || Acts.HasEnded(r), _ => { }, cancellation);
        if (!InTheMiddle(middle.Rollout))
        {
            throw new CliFailure(ExitCode.Failure, $"the rollout never came to its second wave: {Say.State(middle.Rollout.State)} {middle.Rollout.Cause}");
        }

        progress.Event($"kill -9 {stage.Server!.Id}: the server is gone, revision {middle.Rollout.Revision}");
        var before = await Journal(stage, rollout.Name, cancellation);
        await stage.Kill(stage.Server, cancellation);
        var restarted = await stage.StartServer(endpoint, cancellation);
        progress.Event("a new server serves on the same files");

        var last = await Acts.Follow(stage, progress, rollout.Name, 0, Acts.HasEnded, _ => { }, cancellation);
        var journal = await Journal(stage, rollout.Name, cancellation);
        var release = await stage.Api.Call((api, options) => api.Releases.GetReleaseAsync(new GetReleaseRequest { Name = $"releases/{Cast.Firmware}@{Cast.FirmwareNew}" }, options), cancellation);
        var onNew = await stage.Read(() => stage.Count($"digest=\"{release.Digest}\"", cancellation), n => n >= stage.Devices, TimeSpan.FromSeconds(20), cancellation);
        var crash = new CrashReport(
            last.Rollout.State == RolloutState.Succeeded && restarted.StartId != endpoint.StartId && before.Count > 0 && journal.Count > before.Count && Continues(before, journal),
            before.Count, journal.Count - before.Count);
        progress.Done($"{Say.State(last.Rollout.State)}: {onNew} of {stage.Devices} devices on {Cast.FirmwareNew}; journal {crash.EntriesBefore} entries before the crash, {crash.EntriesAfter} after");
        return (new GoodRollout(Say.State(last.Rollout.State), onNew), crash);
    }

    /// <summary>The second wave runs: some devices are done, most are not.</summary>
    private static bool InTheMiddle(Rollout rollout) =>
        rollout.Lanes.Any(lane => lane.Fleet is not null && lane is { Step: >= 1, State: RolloutState.Exposing or RolloutState.Baking } && lane.Fleet.Confirmed < lane.Fleet.Devices);

    internal static async Task<IReadOnlyList<JournalEntry>> Journal(Stage stage, string name, CancellationToken cancellation) =>
        [.. (await Commands.RolloutJournalCommand.Read(stage.Api, name, 0, cancellation)).Entries];

    /// <summary>What was written before the crash is there unchanged, and the rest follows without a gap.</summary>
    internal static bool Continues(IReadOnlyList<JournalEntry> before, IReadOnlyList<JournalEntry> after) =>
        before.Zip(after).All(pair => pair.First.CanonicalSha256 == pair.Second.CanonicalSha256 && pair.First.Revision == pair.Second.Revision)
        && after.Zip(after.Skip(1)).All(pair => pair.Second.Revision == pair.First.Revision + 1);
}
