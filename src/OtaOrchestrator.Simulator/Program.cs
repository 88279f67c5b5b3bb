using System.CommandLine;
using OtaOrchestrator.Simulator.Attack;
using OtaOrchestrator.Simulator.Backend;
using OtaOrchestrator.Simulator.Fleet;
using OtaOrchestrator.Simulator.Load;

var root = new RootCommand("Stands in for what surrounds the orchestrator in demos, tests and benchmarks.");
root.Subcommands.Add(FleetCommand.Create());
root.Subcommands.Add(BackendCommand.Create());
root.Subcommands.Add(LoadCommand.Create());
root.Subcommands.Add(StreamCommand.Create());
root.Subcommands.Add(ForgeCommand.Create());
return await root.Parse(args).InvokeAsync();
