using System.Globalization;
using OtaOrchestrator.Cli.Commands;

namespace OtaOrchestrator.Cli.Output;

/// <summary>What a trial of limits came to.</summary>
internal static class TrialView
{
    public static IEnumerable<string> Lines(Trial trial, TrialResult result, Glyphs glyphs)
    {
        var total = trial.Interval * trial.Looks;
        yield return $"SIMULATED  {Say.Plural(trial.Runs, "rollout")}: {Say.Count(trial.RequestsPerSecond)} requests/s, {Say.Share(trial.Share)} to the candidate";
        yield return $"  looks      every {Say.Span(trial.Interval)}, {Say.Plural(trial.Looks, "look")} in {Say.Span(total)}";
        yield return $"  errors     candidate {Say.Share(trial.CandidateErrors)}, baseline {Say.Share(trial.BaselineErrors)}{Ratio(trial)}";
        yield return $"  limit      {trial.RatioMax.ToString("0.##", CultureInfo.InvariantCulture)} times; good releases aborted at most {Say.Share(trial.FalseAbortMax)}";
        yield return trial.WithinLimit
            ? $"ABORTED    {Say.Share(result.Aborted)} of runs, all of them falsely: it is within the limit"
            : $"CAUGHT     {Say.Share(result.Aborted)} of runs";
        if (result is { MedianSeconds: { } median, P90Seconds: { } p90, MedianErrors: { } medianErrors, P90Errors: { } p90Errors })
        {
            yield return $"  median     {Say.Span(TimeSpan.FromSeconds(median)),-8} {Say.Plural(medianErrors, "candidate error")}";
            yield return $"  90%        {Say.Span(TimeSpan.FromSeconds(p90)),-8} {Say.Plural(p90Errors, "candidate error")}";
        }
        yield return $"PROMOTED   {Say.Share(result.Promoted)} of runs, healthy after the last look";
        yield return $"HELD       {Say.Share(result.Held)} of runs, too little to tell or not proven";
        yield return "";
        yield return "aborted so far, share of runs";
        foreach (var line in Plot.Lines(result.AbortedByLook, Say.Span(TimeSpan.Zero), Say.Span(total / 2), Say.Span(total), glyphs))
        {
            yield return line;
        }
    }

    private static string Ratio(Trial trial) =>
        trial.BaselineErrors > 0 ? $": {(trial.CandidateErrors / trial.BaselineErrors).ToString("0.##", CultureInfo.InvariantCulture)} times" : "";
}
