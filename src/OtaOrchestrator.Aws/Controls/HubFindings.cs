using System.Globalization;
using Amazon.SecurityHub;
using Amazon.SecurityHub.Model;

namespace OtaOrchestrator.Aws.Controls;

/// <param name="Enabled">Whether the account uses Security Hub in this region at all.</param>
/// <param name="Findings">Active, not resolved or suppressed by anybody, of at least the severity that was asked for.</param>
/// <param name="Complete">False when there were more than are read.</param>
public sealed record HubReading(DateTimeOffset ReadAt, bool Enabled, IReadOnlyList<HubFinding> Findings, bool Complete);

/// <param name="Id">The evidence.</param>
/// <param name="CreatedAt">For gates that look at new ones only, and for how long it has been left.</param>
/// <param name="Workflow">NEW or NOTIFIED: whether somebody was told.</param>
public sealed record HubFinding(string Id, string Title, string Severity, string Resource, DateTimeOffset CreatedAt, string Workflow);

/// <summary>What Security Hub has found and nobody has mended.</summary>
public sealed class HubFindings(IAmazonSecurityHub hub, TimeProvider time)
{
    private const int PageSize = 100;

    /// <summary>From the worst down.</summary>
    private static readonly string[] Severities = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];

    /// <param name="severity">CRITICAL, HIGH, MEDIUM or LOW, and what is worse.</param>
    /// <param name="since">Only those found from then on; null for all.</param>
    public async Task<HubReading> ReadAsync(string severity, DateTimeOffset? since, CancellationToken cancellation)
    {
        var readAt = time.GetUtcNow();
        int last = Array.IndexOf(Severities, severity);
        ArgumentOutOfRangeException.ThrowIfNegative(last, nameof(severity));
        try
        {
            await hub.DescribeHubAsync(new DescribeHubRequest(), cancellation);
        }
        catch (InvalidAccessException)
        {
            return new HubReading(readAt, false, [], true);
        }

        var filters = new AwsSecurityFindingFilters
        {
            RecordState = [Equal("ACTIVE")],
            WorkflowStatus = [Equal("NEW"), Equal("NOTIFIED")],
            SeverityLabel = [.. Severities.Take(last + 1).Select(Equal)],
        };
        if (since is { } from)
        {
            filters.CreatedAt = [new DateFilter { Start = Iso(from), End = Iso(readAt) }];
        }

        var (findings, complete) = await Pages.AllAsync(async next =>
        {
            var page = await hub.GetFindingsAsync(new GetFindingsRequest { Filters = filters, MaxResults = PageSize, NextToken = next }, cancellation);
            return (page.Findings, page.NextToken);
        });
        return new HubReading(readAt, true, [.. findings.Select(Told)], complete);
    }

    private static HubFinding Told(AwsSecurityFinding finding) => new(
        finding.Id, finding.Title, finding.Severity?.Label?.Value ?? "", finding.Resources?.FirstOrDefault()?.Id ?? "",
        DateTimeOffset.Parse(finding.CreatedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal), finding.Workflow?.Status?.Value ?? "");

    private static StringFilter Equal(string value) => new() { Value = value, Comparison = StringFilterComparison.EQUALS };

    private static string Iso(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
