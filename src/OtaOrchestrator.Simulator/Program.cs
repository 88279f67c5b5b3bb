using System.CommandLine;
using OtaOrchestrator.Simulator.Fleet;

var root = new RootCommand("Stands in for what surrounds the orchestrator in demos, tests and benchmarks.");
root.Subcommands.Add(FleetCommand.Create());
return await root.Parse(args).InvokeAsync();
