using System.Globalization;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>Third act: firmware that passes its self-test, confirms, and only then reports bad health. It has to come back by itself, and the back end with it.</summary>
internal static class BadAct
{
    private const int RequestsToTrust = 50;
    private const int WindowsMax = 3;

    public static async Task<(BadRollout Bad, long FirstWave)> Play(Stage stage, DemoProgress progress, CancellationToken cancellation)
    {
        progress.Begin($"bad rollout: {Cast.Api} to {Cast.ApiNext}, then {Cast.Firmware} {Cast.FirmwareBad}, which falls ill after it was confirmed");
        var rollout = await Acts.Start(stage, Plans.Of("bad-winter", Cast.ApiNext, Cast.FirmwareBad, stage.Devices), cancellation);
        long firstWave = 0;
        var last = await Acts.Follow(stage, progress, rollout.Name, 0, Acts.HasEnded, now =>
        {
            // The size of the first wave, as long as it is the only one.
            if (now.Lanes.FirstOrDefault(lane => lane.Fleet is not null) is { Step: 0, Fleet.Offered: > 0 } lane)
            {
                firstWave = Math.Max(firstWave, lane.Fleet.Offered);
            }
        }, cancellation);

        var old = await Digest(stage, Cast.FirmwareNew, cancellation);
        var bad = await Digest(stage, Cast.FirmwareBad, cancellation);
        var onOld = await stage.Read(() => stage.Count($"digest=\"{old}\"", cancellation), n => n >= stage.Devices, TimeSpan.FromSeconds(20), cancellation);
        // Who runs it, or ran it before what it runs now, took it: the device says so itself.
        var took = (await stage.List("", cancellation)).Count(device => device.Digest == bad || device.Previous == $"{Cast.Firmware}@{Cast.FirmwareBad}");
        var restored = await BackendRestored(stage, cancellation);
        var seconds = SecondsToRestored(last);
        progress.Done($"{Say.State(last.Rollout.State)}: {took} devices took it (first wave {firstWave}), {onOld} of {stage.Devices} on {Cast.FirmwareNew}, back end {(restored ? "on " + Cast.ApiNew : "NOT restored")}, {seconds.ToString("0.0", CultureInfo.InvariantCulture)} s from verdict to restored");
        return (new BadRollout(Say.State(last.Rollout.State), took, onOld, restored, Math.Round(seconds, 2)), firstWave);
    }

    /// <summary>From the entry that begins to take it back to the one that finds all of it restored; from the journal.</summary>
    internal static double SecondsToRestored(WatchRolloutResponse story)
    {
        var verdict = story.Entries.FirstOrDefault(entry => Word(entry.To) is "rollingback" or "awaitingundo" || Word(entry.Trigger) == "unhealthy");
        var restored = story.Entries.FirstOrDefault(entry => Word(entry.To) == "rolledback")?.Time ?? story.Rollout.Lanes.Select(lane => lane.RestoredTime).Where(time => time is not null).MaxBy(time => time.ToDateTimeOffset());
        return verdict?.Time is null || restored is null ? double.NaN : (restored.ToDateTimeOffset() - verdict.Time.ToDateTimeOffset()).TotalSeconds;
    }

    /// <summary>
    /// Who answers now: of a number of requests in a row none comes from the candidate. The report is written a few times a second, so the first window may still hold
    /// requests that were answered before the return; only a later one tells.
    /// </summary>
    private static async Task<bool> BackendRestored(Stage stage, CancellationToken cancellation)
    {
        for (int window = 0; window < WindowsMax; window++)
        {
            var before = LoadReport.Read(stage.LoadFile);
            var after = await stage.Read(() => Task.FromResult(LoadReport.Read(stage.LoadFile)), now => now?.Requests >= before?.Requests + RequestsToTrust, TimeSpan.FromSeconds(10), cancellation);
            if (before is not null && after is not null
                && after.Of(Cast.ApiNew) - before.Of(Cast.ApiNew) >= RequestsToTrust * 9 / 10
                && after.Of(Cast.ApiNext) == before.Of(Cast.ApiNext) && after.Of(Cast.ApiOld) == before.Of(Cast.ApiOld))
            {
                return true;
            }
        }
        return false;
    }

    private static async Task<string> Digest(Stage stage, string version, CancellationToken cancellation) =>
        (await stage.Api.Call((api, options) => api.Releases.GetReleaseAsync(new GetReleaseRequest { Name = $"releases/{Cast.Firmware}@{version}" }, options), cancellation)).Digest;

    // ROLLING_BACK, RollingBack, rolling back: the same word.
    internal static string Word(string text) => string.Concat(text.Replace("ROLLOUT_STATE_", "", StringComparison.Ordinal).Where(char.IsLetter).Select(char.ToLowerInvariant));
}
