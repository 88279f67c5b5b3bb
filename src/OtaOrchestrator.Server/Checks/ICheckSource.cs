using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Server.Checks;

/// <summary>Somebody who is asked how a candidate is doing. Throws I/O and cancellation exceptions: those are no data, told by <see cref="CheckReadings"/>.</summary>
internal interface ICheckSource
{
    Task<CheckReading> ReadAsync(CheckQuestion question, CancellationToken cancellation);
}

/// <summary>One check of one lane, asked now.</summary>
internal sealed record CheckQuestion(Rollout Rollout, Lane Lane, CheckPlan Check)
{
    private const string Candidate = "{candidate}";
    private const string Baseline = "{baseline}";

    /// <summary>The check's URL for each address of the release that it names; the URL itself when it names none.</summary>
    public IReadOnlyList<Uri> Addresses()
    {
        var url = Check.Url ?? "";
        foreach (var (side, release) in ((string, Core.Ports.TargetRelease)[])[(Candidate, Lane.Candidate), (Baseline, Lane.Fallback)])
        {
            if (url.StartsWith(side, StringComparison.Ordinal))
            {
                return [.. release.Addresses.Select(address => new Uri(address.TrimEnd('/') + url[side.Length..]))];
            }
        }
        return [new Uri(url)];
    }

    /// <summary>The query with the releases' names in it, escaped so that no name ends the string that it stands in.</summary>
    public string Query() => (Check.Query ?? "")
        .Replace(Candidate, Escaped(Lane.Candidate.ToString()), StringComparison.Ordinal)
        .Replace(Baseline, Escaped(Lane.Fallback.ToString()), StringComparison.Ordinal);

    private static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
