using System.CommandLine;
using OtaOrchestrator.Cli.Output;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutWatchCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.RolloutOrNewest();
        var after = new Option<long>("--after") { Description = "Journal entries after this revision only.", HelpName = "REVISION" };
        return new Command("watch", "Follow a rollout to its end: live on a terminal, one line per journal entry otherwise. Ends with 0 succeeded, 9 rolled back, 10 stuck.") { rollout, after }
            .Does(host, async session =>
            {
                var name = await NewestRollout.NameOf(session, session.Parse.GetValue(rollout));
                var last = await RolloutFollower.Follow(session, name, session.Get(after), r => WatchView.HasEnded(r.State) || r.State == Protocol.V1.RolloutState.RollbackStuck);
                session.Report.Answer(last, () => [$"{Say.State(last.Rollout.State)} {WatchView.Title(last.Rollout)}{(last.Rollout.Cause.Length > 0 ? ": " + Terminal.Clean(last.Rollout.Cause) : "")}"]);
                return RolloutFollower.CodeOf(last.Rollout.State);
            });
    }
}
