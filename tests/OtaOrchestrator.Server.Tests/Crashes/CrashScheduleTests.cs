using System.Diagnostics;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Server.Audit;
using OtaOrchestrator.Server.Hosting;
using OtaOrchestrator.Server.Releases;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Crashes;

/// <summary>
/// Kills the process before and after each commit, before each act, after it, and between the act and its outcome (the reply is lost). A restart carries on, and
/// afterwards everything is as if nothing had happened.
/// </summary>
public sealed class CrashScheduleTests
{
    private const int ReplaysAtOnce = 2;

    [Theory]
    [InlineData(CrashHost.Forward)]
    [InlineData(CrashHost.Back)]
    public async Task A_crash_at_each_kind_of_point_leaves_nothing_half(string scenario)
    {
        var points = await Points(scenario);
        // Of each kind the one that is passed first, and of the commits also one well into the rollout. Not the very last: the number of looks varies.
        string Later(string kind) => points.Where(point => Kind(point) == kind).ToList() is var all ? all[all.Count * 3 / 5] : "";
        var chosen = points.GroupBy(Kind).Select(group => group.First()).Append(Later("commit.before")).Append(Later("commit.after")).Distinct();
        await Replay(scenario, [.. chosen.Select(point => new[] { point })], points.Count);
    }

    [Theory]
    [Trait("Gate", "Full")]
    [InlineData(CrashHost.Forward)]
    [InlineData(CrashHost.Back)]
    public async Task A_crash_at_every_point_leaves_nothing_half(string scenario)
    {
        var points = await Points(scenario);
        await Replay(scenario, [.. points.Select(point => new[] { point })], points.Count);
    }

    [Fact]
    [Trait("Gate", "Full")]
    public async Task Two_crashes_in_a_rollback_leave_nothing_half()
    {
        var points = await Points(CrashHost.Back);
        var late = points.SkipWhile(point => !point.StartsWith("Restore.", StringComparison.Ordinal)).ToList();
        // The second process counts anew: it passes its own first points.
        string[] second = ["commit.before#1", "commit.after#1", "Restore.before#1", "Restore.acted#1", "Restore.after#1"];
        var pairs = late.SelectMany(first => second.Select(then => new[] { first, then })).ToList();
        await Replay(CrashHost.Back, pairs, pairs.Count);
    }

    private static string Kind(string point) => point[..point.IndexOf('#', StringComparison.Ordinal)];

    private static async Task<IReadOnlyList<string>> Points(string scenario)
    {
        var directory = Directory.CreateTempSubdirectory("ota-crash-").FullName;
        try
        {
            Assert.Equal(0, await Host(directory, scenario, null));
            await Check(directory, scenario, "no crash");
            // How often the judge looks is the clock's to say; its first looks stand for all.
            return [.. (await File.ReadAllLinesAsync(Path.Combine(directory, "points.log"))).Distinct()
                .Where(point => Kind(point) is not ("Look.before" or "Look.after") || int.Parse(point.AsSpan(point.IndexOf('#', StringComparison.Ordinal) + 1), System.Globalization.CultureInfo.InvariantCulture) <= 2)];
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task Replay(string scenario, IReadOnlyList<string[]> schedules, int total)
    {
        int covered = 0;
        await Parallel.ForEachAsync(schedules, new ParallelOptions { MaxDegreeOfParallelism = ReplaysAtOnce }, async (crashes, _) =>
        {
            var directory = Directory.CreateTempSubdirectory("ota-crash-").FullName;
            try
            {
                bool died = true;
                foreach (var point in crashes)
                {
                    int code = await Host(directory, scenario, point);
                    // Looks and polls depend on the clock: a point that is not passed this time is not covered, and no crash.
                    Assert.True(code is 137 or 0, $"{point}: ended with {code}");
                    died &= code == 137;
                }
                Assert.Equal(0, await Host(directory, scenario, null));
                await Check(directory, scenario, string.Join(", ", crashes));
                Interlocked.Add(ref covered, died ? 1 : 0);
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        });
        Console.WriteLine($"  covered {covered} of {total} points ({scenario}, {schedules.Count} tried)");
        Assert.True(covered >= schedules.Count * 8 / 10, $"only {covered} of {schedules.Count} schedules came to their crash");
    }

    private static async Task Check(string directory, string scenario, string crashes)
    {
        var home = new Home(Path.Combine(directory, "home"));
        home.Create();
        await using var scene = Scene.At(directory);
        var rollout = scene.Rollout(CrashHost.Rollout);
        string[] expected = scenario == CrashHost.Back
            ? ["ExposeAsync api@1.0 api@2.0 0.25", "RestoreAsync api@1.0  0"]
            : ["ExposeAsync api@1.0 api@2.0 0.25", "ExposeAsync api@1.0 api@2.0 1", "PromoteAsync api@2.0  0"];
        Assert.True(rollout.State == (scenario == CrashHost.Back ? LaneState.RolledBack : LaneState.Succeeded), $"after {crashes}: {rollout.State}");
        Assert.True(expected.SequenceEqual(scene.Target("api").State.Changes), $"after {crashes}: {string.Join("; ", scene.Target("api").State.Changes)}");
        var report = await new ConsistencyCheck(scene.Database, scene.Ledger, scene.Targets, new FirmwareStore(home), SigningKey.Create(), TimeProvider.System).RunAsync(Scene.Environment, CancellationToken.None);
        Assert.True(report!.Findings.Count == 0, $"after {crashes}: {string.Join("; ", report.Findings)}");
    }

    private static async Task<int> Host(string directory, string scenario, string? point)
    {
        string[] arguments = [CrashHost.Verb, directory, scenario, .. point is null ? Array.Empty<string>() : [point]];
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode is 0 or 137, $"{scenario} {point}: {await output}{error}");
        return process.ExitCode;
    }
}
