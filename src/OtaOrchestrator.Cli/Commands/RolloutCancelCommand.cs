using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutCancelCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.Rollout();
        var reason = Arguments.Reason();
        return new Command("cancel", "End a rollout that has exposed nothing; otherwise use `ota rollback`.") { rollout, reason }.Does(host, async session =>
        {
            var name = await ResourceName.InEnvironment(session, "rollouts", session.Required(rollout));
            var request = new CancelRolloutRequest { Name = name, RequestId = Arguments.NewRequestId(), Reason = session.Get(reason) ?? "" };
            return await Steering.Send(session, "cancel", (api, options) => api.Rollouts.CancelRolloutAsync(request, options));
        });
    }
}
