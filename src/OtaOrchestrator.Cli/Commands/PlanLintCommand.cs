using System.CommandLine;
using System.Text.Json.Serialization;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Cli.Commands;

internal static class PlanLintCommand
{
    public static Command Create(CliHost host)
    {
        var plan = new Argument<string[]>("plan") { Description = "A plan file, - for standard input, or target=release@version for each lane.", Arity = ArgumentArity.OneOrMore };
        var devices = new Option<long>("--devices") { Description = "Devices in a fleet: says which steps are too small to bound the failure rate.", HelpName = "N" };
        return new Command("lint", "Check a plan without a server: everything that is wrong, at once. What depends on the environment is checked by `ota rollout start --dry-run`.") { plan, devices }
            .Does(host, async session =>
            {
                var found = PlanCheck.Valid(PlanSource.Valid(await PlanSource.Read(host, session.Required(plan), session.Cancellation)));
                var document = new LintDocument(true, found.Filled.Lanes.Length, [.. PlanValidator.Notes(found.Filled, _ => session.Get(devices))]);
                session.Report.Answer(document, LintJson.Default.LintDocument, () =>
                    [$"[OK] the plan is valid: {Say.Plural(document.Lanes, "lane")}", .. document.Notes.Select(n => Terminal.Clean("  note  " + n))]);
                return ExitCode.Ok;
            });
    }
}

internal sealed record LintDocument(bool Valid, int Lanes, IReadOnlyList<string> Notes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LintDocument))]
internal sealed partial class LintJson : JsonSerializerContext;
