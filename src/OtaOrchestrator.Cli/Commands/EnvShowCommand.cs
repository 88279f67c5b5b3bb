using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class EnvShowCommand
{
    public static Command Create(CliHost host)
    {
        var name = new Argument<string?>("name") { Description = "The context's when left out.", Arity = ArgumentArity.ZeroOrOne };
        return new Command("show", "Show an environment, its caps and its targets.") { name }.Does(host, async session =>
        {
            var given = session.Parse.GetValue(name);
            var request = new GetEnvironmentRequest { Name = given is null ? await ResourceName.Context(session) : ResourceName.Environment(ResourceName.Last(given)) };
            var answer = await session.Api.Call((api, options) => api.Environments.GetEnvironmentAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => Lines(answer));
            return ExitCode.Ok;
        });
    }

    private static IEnumerable<string> Lines(Protocol.V1.Environment environment)
    {
        yield return Terminal.Clean($"{ResourceName.Last(environment.Name)}  {environment.Title}").TrimEnd();
        yield return $"  first step at most  {(environment.Caps is { HasFirstStepMax: true } ? Say.Share(environment.Caps.FirstStepMax) : "no cap")}";
        yield return $"  jump at most        {(environment.Caps is { HasJumpMax: true } ? Say.Share(environment.Caps.JumpMax) : "no cap")}";
        if (environment.Defaults is { } defaults)
        {
            yield return Terminal.Clean($"  traffic steps       {Steps(defaults.TrafficSteps)}");
            yield return Terminal.Clean($"  fleet steps         {Steps(defaults.FleetSteps)}");
        }
    }

    private static string Steps(IEnumerable<StepPlan> steps)
    {
        var text = string.Join(" ", steps.Select(s => s.HasGroup ? s.Group : Say.Share(s.Share)));
        return text.Length > 0 ? text : "the product's";
    }
}
