using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutListCommand
{
    public static Command Create(CliHost host)
    {
        var active = new Option<bool>("--active") { Description = "Only those that have not ended." };
        var filter = new Option<string?>("--filter") { Description = "For example state=BAKING AND target=\"thermostats\".", HelpName = "TERMS" };
        var paging = new Paging();
        var command = new Command("list", "List rollouts, newest first.") { active, filter };
        paging.AddTo(command);
        return command.Does(host, async session =>
        {
            var terms = new List<string>();
            if (session.Get(active))
            {
                terms.Add("active=true");
            }
            if (session.Get(filter) is { Length: > 0 } more)
            {
                terms.Add(more);
            }
            var parent = await ResourceName.Context(session);
            var answer = await paging.Read(session, new ListRolloutsResponse(), async (size, token) =>
            {
                var request = new ListRolloutsRequest { Parent = parent, PageSize = size, PageToken = token, Filter = string.Join(" AND ", terms) };
                return await session.Api.Call((api, options) => api.Rollouts.ListRolloutsAsync(request, options), session.Cancellation);
            }, page => page.Rollouts, page => page.NextPageToken, (page, token) => page.NextPageToken = token);
            session.Report.Answer(answer, () => Table.Lines(
                ["NAME", "STATE", "EXPOSED", "LANES", "BY", "STARTED"],
                [.. answer.Rollouts.Select(r => new[]
                {
                    ResourceName.Last(r.Name),
                    Say.State(r.State),
                    Say.Share(r.Exposed),
                    string.Join(" ", r.Lanes.Select(l => l.Candidate)),
                    r.StartedBy,
                    Say.Ago(r.CreateTime, host.Time.GetUtcNow()),
                })]));
            return ExitCode.Ok;
        });
    }
}
