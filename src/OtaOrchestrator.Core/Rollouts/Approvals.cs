using System.Globalization;

namespace OtaOrchestrator.Core.Rollouts;

/// <summary>Consent of persons to a step, as its plan asks for it: <c>name-n</c>.</summary>
public static class Approvals
{
    /// <summary>How many persons the step asks for.</summary>
    public static int Needed(Lane lane, int step)
    {
        if (step < 0 || step >= lane.Plan.Steps.Length || lane.Plan.Steps[step].Approval is not { } approval)
        {
            return 0;
        }
        int dash = approval.LastIndexOf('-');
        return dash > 0 && int.TryParse(approval.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 1;
    }

    public static int Missing(Rollout rollout, Lane lane, int step) =>
        Math.Max(0, Needed(lane, step) - rollout.Approvals.Where(given => given.Lane == lane.Name && given.Step == step).Select(given => given.Actor).Distinct().Count());
}
