using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>One check's evidence.</summary>
public sealed record CheckEvidence
{
    /// <summary>Share of the baseline's requests that are faster than what counts as slow.</summary>
    private const double SlowPart = 0.99;

    /// <summary>Candidate requests for each of the baseline's from which on the baseline no longer counts as running beside it.</summary>
    private const double AlonePer = 20;

    // A bound that takes whatever is slower than all the others bounds nothing.
    private const double SlowMsMax = 3_600_000;

    public required string Check { get; init; }

    /// <summary>Counters of the last look.</summary>
    public Tally CandidateSeen { get; init; }
    public Tally BaselineSeen { get; init; }

    /// <summary>The candidate since the first exposure.</summary>
    public Tally Candidate { get; init; }

    /// <summary>All that is known of the baseline: what the router had counted before the first look, and what came since.</summary>
    public Tally Baseline { get; init; }

    /// <summary>The baseline as it was known when the candidate first ran alone. It stays so: a bound that is taken anew at each look would fail in the end.</summary>
    public Tally? Frozen { get; init; }

    /// <summary>Latency: the stable 99th percentile, frozen as soon as it was known. Null before, or when it lies above the largest bound that is counted.</summary>
    public double? SlowMs { get; init; }
    public RateTest Test { get; init; } = RateTest.Begun;

    internal static CheckEvidence Begin(CheckPlan check, TrafficObservation start) =>
        Measure(new CheckEvidence { Check = check.Name }, check, start);

    internal bool IsBefore(TrafficObservation reading) =>
        reading.Candidate.Requests >= CandidateSeen.Requests && reading.Baseline.Requests >= BaselineSeen.Requests;

    /// <param name="again">Another router counts: its counters began at 0.</param>
    /// <param name="exposed">Users, not tests, made the candidate's requests.</param>
    internal CheckEvidence With(CheckPlan check, TrafficObservation seen, bool again, bool exposed, double falseAbortMax)
    {
        var before = again ? this with { CandidateSeen = default, BaselineSeen = default } : this;
        if (check.Metric == "latency" && SlowMs is null)
        {
            return Measure(before, check, seen);
        }
        var (candidate, candidateSeen) = Tally.Of(seen.Candidate, SlowMs).Since(before.CandidateSeen);
        var (baseline, baselineSeen) = Tally.Of(seen.Baseline, SlowMs).Since(before.BaselineSeen);
        var after = before with { CandidateSeen = candidateSeen, BaselineSeen = baselineSeen, Baseline = Baseline + baseline };
        return exposed && candidate.Requests > 0 ? after.Enter(check, candidate, baseline, falseAbortMax) : after;
    }

    private CheckEvidence Enter(CheckPlan check, Tally candidate, Tally baseline, double falseAbortMax)
    {
        double limit = check.RatioMax ?? 1;
        var entered = this with { Candidate = Candidate + candidate };
        // Decided by the requests alone: to look at the errors before choosing the test would spoil it.
        if (baseline.Requests * AlonePer >= candidate.Requests)
        {
            return entered with { Test = Test.Beside(candidate, baseline, limit) };
        }
        if (!Knows(check))
        {
            return entered;
        }
        var frozen = Frozen ?? Baseline;
        return entered with { Frozen = frozen, Test = Test.Alone(candidate, RateBound(frozen, RateTest.BoundPart * falseAbortMax), limit) };
    }

    /// <summary>The baseline has been seen often enough to compare with.</summary>
    internal bool Knows(CheckPlan check) => Baseline.Requests >= Math.Max(1, check.SamplesMin ?? 1) && (check.Metric != "latency" || SlowMs is not null);

    /// <summary>The rate that the true one exceeds with probability <paramref name="alpha"/> at most (Chernoff's bound for counts). After no error at all about ln(1/α) of them.</summary>
    internal static double RateBound(Tally known, double alpha)
    {
        double surprise = -Math.Log(alpha);
        double low = known.Bad;
        double high = known.Bad + (2 * surprise) + (2 * Math.Sqrt(2 * surprise * known.Bad)) + 1;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            double exponent = middle - known.Bad - (known.Bad == 0 ? 0 : known.Bad * Math.Log(middle / known.Bad));
            (low, high) = exponent < surprise ? (middle, high) : (low, middle);
        }
        return Math.Min(1, high / known.Requests);
    }

    /// <summary>Takes the counters as they stand for all that is known so far, and the percentile from them if they suffice.</summary>
    private static CheckEvidence Measure(CheckEvidence evidence, CheckPlan check, TrafficObservation start)
    {
        double? slow = check.Metric == "latency" ? SlowFrom(check, start.Baseline) : null;
        var candidate = Tally.Of(start.Candidate, slow);
        var baseline = Tally.Of(start.Baseline, slow);
        return evidence with { SlowMs = slow, CandidateSeen = candidate, BaselineSeen = baseline, Baseline = baseline };
    }

    private static double? SlowFrom(CheckPlan check, SideCounters baseline)
    {
        long requests = Tally.Of(baseline, double.PositiveInfinity).Requests;
        if (requests < Math.Max(1, check.SamplesMin ?? 1))
        {
            return null;
        }
        double? bound = null;
        foreach (var count in baseline.Latency)
        {
            if (count.UpToMs < SlowMsMax && count.Requests >= SlowPart * requests && (bound is null || count.UpToMs < bound))
            {
                bound = count.UpToMs;
            }
        }
        return bound;
    }
}
