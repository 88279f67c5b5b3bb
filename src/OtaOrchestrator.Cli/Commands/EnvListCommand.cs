using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class EnvListCommand
{
    public static Command Create(CliHost host)
    {
        var paging = new Paging();
        var command = new Command("list", "List environments.");
        paging.AddTo(command);
        return command.Does(host, async session =>
        {
            var answer = await paging.Read(session, new ListEnvironmentsResponse(), async (size, token) =>
            {
                var request = new ListEnvironmentsRequest { PageSize = size, PageToken = token };
                return await session.Api.Call((api, options) => api.Environments.ListEnvironmentsAsync(request, options), session.Cancellation);
            }, page => page.Environments, page => page.NextPageToken, (page, token) => page.NextPageToken = token);
            session.Report.Answer(answer, () => Table.Lines(
                ["ENVIRONMENT", "FIRST STEP MAX", "JUMP MAX", "TITLE"],
                [.. answer.Environments.Select(e => new[]
                {
                    ResourceName.Last(e.Name),
                    e.Caps is { HasFirstStepMax: true } ? Say.Share(e.Caps.FirstStepMax) : "-",
                    e.Caps is { HasJumpMax: true } ? Say.Share(e.Caps.JumpMax) : "-",
                    e.Title,
                })]));
            return ExitCode.Ok;
        });
    }
}
