using System.Collections.Immutable;

namespace OtaOrchestrator.Core.Plans;

/// <summary>What is wrong at one place of a plan.</summary>
/// <param name="Path">For example <c>lanes[0].steps[2].share</c>.</param>
/// <param name="Line">1-based; 0 when the plan did not come as text.</param>
public sealed record PlanViolation(string Path, string Text, string? Hint = null, int Line = 0)
{
    public override string ToString() => $"{(Line > 0 ? $"line {Line}, " : "")}{Path}: {Text}{(Hint is null ? "" : $" ({Hint})")}";
}

/// <summary>The plan, or everything that keeps the text from being one.</summary>
public sealed record PlanReading(Plan? Plan, ImmutableArray<PlanViolation> Violations);
