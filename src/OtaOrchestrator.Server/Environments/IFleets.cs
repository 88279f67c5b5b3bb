namespace OtaOrchestrator.Server.Environments;

/// <summary>What the environments need of where the fleets live. The embedded device plane makes groups itself; in an account of one's own they are found.</summary>
public interface IFleets
{
    /// <summary>Sees to it that the fleet's group and cohorts are there.</summary>
    Task EnsureAsync(string fleet, CancellationToken cancellation);

    Task<long> CountAsync(string fleet, CancellationToken cancellation);
}
