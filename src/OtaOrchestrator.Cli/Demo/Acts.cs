using System.Globalization;
using OtaOrchestrator.Cli.Commands;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>What the acts share: start a rollout, follow it, name its state.</summary>
internal static class Acts
{
    public static async Task<Rollout> Start(Stage stage, Plan plan, CancellationToken cancellation)
    {
        var request = new CreateRolloutRequest { Parent = Cast.Environment, Plan = plan, RequestId = Arguments.NewRequestId() };
        return await stage.Api.Call((api, options) => api.Rollouts.CreateRolloutAsync(request, options), cancellation);
    }

    /// <summary>Follows to the end or until <paramref name="stop"/>; gives up after a minute.</summary>
    public static async Task<WatchRolloutResponse> Follow(
        Stage stage, DemoProgress progress, string name, long after, Func<Rollout, bool> stop, Action<Rollout> changed, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90 + (stage.Devices / 10.0)), stage.Host.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        var last = "";
        var seen = "";
        try
        {
            return await RolloutFollower.Read(stage.Api, stage.Report, stage.Host.Time, name, after, stop, (rollout, _) =>
            {
                changed(rollout);
                last = string.Join(", ", rollout.Lanes.Select(Lane));
                if (last != seen)
                {
                    seen = last;
                    progress.Event(last);
                }
                progress.Picture(WatchView.Render(rollout, stage.Host.Time.GetUtcNow(), stage.Host.Time.LocalTimeZone, stage.Report.Glyphs, stage.Report.Width));
            }, either.Token);
        }
        catch (Exception failure) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested && failure is OperationCanceledException or Grpc.Core.RpcException)
        {
            throw new CliFailure(ExitCode.Failure, $"{ResourceName.Last(name)} did not come to its end: {last}");
        }
    }

    /// <summary>A release that was taken back is held; whoever wants it again says why.</summary>
    public static Task Unhold(Stage stage, string version, CancellationToken cancellation) => Unhold(stage, Cast.Api, version, cancellation);

    /// <inheritdoc cref="Unhold(Stage, string, CancellationToken)"/>
    public static async Task Unhold(Stage stage, string release, string version, CancellationToken cancellation)
    {
        var request = new UnholdReleaseRequest { Name = $"releases/{release}@{version}", Environment = Cast.Environment, Reason = "nothing was wrong with it", RequestId = Arguments.NewRequestId() };
        await stage.Api.Call((api, options) => api.Releases.UnholdReleaseAsync(request, options), cancellation);
    }

    public static bool HasEnded(Rollout rollout) => WatchView.HasEnded(rollout.State) || rollout.State is RolloutState.RollbackStuck;

    /// <summary>Lane state in few words; the counts are in the picture.</summary>
    private static string Lane(Lane lane)
    {
        var step = lane.Step >= 0 && lane.State is RolloutState.Exposing or RolloutState.Baking ? string.Create(CultureInfo.InvariantCulture, $" step {lane.Step + 1}") : "";
        return $"{lane.Name} {Say.State(lane.State)}{step}";
    }
}
