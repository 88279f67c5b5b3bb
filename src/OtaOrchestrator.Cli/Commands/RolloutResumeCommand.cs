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
        var take = new Option<bool>("--take") { Description = "Somebody else changed a target: overwrite that, and go on." };
        var accept = new Option<bool>("--accept") { Description = "Somebody else changed a target: go on from there." };
        return new Command("resume", "Go on after a pause, a hold, or a change of a target by somebody else.") { rollout, take, accept, reason }.Does(host, async session =>
        {
            if (session.Get(take) && session.Get(accept))
            {
                throw new CliFailure(ExitCode.Usage, "either --take or --accept");
            }
            var name = await ResourceName.InEnvironment(session, "rollouts", session.Required(rollout));
            var request = new ResumeRolloutRequest { Name = name, RequestId = Arguments.NewRequestId(), Reason = session.Get(reason) ?? "",
                Drift = session.Get(take) ? DriftResolution.Take : session.Get(accept) ? DriftResolution.Accept : DriftResolution.Unspecified };
            return await Steering.Send(session, "resume", (api, options) => api.Rollouts.ResumeRolloutAsync(request, options));
        });
    }
}
