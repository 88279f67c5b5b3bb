using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Server.Checks;

/// <summary>Somebody who is asked how a candidate is doing. Throws I/O and cancellation exceptions: those are no data, told by <see cref="CheckReadings"/>.</summary>
internal interface ICheckSource
{
    /// <param name="address">One of the question's.</param>
    Task<CheckReading> ReadAsync(CheckQuestion question, Uri address, CancellationToken cancellation);
}

/// <summary>One check of one lane, asked now.</summary>
internal sealed record CheckQuestion(Rollout Rollout, Lane Lane, CheckPlan Check)
{
    private const string Candidate = "{candidate}";
    private const string Baseline = "{baseline}";

    /// <summary>The check's URL for each address of the release that it names, the URL itself when it names none; or why there is nobody to ask.</summary>
    public (IReadOnlyList<Uri> Addresses, string? Problem) Addresses()
    {
        if (Check.Source == CheckSources.CloudWatch)
        {
            // Where it answers is the SDK's business.
            return ([new Uri("aws:cloudwatch")], null);
        }
        var url = Check.Url ?? "";
        foreach (var (side, release) in ((string, Core.Ports.TargetRelease)[])[(Candidate, Lane.Candidate), (Baseline, Lane.Fallback)])
        {
            if (url.StartsWith(side, StringComparison.Ordinal))
            {
                return release.Addresses.Count == 0 ? ([], $"{release} has no address") : Checked(release.Addresses.Select(address => address.TrimEnd('/') + url[side.Length..]));
            }
        }
        return Checked([url]);
    }

    /// <summary>The plan was checked when the rollout was created; what a release's addresses make of it was not.</summary>
    private static (IReadOnlyList<Uri> Addresses, string? Problem) Checked(IEnumerable<string> urls)
    {
        List<Uri> addresses = [];
        foreach (var url in urls)
        {
            if (CheckSources.Address(url) is not { } address)
            {
                return ([], $"{Names.Shown(url)} is not an address that is asked: https, or http on this machine");
            }
            addresses.Add(address);
        }
        return (addresses, null);
    }

    /// <summary>The query with the releases' names in it, escaped so that no name ends the string that it stands in.</summary>
    public string Query() => (Check.Query ?? "")
        .Replace(Candidate, Escaped(Lane.Candidate.ToString()), StringComparison.Ordinal)
        .Replace(Baseline, Escaped(Lane.Fallback.ToString()), StringComparison.Ordinal);

    private static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)
        // Nothing escapes a back quote within two of them; so it is left out, and matches no release.
        .Replace("`", "", StringComparison.Ordinal);
}
