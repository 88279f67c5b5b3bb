using System.Diagnostics;
using System.Globalization;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Figures;

/// <summary>Ratios within one run, so that a slow or busy machine changes both sides.</summary>
[Trait("Gate", "Full")]
public sealed class FigureTests
{
    private const int Rollouts = 32;
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(4);

    [Fact]
    public async Task Transitions_of_32_rollouts_are_at_least_half_as_fast_as_bare_inserts()
    {
        await using var scene = Scene.New();
        var targets = Enumerable.Range(0, Rollouts).Select(i => $"t{i:00}").ToArray();
        await scene.Set(targets);
        foreach (var target in targets)
        {
            await scene.Start(target, plan => plan with { Steps = [Scene.Step(1) with { BakeMin = TimeSpan.FromHours(100), BakeMax = TimeSpan.FromHours(200) }] }, [target]);
            await scene.Ledger.TellAsync(Scene.Environment, target, new Signal(Trigger.Prepared, Actor.Orchestrator) { Lane = target });
            await scene.Ledger.TellAsync(Scene.Environment, target, new Signal(Trigger.ExposureReached, Actor.Orchestrator) { Lane = target, Reading = new Reading(true, 1, "read back") });
        }
        var judgement = new Judgement { Verdict = Verdict.Healthy, Complete = true, Cause = "", Checks = [new CheckResult("errors", Verdict.Healthy, "0.1 % of 1000 requests failed", 0, 1000, 0.001, 0.01)] };
        var observation = new TrafficObservation("one", new SideCounters(1000, 1), new SideCounters(1000, 1));
        var entry = scene.Entries(targets[0])[^1];
        long inserted = 0;

        async Task<double> Inserts() => await PerSecond(async (i, _) =>
        {
            long revision = 1_000_000 + Interlocked.Increment(ref inserted);
            await scene.Database.WriteAsync(db => { Journal.InsertEntry(db, Scene.Environment, "bare", entry with { Revision = revision }); return true; });
        });
        async Task<double> Transitions() => await PerSecond(async (i, _) =>
        {
            var told = await scene.Ledger.TellAsync(Scene.Environment, targets[i], new Signal(Trigger.Looked, Actor.Judge) { Lane = targets[i], Judgement = judgement, Observation = observation });
            Assert.NotNull(told!.Decision.Next);
        });

        // Warm, then alternating, so that neither side has the quieter half of the machine's time.
        await Inserts();
        await Transitions();
        double bare = (await Inserts() + await Inserts()) / 2;
        double decided = (await Transitions() + await Transitions()) / 2;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  figure transitions/s, {Rollouts} rollouts: {decided:0}, bare inserts {bare:0}, ratio {decided / bare:0.00} (reach 0.5)"));
        Assert.True(decided / bare >= 0.5, $"{decided:0} against {bare:0}");
    }

    [Fact]
    public async Task Publishing_256_MiB_takes_at_most_one_and_a_half_times_openssl_and_a_copy()
    {
        await using var server = await RunningServer.Start();
        var image = Client.Image("big", "1.0", bytes: 256 * 1024 * 1024);
        var folder = Directory.CreateTempSubdirectory("ota-figure-");
        var file = Path.Combine(folder.FullName, "big.img");
        await File.WriteAllBytesAsync(file, image);
        try
        {
            await server.Admin.PublishFirmware("small", "1.0");
            var peer = new List<double>();
            var ours = new List<double>();
            for (int round = 0; round < 3; round++)
            {
                var watch = Stopwatch.StartNew();
                await Run("openssl", "dgst", "-sha256", file);
                await Run("cp", file, file + ".copy");
                await Run("sync", file + ".copy");
                peer.Add(watch.Elapsed.TotalSeconds);
                watch.Restart();
                // Another release of the same bytes would be refused by its header, so it is repeated as it is: all of it is received, checked and stored again.
                await server.Admin.PublishImage("big@1.0", image, chunk: 512 * 1024);
                ours.Add(watch.Elapsed.TotalSeconds);
            }
            double ratio = ours.Min() / peer.Min();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  figure publish 256 MiB: {ours.Min():0.00} s, openssl dgst and cp {peer.Min():0.00} s, ratio {ratio:0.00} (reach 1.5)"));
            Assert.True(ratio <= 1.5, $"{ratio:0.00}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<double> PerSecond(Func<int, int, Task> once)
    {
        long count = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Rollouts).Select(i => Task.Run(async () =>
        {
            for (int n = 0; watch.Elapsed < Span; n++)
            {
                await once(i, n);
                Interlocked.Increment(ref count);
            }
        })));
        return count / watch.Elapsed.TotalSeconds;
    }

    private static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
