namespace OtaOrchestrator.Simulator.Load;

internal sealed record StreamOptions
{
    public required Uri Url { get; init; }
    public required string AuthorityFile { get; init; }

    /// <summary>Of one stream.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(8);

    public string? ReportFile { get; init; }

    /// <summary>See <see cref="RequestLog"/>.</summary>
    public string? LogFile { get; init; }
}
