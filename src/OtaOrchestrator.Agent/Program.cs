return await OtaOrchestrator.Agent.AgentCommand.Create().Parse(args).InvokeAsync();
