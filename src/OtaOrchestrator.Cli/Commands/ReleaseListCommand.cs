using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class ReleaseListCommand
{
    public static Command Create(CliHost host)
    {
        var name = new Option<string?>("--name") { Description = "Only releases of this name.", HelpName = "NAME" };
        var held = new Option<bool>("--held") { Description = "Only releases that are held somewhere." };
        var paging = new Paging();
        var command = new Command("list", "List releases.") { name, held };
        paging.AddTo(command);
        return command.Does(host, async session =>
        {
            var terms = new Filter().Equal("name", session.Get(name)).Is("held", session.Get(held));
            var answer = await paging.Read(session, new ListReleasesResponse(), async (size, token) =>
            {
                var request = new ListReleasesRequest { PageSize = size, PageToken = token, Filter = terms.Text };
                return await session.Api.Call((api, options) => api.Releases.ListReleasesAsync(request, options), session.Cancellation);
            }, page => page.Releases, page => page.NextPageToken, (page, token) => page.NextPageToken = token);
            session.Report.Answer(answer, () => Table.Lines(
                ["RELEASE", "KIND", "HELD IN", "PUBLISHED", "DIGEST"],
                [.. answer.Releases.Select(r => new[]
                {
                    ResourceName.Last(r.Name),
                    r.ContentCase == Release.ContentOneofCase.Firmware ? "firmware" : "back end",
                    r.Holds.Count == 0 ? "-" : string.Join(" ", r.Holds.Select(h => ResourceName.Last(h.Environment))),
                    Say.Ago(r.PublishTime, host.Time.GetUtcNow()),
                    r.Digest.Length > 19 ? r.Digest[..19] : r.Digest,
                })]));
            return ExitCode.Ok;
        });
    }
}
