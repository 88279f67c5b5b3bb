using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class ReleaseVerifyCommand
{
    public static Command Create(CliHost host)
    {
        var release = Arguments.Release();
        return new Command("verify", "Read a stored release again and check digest and signature. Ends with 8 when it is not intact.") { release }.Does(host, async session =>
        {
            var request = new VerifyReleaseRequest { Name = ResourceName.Release(session.Required(release)) };
            var answer = await session.Api.Call((api, options) => api.Releases.VerifyReleaseAsync(request, options), session.Cancellation, TimeSpan.FromMinutes(10));
            session.Report.Answer(answer, () => answer.Intact
                ? [$"[OK] {ResourceName.Last(request.Name)} is intact"]
                : [$"[NG] {ResourceName.Last(request.Name)} is not intact", .. answer.Findings.Select(f => "  " + Terminal.Clean(f))]);
            return answer.Intact ? ExitCode.Ok : ExitCode.Invalid;
        });
    }
}
