using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutPromoteCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.Rollout();
        var reason = Arguments.Reason();
        var full = new Option<bool>("--full") { Description = "Skip the remaining steps (gated)." };
        var revision = new Option<long>("--revision") { Description = "Refuse unless the rollout is at this revision.", HelpName = "N" };
        return new Command("promote", "Go on from a step that waits for a person.") { rollout, reason, full, revision }.Does(host, async session =>
        {
            var name = await ResourceName.InEnvironment(session, "rollouts", session.Required(rollout));
            var request = new PromoteRolloutRequest
            {
                Name = name,
                RequestId = Arguments.NewRequestId(),
                Reason = session.Get(reason) ?? "",
                Full = session.Get(full),
                Revision = session.Get(revision),
            };
            return await Steering.Send(session, "promote", (api, options) => api.Rollouts.PromoteRolloutAsync(request, options));
        });
    }
}
