using System.Diagnostics;
using System.Globalization;
using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Benchmarks;

/// <summary>
/// <c>ota rollback</c> of a rollout of back end and fleet, on an installation of real parts under load: from Enter to ACCEPTED, and from there until the router serves the
/// old side alone, and until the last device has said that it was told.
/// </summary>
internal static class RollbackBenchmark
{
    private const int Devices = 40;
    private const int Rounds = 5;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    public static async Task<IReadOnlyList<Result>> RunAsync()
    {
        await using var site = await Site.StartAsync(Devices);
        List<double> accepted = [];
        List<double> read = [];
        List<double> told = [];
        List<double> restored = [];
        List<double> put = [];
        for (int round = 0; round < Rounds; round++)
        {
            var plan = Site.Plan("bench", TimeSpan.FromSeconds(0.4));
            // Both go back at once: neither needs the other.
            plan.Lanes[1].Needs.Clear();
            var name = $"bench-{round.ToString(CultureInfo.InvariantCulture)}";
            var rollout = await site.CallAsync(c => c.Rollouts.CreateRolloutAsync(new() { Parent = Site.Environment, RolloutId = name, Plan = plan }));
            await site.UntilAsync(rollout.Name, RolloutState.Succeeded, Limit);
            await site.AllRunAsync(Site.FirmwareNew, Limit, () => site.Server.Output);
            await NativeCli.RunAsync(site.Home, "rollout", "list", "-e", "site");
            long started = Stopwatch.GetTimestamp();
            await NativeCli.RunAsync(site.Home, "rollout", "list", "-e", "site");
            read.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);

            started = Stopwatch.GetTimestamp();
            await NativeCli.RunAsync(site.Home, "rollback", name, "-e", "site", "--reason", "measured");
            accepted.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            started = Stopwatch.GetTimestamp();
            var all = Task.WhenAll(
                Wait.UntilAsync(async () => (await site.ServesAsync()).Release == $"{Site.Api}@{Site.ApiOld}", Limit, () => "the back end is not restored").ContinueWith(_ => restored.Add(Stopwatch.GetElapsedTime(started).TotalSeconds), TaskScheduler.Default),
                Wait.UntilAsync(async () => await ToldAsync() == Devices, Limit, () => "not all devices were told").ContinueWith(_ => told.Add(Stopwatch.GetElapsedTime(started).TotalSeconds), TaskScheduler.Default));
            await all;
            await site.UntilAsync(rollout.Name, RolloutState.RolledBack, Limit);
            started = Stopwatch.GetTimestamp();
            await site.ServesAsync();
            put.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            await site.UnholdAsync();

            // Back already, or on the way: both have been told.
            async Task<long> ToldAsync() => (await site.CallAsync(c => c.Devices.CountDevicesAsync(new() { Parent = Site.Environment, By = "job" }))).Counts
                .Where(job => job.Key.Contains("-r-", StringComparison.Ordinal) && job.Key.Contains(name, StringComparison.Ordinal)).Sum(job => job.Value);
        }
        return
        [
            Reported("ota rollback, from Enter to ACCEPTED", "ota rollout list, the same way", accepted, read),
            Reported("ACCEPTED to back end restored", "one question to the router", restored, put),
            Reported($"ACCEPTED to the last of {Devices} devices told", "ota rollout list, the same way", told, read),
        ];
    }

    private static Result Reported(string what, string against, List<double> ours, List<double> peer) =>
        new(what, against, "s", Result.Median(ours), Result.Median(peer), Result.Median(ours) / Result.Median(peer), "reported", true);
}
