using System.Collections.Immutable;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>What the judge remembers from look to look. Kept with the judgement that it led to, so that a restart goes on where the last look was stored.</summary>
public sealed record Evidence
{
    public static readonly Evidence None = new();

    /// <summary>The step that <see cref="Readings"/> were taken in.</summary>
    public int Step { get; init; } = -1;

    /// <summary>Of the checks that ask somebody, by name.</summary>
    public ImmutableDictionary<string, ReadingCount> Readings { get; init; } = ImmutableDictionary<string, ReadingCount>.Empty;
}

/// <summary>Readings of one check since the step began.</summary>
/// <param name="FailedInRow">Failed readings since the last one that passed; readings that gave nothing count neither way.</param>
public readonly record struct ReadingCount(long Passed, int FailedInRow);
