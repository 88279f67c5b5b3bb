using System.Globalization;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Benchmarks;

/// <summary>
/// Errors that users see before a bad release is caught, and good releases that are aborted: our judge, the rules of other controllers and Wald's test that is told
/// the effect beforehand, given the same samples. Simulated and seeded: the figures are the same on every machine.
/// </summary>
internal static class DetectionBenchmark
{
    private const double Limit = 1.25;
    private const double FalseAbortMax = 0.01;
    private const int LookSeconds = 5;
    private const int Looks = 100 * 60 / LookSeconds;
    private static readonly double[] Effects = [1, 2, 3, 5, 10];

    public static Task<Result> RunAsync()
    {
        (double Ratio, double Ours, double Peer) worst = default;
        foreach (double effect in Effects)
        {
            var samples = Enumerable.Range(0, effect == 1 ? 1000 : 400).Select(run => Sample.Draw(effect, (ulong)run)).ToList();
            double ours = 0;
            foreach (var (name, rule) in Rules(effect))
            {
                var found = samples.Select(sample => Seen(sample, rule())).ToList();
                double aborted = found.Count(run => run.Aborted) / (double)found.Count;
                double errors = found.Average(run => (double)run.Errors);
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"detect {effect,2:0} x  {name,-38} {(effect == 1 ? "aborted falsely" : "caught         ")} {aborted,7:0.0%}   candidate errors seen {errors,7:0.0}"));
                ours = name == "ours" ? errors : ours;
                if (name == "SPRT tuned to the effect" && ours / errors > worst.Ratio)
                {
                    worst = (ours / errors, ours, errors);
                }
            }
        }
        return Task.FromResult(new Result("candidate errors until caught, worst of 2, 3, 5, 10 x", "Wald's SPRT tuned to the effect", "errors", worst.Ours, worst.Peer, worst.Ratio, "<= 1.5", worst.Ratio <= 1.5));
    }

    private static IEnumerable<(string Name, Func<Func<Sample, bool>> Rule)> Rules(double effect)
    {
        yield return ("ours", Ours);
        if (effect > 1)
        {
            yield return ("SPRT tuned to the effect", () => Sprt(effect));
        }
        // What is measured each minute fails when it is worse than the limit allows, or when success falls below the 99 % of the manuals' examples.
        yield return ("Argo, over 1.25 x, failureLimit 3", () => Minutely(minute => minute.OverRatio, failures => failures > 3, late: 0));
        yield return ("Argo, under 99 %, failureLimit 3", () => Minutely(minute => minute.Under99, failures => failures > 3, late: 0));
        yield return ("Flagger, over 1.25 x, threshold 5", () => Minutely(minute => minute.OverRatio, failures => failures >= 5, late: 1));
        yield return ("Flagger, under 99 %, threshold 5", () => Minutely(minute => minute.Under99, failures => failures >= 5, late: 1));
        yield return ("Kayenta, Mann-Whitney 98 %, 50 points", Kayenta);
    }

    private static (bool Aborted, long Errors) Seen(IReadOnlyList<Sample> samples, Func<Sample, bool> aborts)
    {
        long errors = 0;
        foreach (var sample in samples)
        {
            errors += sample.Candidate.Bad;
            if (aborts(sample))
            {
                return (true, errors);
            }
        }
        return (false, errors);
    }

    private static Func<Sample, bool> Ours()
    {
        var lane = new LanePlan { Checks = [new CheckPlan { Name = "errors", Source = CheckSources.Router, Against = "baseline", RatioMax = Limit, SamplesMin = 200 }] };
        var step = new StepPlan { Share = Sample.Share };
        var start = new TrafficObservation("simulated", SideCounters.Zero, SideCounters.Zero);
        Evidence? evidence = null;
        Tally candidate = default;
        Tally baseline = default;
        return sample =>
        {
            candidate += sample.Candidate;
            baseline += sample.Baseline;
            var now = start with { Candidate = new(candidate.Requests, candidate.Bad), Baseline = new(baseline.Requests, baseline.Bad) };
            var judgement = Judge.Of(new Look(lane, step, start, now, FalseAbortMax) { Evidence = evidence });
            evidence = judgement.Evidence;
            return judgement.Verdict == Verdict.Unhealthy;
        };
    }

    /// <summary>The most powerful sequential test for one effect against the limit; useless for any other effect.</summary>
    private static Func<Sample, bool> Sprt(double effect)
    {
        double log = 0;
        return sample =>
        {
            var (candidate, baseline) = (sample.Candidate, sample.Baseline);
            log += (candidate.Bad * Math.Log(effect / Limit))
                - ((candidate.Bad + baseline.Bad) * Math.Log(((effect * candidate.Requests) + baseline.Requests) / ((Limit * candidate.Requests) + baseline.Requests)));
            return log >= Math.Log(1 / FalseAbortMax);
        };
    }

    /// <param name="late">Ticks until the count of failures is looked at.</param>
    private static Func<Sample, bool> Minutely(Func<Sample, bool> fails, Func<int, bool> enough, int late)
    {
        var minute = default(Sample);
        var (looks, failures, waited) = (0, 0, 0);
        return sample =>
        {
            minute = minute.And(sample);
            if (++looks % (60 / LookSeconds) != 0)
            {
                return false;
            }
            bool decided = enough(failures);
            failures += fails(minute) ? 1 : 0;
            minute = default;
            waited += decided ? 1 : 0;
            return late == 0 ? enough(failures) : waited >= late;
        };
    }

    /// <summary>A point a minute for each side; judged at every fiftieth. "High" when the candidate's rates rank above the baseline's, 98 % two-sided.</summary>
    private static Func<Sample, bool> Kayenta()
    {
        List<double> candidate = [];
        List<double> baseline = [];
        var minute = default(Sample);
        int looks = 0;
        return sample =>
        {
            minute = minute.And(sample);
            if (++looks % (60 / LookSeconds) != 0)
            {
                return false;
            }
            candidate.Add(minute.Candidate.Rate());
            baseline.Add(minute.Baseline.Rate());
            minute = default;
            return candidate.Count % 50 == 0 && MannWhitney(candidate, baseline) > 2.326;
        };
    }

    /// <summary>Standard errors by which the first group ranks above the second; ties count half.</summary>
    private static double MannWhitney(List<double> one, List<double> other)
    {
        double above = one.Sum(value => other.Sum(against => value > against ? 1 : value == against ? 0.5 : 0));
        double n = one.Count;
        double m = other.Count;
        double ties = one.Concat(other).GroupBy(value => value).Sum(group => Math.Pow(group.Count(), 3) - group.Count());
        double spread = Math.Sqrt(n * m / 12 * (n + m + 1 - (ties / ((n + m) * (n + m - 1)))));
        return spread == 0 ? 0 : (above - (n * m / 2)) / spread;
    }

    private readonly record struct Sample(Tally Candidate, Tally Baseline)
    {
        public const double Share = 0.1;
        private const int RequestsPerLook = 200 * LookSeconds;
        private const double BaselineErrors = 0.002;

        public bool OverRatio => Candidate.Rate() > Limit * Baseline.Rate();
        public bool Under99 => Candidate.Rate() > 0.01;

        public Sample And(Sample other) => new(Candidate + other.Candidate, Baseline + other.Baseline);

        public static IReadOnlyList<Sample> Draw(double effect, ulong run)
        {
            var draws = new Draws(run);
            var samples = new Sample[Looks];
            for (int look = 0; look < Looks; look++)
            {
                long candidate = draws.Successes(RequestsPerLook, Share);
                long baseline = RequestsPerLook - candidate;
                samples[look] = new(new(candidate, draws.Successes(candidate, BaselineErrors * effect)), new(baseline, draws.Successes(baseline, BaselineErrors)));
            }
            return samples;
        }
    }
}
