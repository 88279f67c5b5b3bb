using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class ReleaseShowCommand
{
    public static Command Create(CliHost host)
    {
        var release = Arguments.Release();
        return new Command("show", "Show a release and where it is held.") { release }.Does(host, async session =>
        {
            var request = new GetReleaseRequest { Name = ResourceName.Release(session.Required(release)) };
            var answer = await session.Api.Call((api, options) => api.Releases.GetReleaseAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => ReleaseView.Lines(answer, host.Time));
            return ExitCode.Ok;
        });
    }
}
