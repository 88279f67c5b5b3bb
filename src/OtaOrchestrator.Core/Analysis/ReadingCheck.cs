using System.Collections.Immutable;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>What a check that asks somebody was told.</summary>
public enum Answer
{
    Passed,
    Failed,

    /// <summary>Who was asked can't tell yet.</summary>
    Undecided,

    /// <summary>No answer, or one that says nothing.</summary>
    Nothing,
}

/// <param name="Text">What was answered, for people.</param>
/// <param name="Value">Where the answer is a number.</param>
public sealed record CheckReading(Answer Answer, string Text, double? Value = null);

/// <summary>Readings since a step began. Kept with the judgement that they led to, so that a restart goes on counting.</summary>
public sealed record ReadingCounts
{
    public static readonly ReadingCounts None = new();

    public int Step { get; init; } = -1;

    /// <summary>By the checks' names.</summary>
    public ImmutableDictionary<string, ReadingCount> Checks { get; init; } = ImmutableDictionary<string, ReadingCount>.Empty;
}

/// <param name="FailedInRow">Failed readings since the last one that passed; readings that gave nothing count neither way.</param>
public readonly record struct ReadingCount(long Passed, int FailedInRow);

/// <summary>
/// Judges probes, queries and webhooks by their readings: one failure may be a hiccup, several in a row are not. A check that was well and now gives nothing is
/// no longer well: silence never acquits.
/// </summary>
internal static class ReadingCheck
{
    public static (CheckResult Result, ReadingCount Count) Of(CheckPlan check, ReadingCount before, CheckReading? reading)
    {
        int inRowMax = check.FailuresInRowMax ?? 2;
        long samplesMin = Math.Max(1, check.SamplesMin ?? 1);
        var count = reading?.Answer switch
        {
            Answer.Passed => new ReadingCount(before.Passed + 1, 0),
            Answer.Failed => before with { FailedInRow = before.FailedInRow + 1 },
            _ => before,
        };
        return (reading?.Answer switch
        {
            Answer.Failed when count.FailedInRow > inRowMax => Result(Verdict.Unhealthy, $"{reading.Text}: {count.FailedInRow} in a row (max {inRowMax})"),
            Answer.Failed => Result(Verdict.Inconclusive, $"{reading.Text}: {count.FailedInRow} in a row (max {inRowMax})"),
            Answer.Undecided => Result(Verdict.Inconclusive, reading.Text),
            Answer.Passed when count.Passed < samplesMin => Result(Verdict.Inconclusive, $"{reading.Text}: passed {count.Passed} of {samplesMin} times"),
            Answer.Passed => Result(Verdict.Healthy, reading.Text),
            _ => Result(Verdict.NoData, reading?.Text ?? "nobody was asked"),
        }, count);

        CheckResult Result(Verdict verdict, string text) => new(check.Name, verdict, text, 0, count.Passed, reading?.Value ?? 0, check.ValueMax ?? check.ValueMin ?? inRowMax);
    }
}
