using System.CommandLine;
using System.Text.Json.Serialization;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Tries a plan's limits on numbers of one's own, before users do.</summary>
internal static class JudgeSimulateCommand
{
    private const long LooksMax = 20_000_000;

    public static Command Create(CliHost host)
    {
        var baseline = Text("--baseline-errors", "SHARE", "Requests that fail on the release in use, for example 0.2%.", null);
        var candidate = Text("--candidate-errors", "SHARE", "Requests that fail on the new release.", null);
        var share = Text("--share", "SHARE", "Requests that reach the new release.", "5%");
        var rps = new Option<int>("--rps") { Description = "Requests per second, of both together.", HelpName = "N", DefaultValueFactory = _ => 200 }.Within(1, 10_000_000);
        var ratioMax = new Option<double>("--ratio-max") { Description = "The check's limit: errors of the new release over those of the one in use.", HelpName = "RATIO", DefaultValueFactory = _ => 1.25 };
        var falseAbortMax = Text("--false-abort-max", "SHARE", "Good releases that may be aborted.", "1%");
        var interval = Text("--interval", "TIME", "Between two looks.", "30s");
        var looks = new Option<int>("--looks") { Description = "Looks until the bake is over.", HelpName = "N", DefaultValueFactory = _ => 100 }.Within(1, 100_000);
        var runs = new Option<int>("--runs") { Description = "Rollouts to simulate.", HelpName = "N", DefaultValueFactory = _ => 2000 }.Within(1, 1_000_000);
        var samplesMin = new Option<int>("--samples-min") { Description = "Requests below which nothing is said.", HelpName = "N", DefaultValueFactory = _ => 200 }.Within(0, 1_000_000_000);
        var seed = new Option<int>("--seed") { Description = "The same seed gives the same runs.", HelpName = "N", DefaultValueFactory = _ => 1 }.Within(0, int.MaxValue);
        return new Command("simulate", "Try limits on your own numbers: how soon a bad release is caught, how often a good one is aborted. Works without a server.")
        {
            baseline, candidate, share, rps, ratioMax, falseAbortMax, interval, looks, runs, samplesMin, seed,
        }.Does(host, session =>
        {
            List<PlanViolation> wrong = [];
            var trial = new Trial
            {
                BaselineErrors = Share(baseline),
                CandidateErrors = Share(candidate),
                Share = Share(share),
                RequestsPerSecond = session.Get(rps),
                RatioMax = session.Get(ratioMax),
                FalseAbortMax = Share(falseAbortMax),
                Interval = Taken(PlanValue.Duration(interval.Name, session.Get(interval)!)),
                Looks = session.Get(looks),
                Runs = session.Get(runs),
                SamplesMin = session.Get(samplesMin),
                Seed = session.Get(seed),
            };
            Refuse(trial, wrong);
            var result = trial.Run(session.Cancellation);
            session.Report.Answer(result, TrialJson.Default.TrialResult, () => TrialView.Lines(trial, result, session.Report.Glyphs));
            return Task.FromResult(ExitCode.Ok);

            double Share(Option<string> option) => Taken(PlanValue.Share(option.Name, session.Get(option)!));

            T Taken<T>((T Value, PlanViolation? Wrong) read)
            {
                if (read.Wrong is { } violation)
                {
                    wrong.Add(violation);
                }
                return read.Value;
            }
        });
    }

    private static void Refuse(Trial trial, List<PlanViolation> wrong)
    {
        Unless(trial.RatioMax is >= 1 and < EProcess.RatioMax, "--ratio-max", $"lies between 1 and {EProcess.RatioMax}");
        Unless(trial.FalseAbortMax is > 0 and <= 0.5, "--false-abort-max", "is more than 0 % and at most 50 %");
        Unless(trial.Share is > 0, "--share", "is more than nothing: without requests nothing is judged");
        Unless(trial.Interval >= TimeSpan.FromMilliseconds(100), "--interval", "is at least 100ms");
        Unless((long)trial.Looks * trial.Runs <= LooksMax, "--runs", $"times --looks is at most {Say.Count(LooksMax)}");
        if (wrong.Count > 0)
        {
            throw new CliFailure(ExitCode.Invalid, "nothing can be simulated") { Violations = [.. wrong.Select(v => new Violation(v.Path, v.Text, v.Hint))] };
        }

        void Unless(bool holds, string option, string text)
        {
            if (!holds && wrong.All(v => v.Path != option))
            {
                wrong.Add(new PlanViolation(option, text));
            }
        }
    }

    private static Option<string> Text(string name, string help, string description, string? otherwise)
    {
        var option = new Option<string>(name) { Description = description, HelpName = help, Required = otherwise is null };
        if (otherwise is not null)
        {
            option.DefaultValueFactory = _ => otherwise;
        }
        return option;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(TrialResult))]
internal sealed partial class TrialJson : JsonSerializerContext;
