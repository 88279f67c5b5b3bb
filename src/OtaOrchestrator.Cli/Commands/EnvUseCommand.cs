using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class EnvUseCommand
{
    public static Command Create(CliHost host)
    {
        var name = new Argument<string>("name") { Description = "The environment that commands are about from now on, unless --env says otherwise." };
        return new Command("use", "Choose the environment for this home.") { name }.Does(host, async session =>
        {
            var request = new GetEnvironmentRequest { Name = ResourceName.Environment(ResourceName.Last(session.Required(name))) };
            var answer = await session.Api.Call((api, options) => api.Environments.GetEnvironmentAsync(request, options), session.Cancellation);
            var file = session.Home.ChosenEnvironment;
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, ResourceName.Last(answer.Name) + "\n", session.Cancellation);
            session.Report.Answer(answer, () => [$"using {ResourceName.Last(answer.Name)}"]);
            return ExitCode.Ok;
        });
    }
}
