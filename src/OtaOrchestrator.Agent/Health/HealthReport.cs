namespace OtaOrchestrator.Agent.Health;

public enum HealthState { Unknown, Healthy, Unhealthy }

/// <param name="Reason">Empty when healthy; at most 256 characters are sent.</param>
public sealed record HealthReport(HealthState State, string Reason = "");
