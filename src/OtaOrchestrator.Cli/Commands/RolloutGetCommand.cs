using System.CommandLine;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutGetCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.RolloutOrNewest();
        var impact = new Option<bool>("--impact") { Description = "Show whom each step reaches, as it was seen before the rollout began." };
        return new Command("get", "Show a rollout as it is now.") { rollout, impact }.Does(host, async session =>
        {
            var request = new GetRolloutRequest { Name = await NewestRollout.NameOf(session, session.Parse.GetValue(rollout)) };
            var answer = await session.Api.Call((api, options) => api.Rollouts.GetRolloutAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => session.Get(impact)
                ? [WatchView.Title(answer), .. ImpactView.Lines(answer.Impact, session.Report.Glyphs)]
                : WatchView.Render(answer, host.Time.GetUtcNow(), host.Time.LocalTimeZone, session.Report.Glyphs, session.Report.Width));
            return ExitCode.Ok;
        });
    }
}
