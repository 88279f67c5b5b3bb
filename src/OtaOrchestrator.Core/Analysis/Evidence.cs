using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Analysis;

/// <summary>
/// What a lane's looks have come to since the first exposure, over all its steps, pauses and waits. It holds the counters of the last look, so an interval is entered
/// once: whoever loses the newest evidence and goes on with an older one enters a longer interval and nothing twice.
/// </summary>
public sealed record Evidence
{
    /// <summary>Of two, the one with more looks is the newer.</summary>
    public long Looks { get; init; }

    /// <summary>Of the router that counted at the last look.</summary>
    public required string Instance { get; init; }

    /// <summary>The last look found somebody exposed.</summary>
    public bool Exposed { get; init; }
    public IReadOnlyList<CheckEvidence> Checks { get; init; } = [];

    public CheckEvidence? Of(string check) => Checks.FirstOrDefault(found => found.Check == check);

    public static Evidence? Newer(Evidence? one, Evidence? other) => one is null || other?.Looks > one.Looks ? other : one;

    /// <summary>
    /// What a look adds. The reading at the start of the step stands between two looks of which only the later one saw the new share, so the interval is split there:
    /// trouble in one half and more share in the other would look like a bad candidate.
    /// </summary>
    internal static Evidence After(Look look, TrafficObservation now, double falseAbortMax)
    {
        var since = look.Since as TrafficObservation;
        bool exposes = look.Step.Exposes();
        var evidence = look.Evidence;
        if (evidence is null)
        {
            var start = since ?? now;
            evidence = new Evidence { Instance = start.Instance, Checks = [.. look.Lane.Checks.Where(Compares).Select(check => CheckEvidence.Begin(check, start))] };
            evidence = evidence with { Exposed = exposes && since is not null };
        }
        else if (since is not null && evidence.IsBefore(since, now))
        {
            evidence = evidence.With(look.Lane, since, evidence.Exposed, falseAbortMax) with { Exposed = exposes };
        }
        return evidence.With(look.Lane, now, evidence.Exposed && exposes, falseAbortMax) with { Exposed = exposes, Looks = evidence.Looks + 1 };
    }

    /// <summary>Checks that are judged by comparing sides.</summary>
    internal static bool Compares(CheckPlan check) => check is { Source: CheckSources.Router, RatioMax: >= 1 and < EProcess.RatioMax };

    /// <summary>A reading that is neither older than the last look nor from a router that was there before it.</summary>
    private bool IsBefore(TrafficObservation since, TrafficObservation now) =>
        since.Instance == Instance ? Checks.All(check => check.IsBefore(since)) : since.Instance == now.Instance && now.Instance != Instance;

    private Evidence With(LanePlan lane, TrafficObservation seen, bool exposed, double falseAbortMax) => this with
    {
        Instance = seen.Instance,
        Checks = [.. Checks.Select(check => lane.Checks.FirstOrDefault(plan => plan.Name == check.Check) is { } plan
            ? check.With(plan, seen, again: seen.Instance != Instance, exposed, falseAbortMax) : check)],
    };
}
