using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>The orchestrator is killed at 25 %, for longer than its lease: the router goes on with the weights that it has, and the next server with the rollout.</summary>
internal static class ControllerLossAct
{
    /// <summary>Without a renewal for so long, the route's `onControllerLoss` follows.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);

    private const long RequestsWithoutServer = 6000;

    public static async Task<(Told Told, ControllerLoss Loss, Window Gone)> Play(Stage stage, DemoProgress progress, Traffic traffic, ServerEndpoint endpoint, CancellationToken cancellation)
    {
        progress.Begin($"canary of {Cast.Api} {Cast.ApiNext}; the orchestrator is killed at 25%");
        var rollout = await Acts.Start(stage, Plans.Read(BackendPlans.Held(Cast.ApiNext)), cancellation);
        var middle = await Acts.Follow(stage, progress, rollout.Name, 0, r => AtAQuarter(r) || Acts.HasEnded(r), _ => { }, cancellation);
        if (!AtAQuarter(middle.Rollout))
        {
            throw new CliFailure(ExitCode.Failure, $"the rollout never baked at 25%: {Say.State(middle.Rollout.State)} {middle.Rollout.Cause}");
        }
        var before = await GoodAct.Journal(stage, rollout.Name, cancellation);

        progress.Event($"kill -9 {stage.Server!.Id}: the server is gone");
        var from = Now(stage);
        await stage.Kill(stage.Server, cancellation);
        var (began, began25) = (traffic.Now.Requests, traffic.Now.Of(Cast.ApiNext));
        await traffic.Served(RequestsWithoutServer, cancellation);
        var now = traffic.Now;
        var share = (now.Of(Cast.ApiNext) - began25) / (double)Math.Max(1, now.Requests - began);
        progress.Event($"{Say.Count(now.Requests - began)} requests without it, {Say.Share(Math.Round(share, 3))} of them to {Cast.ApiNext}");
        var restarted = await stage.StartServer(endpoint, cancellation);
        var gone = new Window(from, Now(stage));
        progress.Event("a new server serves on the same files");

        var told = await Told.ToTheEnd(stage, progress, rollout.Name, cancellation);
        var resumed = restarted.StartId != endpoint.StartId && before.Count > 0 && told.Journal.Count > before.Count && GoodAct.Continues(before, told.Journal);
        progress.Done($"{told.State}: journal {before.Count} entries before, {told.Journal.Count - before.Count} after");
        return (told, new ControllerLoss(told.State, resumed, Math.Round(share, 3), 0, 0), gone);
    }

    private static bool AtAQuarter(Rollout rollout) => rollout.Lanes[0] is { Step: 0, State: RolloutState.Baking };

    private static long Now(Stage stage) => stage.Host.Time.GetUtcNow().ToUnixTimeMilliseconds();
}
