using System.CommandLine;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutGetCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.RolloutOrNewest();
        return new Command("get", "Show a rollout as it is now.") { rollout }.Does(host, async session =>
        {
            var request = new GetRolloutRequest { Name = await NewestRollout.NameOf(session, session.Parse.GetValue(rollout)) };
            var answer = await session.Api.Call((api, options) => api.Rollouts.GetRolloutAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => WatchView.Render(answer, host.Time.GetUtcNow(), host.Time.LocalTimeZone, session.Report.Glyphs, session.Report.Width));
            return ExitCode.Ok;
        });
    }
}
