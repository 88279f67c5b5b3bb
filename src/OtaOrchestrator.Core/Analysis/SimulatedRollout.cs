using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>What holds from one look to the next.</summary>
/// <param name="Share">Of the requests that reach the candidate, 0 to 1.</param>
/// <param name="Requests">Of both sides together.</param>
/// <param name="BaselineErrors">Chance that one of the baseline's requests fails, 0 to 1.</param>
/// <param name="CandidateErrors">The same for one of the candidate's.</param>
public readonly record struct Conditions(double Share, long Requests, double BaselineErrors, double CandidateErrors);

/// <param name="Number">From 1.</param>
public readonly record struct SimulatedLook(int Number, TrafficObservation Seen, Judgement Judgement);

/// <summary>A rollout of a back end whose error rates are known, judged by the judge itself: so limits can be tried before anybody depends on them.</summary>
public sealed record SimulatedRollout
{
    public required CheckPlan Check { get; init; }
    public required double FalseAbortMax { get; init; }

    /// <summary>By the look's number, from 1.</summary>
    public required Func<int, Conditions> At { get; init; }

    /// <summary>One look after the other, for as long as the caller goes on; the same for the same seed.</summary>
    public IEnumerable<SimulatedLook> Run(ulong seed)
    {
        var draws = new Draws(seed);
        var lane = new LanePlan { Checks = [Check] };
        var now = new TrafficObservation("simulated", SideCounters.Zero, SideCounters.Zero);
        var since = now;
        var step = new StepPlan();
        Evidence? evidence = null;
        for (int number = 1; ; number++)
        {
            var conditions = At(number);
            if (step.Share != conditions.Share)
            {
                step = new StepPlan { Share = conditions.Share };
                since = now;
            }
            long candidate = draws.Successes(conditions.Requests, conditions.Share);
            long baseline = conditions.Requests - candidate;
            now = now with
            {
                Candidate = new(now.Candidate.Requests + candidate, now.Candidate.Errors + draws.Successes(candidate, conditions.CandidateErrors)),
                Baseline = new(now.Baseline.Requests + baseline, now.Baseline.Errors + draws.Successes(baseline, conditions.BaselineErrors)),
            };
            var judgement = Judge.Of(new Look(lane, step, since, now, FalseAbortMax) { Evidence = evidence });
            evidence = judgement.Evidence;
            yield return new SimulatedLook(number, now, judgement);
        }
    }
}
