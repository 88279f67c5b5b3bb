using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class TargetShowCommand
{
    public static Command Create(CliHost host)
    {
        var name = new Argument<string>("target") { Description = "The target's name." };
        return new Command("show", "Show a target.") { name }.Does(host, async session =>
        {
            var request = new GetTargetRequest { Name = await ResourceName.InEnvironment(session, "targets", session.Required(name)) };
            var answer = await session.Api.Call((api, options) => api.Environments.GetTargetAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => TargetView.Lines(answer, host.Time.GetUtcNow()));
            return ExitCode.Ok;
        });
    }
}
