using System.Collections.Immutable;

namespace OtaOrchestrator.Core.Plans;

/// <summary>What is wrong at one place of a plan.</summary>
/// <param name="Path">For example <c>lanes[0].steps[2].share</c>.</param>
/// <param name="Line">1-based; 0 when the plan did not come as text.</param>
public sealed record PlanViolation(string Path, string Text, string? Hint = null, int Line = 0)
{
    /// <summary>More are counted, not listed: an answer must fit where answers go.</summary>
    public const int ListedMax = 100;

    internal static ImmutableArray<PlanViolation> Listed(IReadOnlyCollection<PlanViolation> found) =>
        found.Count <= ListedMax ? [.. found] : [.. found.Take(ListedMax), new PlanViolation("plan", $"and {found.Count - ListedMax} more")];

    public override string ToString() => $"{(Line > 0 ? $"line {Line}, " : "")}{Path}: {Text}{(Hint is null ? "" : $" ({Hint})")}";
}

/// <summary>The plan, or everything that keeps the text from being one.</summary>
public sealed record PlanReading(Plan? Plan, ImmutableArray<PlanViolation> Violations)
{
    /// <summary>Where each value stands in the text, by its path; 1-based.</summary>
    public IReadOnlyDictionary<string, int> Lines { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>The same violations with their lines, of a plan that was checked after it was read. A value that the text leaves out has the line of what it would stand in.</summary>
    public ImmutableArray<PlanViolation> Locate(ImmutableArray<PlanViolation> violations) => [.. violations.Select(violation => violation with { Line = LineOf(violation.Path) })];

    private int LineOf(string path)
    {
        for (var at = path; at.Length > 0; at = at[..Math.Max(0, at.LastIndexOfAny(['.', '[']))])
        {
            if (Lines.TryGetValue(at, out int line))
            {
                return line;
            }
        }
        return 0;
    }
}
