using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>What observations come to. Four different things: an unanswered question is not a good answer.</summary>
public enum Verdict
{
    Healthy,
    Unhealthy,

    /// <summary>There is data, too little to tell.</summary>
    Inconclusive,

    /// <summary>There is nothing to tell from, or the provider failed.</summary>
    NoData,
}

/// <summary>A verdict with its evidence, as it is stored.</summary>
public sealed record Judgement
{
    public required Verdict Verdict { get; init; }

    /// <summary>The evidence suffices to advance the step.</summary>
    public required bool Complete { get; init; }

    /// <summary>Why it is not healthy, or what is still missing; empty when healthy and complete.</summary>
    public required string Cause { get; init; }
    public IReadOnlyList<CheckResult> Checks { get; init; } = [];

    /// <summary>What follows when data stays away, where a check says so itself.</summary>
    public OnVerdict? OnNoData { get; init; }

    /// <summary>Of the checks that ask somebody, since the step began.</summary>
    public ReadingCounts Readings { get; init; } = ReadingCounts.None;

    /// <summary>What the looks so far have come to; the next one goes on from it. Null where the judge needs no more than the observation.</summary>
    public Evidence? Evidence { get; init; }

    public static Judgement NoData(string cause) => new() { Verdict = Verdict.NoData, Complete = false, Cause = cause };
}

/// <summary>One check's part of a judgement.</summary>
/// <param name="EValue">Of the sequential test; 0 where the check has none.</param>
/// <param name="Samples">Requests or devices that the value stands on.</param>
/// <param name="Value">The measured value, in the limit's unit.</param>
public sealed record CheckResult(string Name, Verdict Verdict, string Text, double EValue = 0, long Samples = 0, double Value = 0, double Limit = 0)
{
    /// <summary>Nothing follows from it.</summary>
    public bool DryRun { get; init; }
}
