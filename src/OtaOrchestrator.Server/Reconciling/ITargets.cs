using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Server.Reconciling;

/// <summary>Finds the adapter of a target. The embedded stack and tests compose different ones.</summary>
public interface ITargets
{
    ITarget Of(string environment, string target);
}
