using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutResumeCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.Rollout();
        var reason = Arguments.Reason();
        return new Command("resume", "Go on after a pause or a hold.") { rollout, reason }.Does(host, async session =>
        {
            var name = await ResourceName.InEnvironment(session, "rollouts", session.Required(rollout));
            var request = new ResumeRolloutRequest { Name = name, RequestId = Arguments.NewRequestId(), Reason = session.Get(reason) ?? "" };
            return await Steering.Send(session, "resume", (api, options) => api.Rollouts.ResumeRolloutAsync(request, options));
        });
    }
}
