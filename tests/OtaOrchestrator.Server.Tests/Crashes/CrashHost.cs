using System.Diagnostics;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Tests.Scenes;

namespace OtaOrchestrator.Server.Tests.Crashes;

/// <summary>A process with store, ledger and reconciler that takes one rollout to its end, and dies by SIGKILL at the point that it is told.</summary>
internal static class CrashHost
{
    public const string Verb = "crash-host";
    public const string Rollout = "autumn";
    public const string Forward = "forward";
    public const string Back = "back";

    /// <summary>Arguments: directory, scenario, and optionally <c>point#n</c>: die when the point is passed the n-th time.</summary>
    public static async Task<int> Run(string[] args)
    {
        var (directory, scenario, deadly) = (args[0], args[1], args.Length > 2 ? args[2] : null);
        var passed = new Dictionary<string, int>(StringComparer.Ordinal);
        using var log = new StreamWriter(new FileStream(Path.Combine(directory, "points.log"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        void Probe(string point)
        {
            lock (passed)
            {
                int count = passed[point] = passed.GetValueOrDefault(point) + 1;
                log.WriteLine($"{point}#{count}");
                if ($"{point}#{count}" == deadly)
                {
                    using var self = Process.GetCurrentProcess();
                    self.Kill();
                    // The signal is on its way; nothing more may happen in this process.
                    new ManualResetEvent(false).WaitOne();
                }
            }
        }
        await using var scene = Scene.At(directory, Probe);
        await scene.Set("api");
        await scene.Started();
        if (scene.Ledger.Find(Scene.Environment, Rollout) is null)
        {
            await scene.Start(Rollout, plan => scenario == Back ? plan with { Steps = [Scene.Step(0.25) with { Pause = true }, Scene.Step(1)] } : plan, ["api"]);
        }
        if (scenario == Back)
        {
            var waits = await scene.Until(Rollout, rollout => rollout.State is LaneState.AwaitingPromotion or LaneState.RollingBack or LaneState.RolledBack, "its pause");
            if (waits.State == LaneState.AwaitingPromotion)
            {
                await scene.Tell(Rollout, Trigger.Rollback);
            }
        }
        await scene.Until(Rollout, scenario == Back ? LaneState.RolledBack : LaneState.Succeeded);
        return 0;
    }
}
