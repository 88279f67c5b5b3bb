using System.CommandLine;
using System.Text.Json.Serialization;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Cli.Commands;

internal static class PlanExplainCommand
{
    public static Command Create(CliHost host)
    {
        var plan = new Argument<string[]>("plan") { Description = "A plan file, - for standard input, or target=release@version for each lane.", Arity = ArgumentArity.OneOrMore };
        return new Command("explain", "Show a plan with every default and where it comes from; works without a server.") { plan }.Does(host, async session =>
        {
            var found = PlanCheck.Valid(PlanSource.Valid(await PlanSource.Read(host, session.Required(plan), session.Cancellation)));
            var document = new ExplainDocument([.. found.Defaults.Select(d => new ExplainedDefault(d.Path, d.Value, d.Origin))]);
            session.Report.Answer(document, ExplainJson.Default.ExplainDocument, () =>
            [
                .. found.Filled.Lanes.Select(lane => Terminal.Clean($"LANE {lane.Name}  {lane.Target} to {lane.Release}{(lane.Fallback is { } back ? ", back to " + back : ", back to what the target is on")}{(lane.Needs.IsDefaultOrEmpty ? "" : ", needs " + string.Join(", ", lane.Needs))}")),
                .. Table.Lines(["LEFT OUT", "TAKEN", "FROM"], [.. document.Defaults.Select(d => new[] { d.Path, d.Value, d.Origin })]),
            ]);
            return ExitCode.Ok;
        });
    }
}

internal sealed record ExplainDocument(IReadOnlyList<ExplainedDefault> Defaults);

internal sealed record ExplainedDefault(string Path, string Value, string Origin);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ExplainDocument))]
internal sealed partial class ExplainJson : JsonSerializerContext;
