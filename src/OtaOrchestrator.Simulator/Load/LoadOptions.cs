namespace OtaOrchestrator.Simulator.Load;

internal sealed record LoadOptions
{
    public required Uri Url { get; init; }
    public required string AuthorityFile { get; init; }
    public double RatePerSecond { get; init; } = 200;

    /// <summary>Null: until a signal.</summary>
    public TimeSpan? Duration { get; init; }

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
    public Version HttpVersion { get; init; } = System.Net.HttpVersion.Version20;
    public string? ReportFile { get; init; }

    /// <summary>See <see cref="RequestLog"/>.</summary>
    public string? LogFile { get; init; }
}
