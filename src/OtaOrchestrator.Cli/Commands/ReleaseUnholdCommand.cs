using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class ReleaseUnholdCommand
{
    public static Command Create(CliHost host)
    {
        var release = Arguments.Release();
        var reason = Arguments.RequiredReason();
        return new Command("unhold", "Let a release that was rolled back be rolled out again in the environment.") { release, reason }.Does(host, async session =>
        {
            var request = new UnholdReleaseRequest
            {
                Name = ResourceName.Release(session.Required(release)),
                Environment = await ResourceName.Context(session),
                Reason = session.Get(reason) ?? "",
                RequestId = Arguments.NewRequestId(),
            };
            var answer = await session.Api.Call((api, options) => api.Releases.UnholdReleaseAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => ReleaseView.Lines(answer, host.Time));
            return ExitCode.Ok;
        });
    }
}
