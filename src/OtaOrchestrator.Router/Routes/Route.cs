using System.Security.Cryptography;
using System.Text;
using OtaOrchestrator.Router.Statistics;

namespace OtaOrchestrator.Router.Routes;

/// <summary>A route as traffic sees it: never edited, only swapped.</summary>
internal sealed record Route(string Name, RouteMatch Match, RouteSpec Spec)
{
    public required IReadOnlyList<Destination> Baseline { get; init; }
    public required IReadOnlyList<Destination> Candidate { get; init; }
    public required RouteStatistics Statistics { get; init; }

    /// <summary>The lease ran out and its holder asked for the baseline in that case.</summary>
    public bool LeaseLost { get; init; }

    /// <summary>Compared with <c>x-ota-preview</c>; null when nobody may preview.</summary>
    public byte[]? PreviewToken { get; init; }

    /// <summary>Seals the numbers that clients carry; null when they carry none.</summary>
    public StickyCookie? Sticky { get; init; }

    public byte[]? StickyKey { get; init; }

    /// <summary>Share of the baseline's requests that is copied. A lost lease ends it: nobody looks at the copies any more.</summary>
    public double MirrorShare => LeaseLost || Candidate.Count == 0 ? 0 : Spec.Mirror ?? 0;

    public double CandidateWeight => LeaseLost || Candidate.Count == 0 ? 0 : Spec.CandidateWeight;

    public IEnumerable<Destination> Destinations => Baseline.Concat(Candidate);

    public Side Choose(string? preview, double draw)
    {
        if (preview is not null && PreviewToken is not null && Candidate.Count > 0
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(preview), PreviewToken))
        {
            return Side.Preview;
        }
        return draw < CandidateWeight ? Side.Candidate : Side.Baseline;
    }

    public IReadOnlyList<Destination> Of(Side side) => side == Side.Baseline ? Baseline : Candidate;

    /// <summary>The less busy of two at random. Among the baseline's addresses an unhealthy one is left out; the candidate's trouble must show, so nothing is left out there.</summary>
    public Destination? Pick(Side side, IReadOnlyCollection<Destination> tried)
    {
        var all = Of(side);
        if (all.Count == 1 && tried.Count == 0)
        {
            return all[0];
        }
        var left = all.Where(destination => !tried.Contains(destination)).ToList();
        if (side == Side.Baseline && left.Exists(destination => destination.Health.State != HealthState.Unhealthy))
        {
            left.RemoveAll(destination => destination.Health.State == HealthState.Unhealthy);
        }
        if (left.Count == 0)
        {
            return null;
        }
        var first = left[Random.Shared.Next(left.Count)];
        var second = left[Random.Shared.Next(left.Count)];
        return second.ConcurrentRequests < first.ConcurrentRequests ? second : first;
    }
}
