using System.CommandLine;
using OtaOrchestrator.Cli.Commands;

namespace OtaOrchestrator.Cli;

/// <summary>All commands, in the order of <c>--help</c>.</summary>
internal static class CommandTree
{
    public static async Task<int> RunAsync(IReadOnlyList<string> args, CliHost host)
    {
        var result = Create(host).Parse(args);
        // A line that is being completed is not a command line yet.
        var completes = args is [var first, ..] && first.StartsWith("[suggest", StringComparison.Ordinal);
        if (result.Errors.Count > 0 && !completes)
        {
            // "Required command was not provided" says nothing beside the word that was not understood.
            var errors = result.UnmatchedTokens.Count > 0 && result.Errors.Count > 1 ? result.Errors.Skip(1) : result.Errors;
            var text = errors.Select(e => Output.Terminal.Clean(e.Message.ReplaceLineEndings(" "))).ToList();
            // A line that was not understood may have said --json all the same, and whoever reads the answer as JSON gets one.
            new Output.Report(host, json: args.Contains("--json"), color: false, quiet: false).Misunderstood(text, $"{PathOf(result.CommandResult)} --help");
            return ExitCode.Usage;
        }
        return await result.InvokeAsync(new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            // After Ctrl-C a command says what goes on; the demo ends its children.
            ProcessTerminationTimeout = TimeSpan.FromSeconds(15),
        });
    }

    public static RootCommand Create(CliHost host)
    {
        var root = new RootCommand(
            "ota - takes a back end and its devices forward together, and back together.\n\n" + ExitCode.Explanation);
        GlobalOptions.AddTo(root);
        root.Subcommands.Add(DemoCommand.Create(host));
        root.Subcommands.Add(ServeCommand.Create(host));
        root.Subcommands.Add(new Command("plan", "Write and check plans; works without a server.")
        {
            PlanInitCommand.Create(host),
            PlanLintCommand.Create(host),
            PlanExplainCommand.Create(host),
        });
        root.Subcommands.Add(new Command("judge", "What the judge would do; works without a server.") { JudgeSimulateCommand.Create(host) });
        root.Subcommands.Add(new Command("release", "What is shipped: back-end versions and signed firmware.")
        {
            ReleasePublishCommand.Create(host),
            ReleaseListCommand.Create(host),
            ReleaseShowCommand.Create(host),
            ReleaseVerifyCommand.Create(host),
            ReleaseUnholdCommand.Create(host),
        });
        root.Subcommands.Add(new Command("rollout", "Start, watch and steer rollouts.")
        {
            RolloutStartCommand.Create(host),
            RolloutGetCommand.Create(host),
            RolloutListCommand.Create(host),
            RolloutWatchCommand.Create(host),
            RolloutJournalCommand.Create(host),
            RolloutPauseCommand.Create(host),
            RolloutResumeCommand.Create(host),
            RolloutApproveCommand.Create(host),
            RolloutPromoteCommand.Create(host),
            RolloutCancelCommand.Create(host),
        });
        root.Subcommands.Add(RollbackCommand.Create(host));
        root.Subcommands.Add(HaltCommand.Create(host));
        root.Subcommands.Add(new Command("device", "Devices, as they describe themselves.")
        {
            DeviceListCommand.Create(host),
            DeviceShowCommand.Create(host),
            DeviceEnrollCommand.Create(host),
            DeviceRevokeCommand.Create(host),
            DeviceGroupCommand.Create(host),
        });
        root.Subcommands.Add(new Command("env", "Environments: staging, production ...")
        {
            EnvCreateCommand.Create(host),
            EnvListCommand.Create(host),
            EnvShowCommand.Create(host),
            EnvUseCommand.Create(host),
        });
        root.Subcommands.Add(new Command("target", "What can be changed: traffic targets and fleets.")
        {
            TargetCreateCommand.Create(host),
            TargetListCommand.Create(host),
            TargetShowCommand.Create(host),
        });
        root.Subcommands.Add(AdoptCommand.Create(host));
        root.Subcommands.Add(new Command("aws", "The account of AWS in which targets are.") { AwsDoctorCommand.Create(host) });
        root.Subcommands.Add(FsckCommand.Create(host));
        root.Subcommands.Add(VersionCommand.Create(host));
        root.Subcommands.Add(CompletionCommand.Create(host));
        root.Subcommands.Add(GuardCommand.Create(host));
        return root;
    }

    private static string PathOf(System.CommandLine.Parsing.CommandResult command)
    {
        var names = new Stack<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = command; at is System.CommandLine.Parsing.CommandResult here; at = here.Parent)
        {
            names.Push(here.Command is RootCommand ? "ota" : here.Command.Name);
        }
        return string.Join(' ', names);
    }
}
