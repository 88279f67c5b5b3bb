using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutApproveCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.Rollout();
        var reason = Arguments.Reason();
        var lane = new Option<string?>("--lane") { Description = "The lane whose step is approved; the waiting one when left out.", HelpName = "NAME" };
        var revision = new Option<long>("--revision") { Description = "Refuse unless the rollout is at this revision: approve what you have seen.", HelpName = "N" };
        return new Command("approve", "Record your consent to the next step.") { rollout, reason, lane, revision }.Does(host, async session =>
        {
            var name = await ResourceName.InEnvironment(session, "rollouts", session.Required(rollout));
            var request = new ApproveRolloutRequest
            {
                Name = name,
                RequestId = Arguments.NewRequestId(),
                Reason = session.Get(reason) ?? "",
                Lane = session.Get(lane) ?? "",
                Revision = session.Get(revision),
            };
            return await Steering.Send(session, "approve", (api, options) => api.Rollouts.ApproveRolloutAsync(request, options));
        });
    }
}
