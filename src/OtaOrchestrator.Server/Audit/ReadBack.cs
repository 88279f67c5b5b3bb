using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Rollouts;

namespace OtaOrchestrator.Server.Audit;

/// <summary>Asks the targets whether what the lanes say holds there. Only where a lane is at rest: under way, they may differ for a moment.</summary>
internal sealed class ReadBack(ITargets targets, Ledger ledger, TimeProvider time)
{
    private const int Looks = 3;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(400);

    /// <param name="written">The revision in which the lane's last write was decided: a target says by its fence whose configuration it holds.</param>
    public async Task OfAsync(Rollout rollout, Lane lane, long written, Findings findings, CancellationToken cancellation)
    {
        bool restored = lane.State == LaneState.RolledBack;
        bool exposed = lane.State is LaneState.Baking or LaneState.Held or LaneState.AwaitingPromotion or LaneState.Succeeded || (lane.State == LaneState.AwaitingApproval && lane.Exposed);
        if (!restored && !exposed)
        {
            return;
        }
        var order = lane.Order(rollout, written);
        var subject = $"{rollout.Environment}/{lane.Target}";
        var expected = restored ? $"{lane.Fallback}, restored by {rollout.Id}" : $"{lane.Share:P0} on {lane.Candidate}, as {rollout.Id} left it";
        var found = "";
        for (int look = 0; look < Looks; look++)
        {
            if (look > 0)
            {
                await Task.Delay(BetweenLooks, time, cancellation);
            }
            if (ledger.Find(rollout.Environment, rollout.Id)?.Revision != rollout.Revision)
            {
                return;
            }
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            using var deadline = time.CreateTimer(_ => limited.Cancel(), null, CallTimeout, Timeout.InfiniteTimeSpan);
            try
            {
                var target = targets.Of(rollout.Environment, lane.Target);
                (bool agrees, found) = restored ? Of(await target.ReadRestorationAsync(order, limited.Token)) : Of(await target.ReadAsync(order, limited.Token));
                if (agrees)
                {
                    return;
                }
            }
            catch (Exception error) when (!cancellation.IsCancellationRequested)
            {
                findings.Add(FindingKind.TargetUnread, subject, expected, error is OperationCanceledException ? "no answer in time" : Causes.Of(error), "the target can't be asked; nothing is known of it");
                return;
            }
        }
        findings.Add(FindingKind.TargetDrift, subject, expected, found, "somebody changed the target outside a rollout");
    }

    private static (bool Agrees, string Detail) Of(Restoration restoration) => (restoration.Agrees, restoration.Detail);

    private static (bool Agrees, string Detail) Of(Reading reading) => (reading.Agrees, reading.Detail);
}
