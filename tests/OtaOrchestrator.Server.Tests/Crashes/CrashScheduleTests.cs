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
    private const int AttemptsMax = 3;

    [Theory]
    [InlineData(CrashHost.Forward)]
    [InlineData(CrashHost.Back)]
    public async Task A_crash_at_each_kind_of_point_leaves_nothing_half(string scenario)
    {
        var points = await Points(scenario);
        // Of each kind of effect one, at each place; and every fourth of the commits.
        var commits = points.Where(IsCommit).Where((_, index) => index % 4 == 1);
        var effects = points.Where(point => !IsCommit(point)).GroupBy(Name).Select(group => group.First());
        await Replay(scenario, [.. effects.Concat(commits).Select(point => new[] { point })], points.Count);
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
        // From the decision to roll back on, until nothing is left to do: after each of them all points of the return are passed again.
        var back = points.SkipWhile(point => Name(point) != "commit.after/Rollback.AwaitingPromotion-RollingBack").ToList();
        var pairs = back.SkipLast(1).SelectMany(first => back.Skip(1).Where(IsPassedAgain).Select(then => new[] { first, then })).ToList();
        await Replay(CrashHost.Back, pairs, pairs.Count);
    }

    private static bool IsCommit(string point) => point.StartsWith("commit.", StringComparison.Ordinal);

    /// <summary>What is shown is stored now and then; by then a second process may have had its first turn.</summary>
    private static bool IsPassedAgain(string point) => !point.Contains("/progress.", StringComparison.Ordinal);

    private static string Name(string point) => point[..point.IndexOf('#', StringComparison.Ordinal)];

    /// <summary>How often it comes is the clock's to say: the judge looks, and what is shown is stored, now and then. Its first time stands for all.</summary>
    private static bool Repeats(string point)
    {
        var name = Name(point);
        var move = name[(name.LastIndexOf('.') + 1)..].Split('-');
        return name.StartsWith("Look.", StringComparison.Ordinal) || name.Contains("/progress.", StringComparison.Ordinal) || (move.Length == 2 && move[0] == move[1]);
    }

    private static async Task<IReadOnlyList<string>> Points(string scenario)
    {
        var directory = Directory.CreateTempSubdirectory("ota-crash-").FullName;
        try
        {
            Assert.Equal(0, await Host(directory, scenario, null));
            await Check(directory, scenario, "no crash");
            return [.. (await File.ReadAllLinesAsync(Path.Combine(directory, "points.log"))).Where(point => !Repeats(point) || point.EndsWith("#1", StringComparison.Ordinal))];
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task Replay(string scenario, IReadOnlyList<string[]> schedules, int total)
    {
        var missed = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForEachAsync(schedules, new ParallelOptions { MaxDegreeOfParallelism = ReplaysAtOnce }, async (crashes, _) =>
        {
            bool died = false;
            for (int attempt = 0; attempt < AttemptsMax && !died; attempt++)
            {
                died = await Dies(scenario, crashes);
            }
            if (!died)
            {
                missed.Add(string.Join(", ", crashes));
            }
        });
        Console.WriteLine($"  covered {schedules.Count - missed.Count} of {total} points ({scenario}, {schedules.Count} tried{(missed.IsEmpty ? "" : ", never passed: " + string.Join("; ", missed))})");
        Assert.Empty(missed);
    }

    /// <summary>Plays one schedule to its end. False when a point was not passed this time: then it was no crash, and all must be well all the same.</summary>
    private static async Task<bool> Dies(string scenario, string[] crashes)
    {
        var directory = Directory.CreateTempSubdirectory("ota-crash-").FullName;
        try
        {
            bool died = true;
            foreach (var point in crashes)
            {
                died &= await Host(directory, scenario, point) == 137;
            }
            Assert.Equal(0, await Host(directory, scenario, null));
            await Check(directory, scenario, string.Join(", ", crashes));
            return died;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
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
