using System.CommandLine;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class HaltCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.RolloutOrNewest();
        var reason = Arguments.Reason();
        return new Command("halt", "Stop whatever a rollout or a rollback is doing. `ota rollout resume` goes on.") { rollout, reason }.Does(host, async session =>
        {
            var name = await NewestRollout.NameOf(session, session.Parse.GetValue(rollout));
            var request = new HaltRolloutRequest { Name = name, RequestId = Arguments.NewRequestId(), Reason = session.Get(reason) ?? "" };
            return await Steering.Send(session, "halt", (api, options) => api.Rollouts.HaltRolloutAsync(request, options));
        });
    }
}
