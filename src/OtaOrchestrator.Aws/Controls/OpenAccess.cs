using Amazon.AccessAnalyzer;
using Amazon.AccessAnalyzer.Model;

namespace OtaOrchestrator.Aws.Controls;

/// <param name="Analyzers">ARNs of those that look at the account or its organization; empty where nobody looks.</param>
/// <param name="Findings">Active ones.</param>
/// <param name="Complete">False when there were more than are read.</param>
public sealed record OpenAccessReading(DateTimeOffset ReadAt, IReadOnlyList<string> Analyzers, IReadOnlyList<OpenAccessFinding> Findings, bool Complete);

/// <param name="Id">The evidence.</param>
/// <param name="Resource">Its ARN.</param>
/// <param name="Public">Open to everybody, not only to another account.</param>
public sealed record OpenAccessFinding(string Id, string Resource, bool Public, DateTimeOffset FoundAt);

/// <summary>What IAM Access Analyzer finds open to somebody outside the account.</summary>
public sealed class OpenAccess(IAmazonAccessAnalyzer analyzer, TimeProvider time)
{
    private const int PageSize = 100;

    public async Task<OpenAccessReading> ReadAsync(CancellationToken cancellation)
    {
        var readAt = time.GetUtcNow();
        var (analyzers, complete) = await Pages.AllAsync(async next =>
        {
            var page = await analyzer.ListAnalyzersAsync(new ListAnalyzersRequest { MaxResults = PageSize, NextToken = next }, cancellation);
            return (page.Analyzers, page.NextToken);
        });
        // Others look for what nobody uses.
        var arns = analyzers.Where(one => one.Status == AnalyzerStatus.ACTIVE && (one.Type == Amazon.AccessAnalyzer.Type.ACCOUNT || one.Type == Amazon.AccessAnalyzer.Type.ORGANIZATION)).Select(one => one.Arn).ToList();
        List<OpenAccessFinding> findings = [];
        foreach (var arn in arns)
        {
            var (some, all) = await Pages.AllAsync(async next =>
            {
                var request = new ListFindingsRequest { AnalyzerArn = arn, Filter = new() { ["status"] = new Criterion { Eq = ["ACTIVE"] } }, MaxResults = PageSize, NextToken = next };
                var page = await analyzer.ListFindingsAsync(request, cancellation);
                return (page.Findings, page.NextToken);
            });
            complete &= all;
            findings.AddRange(some.Select(finding => new OpenAccessFinding(
                finding.Id, finding.Resource, finding.IsPublic == true, new DateTimeOffset(DateTime.SpecifyKind(finding.CreatedAt ?? readAt.UtcDateTime, DateTimeKind.Utc)))));
        }

        return new OpenAccessReading(readAt, arns, findings, complete);
    }
}
