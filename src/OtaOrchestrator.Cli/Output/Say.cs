using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Output;

/// <summary>Numbers, times and states as people read them; the same everywhere, whatever the machine's language.</summary>
internal static class Say
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Count(long n) => n.ToString("#,0", Culture);

    /// <summary>0.048 is <c>4.8%</c>, 0.5 is <c>50%</c>.</summary>
    public static string Share(double share) => (share * 100).ToString("0.##", Culture) + "%";

    /// <summary>The two largest units: <c>26h14m</c>, <c>3d4h</c>, <c>12s</c>; below 10 s with a tenth.</summary>
    public static string Span(TimeSpan span)
    {
        if (span < TimeSpan.Zero)
        {
            span = TimeSpan.Zero;
        }
        return span switch
        {
            { TotalSeconds: < 9.95 } => span.TotalSeconds.ToString("0.0", Culture) + "s",
            { TotalMinutes: < 1 } => string.Create(Culture, $"{(int)span.TotalSeconds}s"),
            { TotalHours: < 1 } => string.Create(Culture, $"{span.Minutes}m{span.Seconds:00}s"),
            { TotalDays: < 2 } => string.Create(Culture, $"{(int)span.TotalHours}h{span.Minutes:00}m"),
            _ => string.Create(Culture, $"{(int)span.TotalDays}d{span.Hours}h"),
        };
    }

    public static string Clock(Timestamp? time, TimeZoneInfo zone) =>
        time is null ? "--:--:--" : TimeZoneInfo.ConvertTime(time.ToDateTimeOffset(), zone).ToString("HH:mm:ss", Culture);

    /// <summary>Time of day when near, with the date otherwise.</summary>
    public static string Moment(Timestamp time, DateTimeOffset now, TimeZoneInfo zone)
    {
        var at = TimeZoneInfo.ConvertTime(time.ToDateTimeOffset(), zone);
        return (at - now).Duration() < TimeSpan.FromHours(20) ? at.ToString("HH:mm", Culture) : at.ToString("yyyy-MM-dd HH:mm", Culture);
    }

    public static string Ago(Timestamp? time, DateTimeOffset now) => time is null ? "never" : Whole(now - time.ToDateTimeOffset()) + " ago";

    private static string Whole(TimeSpan span) => span.TotalSeconds < 10 ? string.Create(Culture, $"{Math.Max(0, (int)span.TotalSeconds)}s") : Span(span);

    /// <summary><c>ROLLOUT_STATE_ROLLING_BACK</c> is <c>ROLLING BACK</c>.</summary>
    public static string State(RolloutState state) => state switch
    {
        RolloutState.Unspecified => "UNKNOWN",
        RolloutState.AwaitingApproval => "AWAITING APPROVAL",
        RolloutState.AwaitingPromotion => "AWAITING PROMOTION",
        RolloutState.AwaitingUndo => "AWAITING UNDO",
        RolloutState.RollingBack => "ROLLING BACK",
        RolloutState.RolledBack => "ROLLED BACK",
        RolloutState.RollbackStuck => "ROLLBACK STUCK",
        _ => state.ToString().ToUpperInvariant(),
    };

    public static string Verdict(string verdict) => verdict switch
    {
        "noData" => "NO DATA",
        "" => "NOT YET JUDGED",
        _ => Terminal.Clean(verdict).ToUpperInvariant(),
    };

    public static string Plural(long n, string one) => string.Create(Culture, $"{Count(n)} {one}{(n == 1 ? "" : "s")}");
}
