namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>When the share of users on the candidate changed, as the journal tells it.</summary>
internal static class Switches
{
    /// <summary>From the decision on: the new weights hold at once, what connections and caches make of them comes after.</summary>
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(1);

    /// <summary>One window for each change of the share, in their order.</summary>
    public static IEnumerable<Window> Of(Told told)
    {
        var shares = told.Rollout.Plan.Lanes[0].Steps.Select(step => step.Share).ToList();
        double now = 0;
        var step = 0;
        foreach (var entry in told.Journal)
        {
            double? next = BadAct.Word(entry.To) switch
            {
                "exposing" when BadAct.Word(entry.From) != "exposing" && step < shares.Count => shares[step++],
                "rollingback" => 0,
                _ => null,
            };
            if (next is { } share && share != now)
            {
                now = share;
                var at = entry.Time.ToDateTimeOffset();
                yield return new Window(at.ToUnixTimeMilliseconds(), (at + Span).ToUnixTimeMilliseconds());
            }
        }
    }

    /// <summary>Requests sent while weights switched, over those of the time in which nothing was changed. What the slow candidate answered is in neither: that is its own doing.</summary>
    /// <param name="whole">Of the comparison.</param>
    /// <param name="disturbed">By something else than a switch; in neither.</param>
    public static (double? SwitchingMs, double? QuietMs) P99(TrafficStory traffic, Window whole, IReadOnlyList<Window> switches, IReadOnlyList<Window> disturbed)
    {
        var counted = traffic.Short.Where(request => request.Ending == Ending.Answered && request.Told != Cast.ApiSlow && whole.Holds(request.SentMs) && !disturbed.Any(window => window.Holds(request.SentMs)));
        var sides = counted.ToLookup(request => switches.Any(window => window.Holds(request.SentMs)));
        return (RequestRecord.P99Ms(sides[true]), RequestRecord.P99Ms(sides[false]));
    }
}
