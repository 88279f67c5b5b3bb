using System.Net;

namespace OtaOrchestrator.Simulator.Backend;

internal sealed record BackendOptions
{
    public required string Version { get; init; }
    public required IPEndPoint Listen { get; init; }
    public required string Certificate { get; init; }
    public required string Key { get; init; }

    /// <summary>Share of requests under <c>/api</c> that are answered with 500.</summary>
    public double ErrorRate { get; init; }

    public TimeSpan Latency { get; init; }
    public string? ReadyFile { get; init; }
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);
}
