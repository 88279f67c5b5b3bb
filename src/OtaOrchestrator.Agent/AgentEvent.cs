namespace OtaOrchestrator.Agent;

/// <summary>Something worth a line: <c>enrolled</c>, <c>connected</c>, <c>reported</c>, <c>disconnected</c>, <c>job</c>, <c>resolved</c>, <c>booted</c>, <c>rebooting</c>, <c>health</c>.</summary>
public sealed record AgentEvent(string Thing, string Event, string Text);
