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

    /// <summary>
    /// Requests sent while weights switched, beside those of the second before each switch, in which nothing was changed: whatever else the machine had to do, it had to do in both.
    /// What the slow candidate answered is in neither: that is its own doing.
    /// </summary>
    /// <param name="disturbed">By something else than a switch; in neither.</param>
    public static (double? SwitchingMs, double? QuietMs) P99(IReadOnlyList<RequestRecord> requests, IReadOnlyList<Window> switches, params Window[] disturbed)
    {
        List<Window> before = [.. switches.Select(window => new Window(window.FromMs - (long)Span.TotalMilliseconds, window.FromMs - 1))];
        var counted = requests.Where(request => request.Ending == Ending.Answered && request.Told != Cast.ApiSlow && !disturbed.Any(window => window.Holds(request.SentMs))).ToLookup(Switching);
        return (RequestRecord.P99Ms(counted[true]), RequestRecord.P99Ms(counted[false].Where(request => before.Any(window => window.Holds(request.SentMs)))));

        bool Switching(RequestRecord request) => switches.Any(window => window.Holds(request.SentMs));
    }
}
