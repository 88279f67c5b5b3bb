using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class TargetListCommand
{
    public static Command Create(CliHost host)
    {
        var paging = new Paging();
        var command = new Command("list", "List targets.");
        paging.AddTo(command);
        return command.Does(host, async session =>
        {
            var parent = await ResourceName.Context(session);
            var answer = await paging.Read(session, new ListTargetsResponse(), async (size, token) =>
            {
                var request = new ListTargetsRequest { Parent = parent, PageSize = size, PageToken = token };
                return await session.Api.Call((api, options) => api.Environments.ListTargetsAsync(request, options), session.Cancellation);
            }, page => page.Targets, page => page.NextPageToken, (page, token) => page.NextPageToken = token);
            session.Report.Answer(answer, () => Table.Lines(
                ["TARGET", "KIND", "ON", "ROLLOUT"],
                [.. answer.Targets.Select(t => new[]
                {
                    ResourceName.Last(t.Name), TargetView.Kind(t), TargetView.Current(t), t.ActiveRollout.Length > 0 ? ResourceName.Last(t.ActiveRollout) : "-",
                })]));
            return ExitCode.Ok;
        });
    }
}
