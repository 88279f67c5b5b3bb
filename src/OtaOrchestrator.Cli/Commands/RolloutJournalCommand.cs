using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutJournalCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = Arguments.RolloutOrNewest();
        var after = new Option<long>("--after") { Description = "Only entries after this revision.", HelpName = "REVISION" };
        return new Command("journal", "Everything that happened to a rollout, and by whom.") { rollout, after }.Does(host, async session =>
        {
            var name = await NewestRollout.NameOf(session, session.Parse.GetValue(rollout));
            var all = await Read(session.Api, name, session.Get(after), session.Cancellation);
            session.Report.Answer(all, () => all.Entries.Select(e => JournalLine.Render(e, host.Time.LocalTimeZone)));
            return ExitCode.Ok;
        });
    }

    /// <summary>Every entry after the revision, page by page.</summary>
    public static async Task<ListJournalResponse> Read(Api api, string name, long after, CancellationToken cancellation)
    {
        const int PageSize = 500;
        var all = new ListJournalResponse();
        while (true)
        {
            var request = new ListJournalRequest { Name = name, AfterRevision = after, PageSize = PageSize };
            var page = await api.Call((way, options) => way.Rollouts.ListJournalAsync(request, options), cancellation);
            var news = page.Entries.Where(e => e.Revision > after).OrderBy(e => e.Revision).ToList();
            if (news.Count == 0)
            {
                return all;
            }
            all.Entries.AddRange(news);
            after = news[^1].Revision;
        }
    }
}
