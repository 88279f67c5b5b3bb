namespace OtaOrchestrator.Core.Plans;

public enum TargetKind { Traffic, Fleet }
