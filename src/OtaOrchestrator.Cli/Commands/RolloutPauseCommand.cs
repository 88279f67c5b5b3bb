using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutPauseCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.Rollout();
        var reason = Arguments.Reason();
        return new Command("pause", "Stop going further. Exposure stays, the judge stays armed.") { rollout, reason }.Does(host, async session =>
        {
            var name = await ResourceName.InEnvironment(session, "rollouts", session.Required(rollout));
            var request = new PauseRolloutRequest { Name = name, RequestId = Arguments.NewRequestId(), Reason = session.Get(reason) ?? "" };
            return await Steering.Send(session, "pause", (api, options) => api.Rollouts.PauseRolloutAsync(request, options));
        });
    }
}
