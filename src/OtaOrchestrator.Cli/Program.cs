using OtaOrchestrator.Cli;

return await CommandTree.RunAsync(args, CliHost.OfProcess());
