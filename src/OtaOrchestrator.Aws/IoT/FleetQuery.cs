using System.Globalization;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>Conditions in the query language of AWS fleet indexing. What a device runs is what it says in its shadow <c>ota</c>.</summary>
internal static class FleetQuery
{
    public const string Job = Ota + "job.id";
    public const string StartedAt = Ota + "job.startedAt";
    public const string Reason = Ota + "job.reason";

    /// <summary>AWS's limit on a query.</summary>
    public const int CharsMax = 1000;

    private const string Ota = "shadow.name.ota.reported.";

    public static string InGroup(string group) => $"thingGroupNames:{Quoted(group)}";

    /// <summary>The device's latest job is one of these.</summary>
    public static string LatestJobOf(string prefix) => $"{Job}:{prefix}*";

    public static string Outcome(params string[] outcomes) =>
        outcomes.Length == 1 ? $"{Ota}job.outcome:{outcomes[0]}" : $"{Ota}job.outcome:({string.Join(" OR ", outcomes)})";

    public static string Health(string health) => $"{Ota}health:{health}";

    public static string Runs(params IReadOnlyList<string> digests) => $"{Ota}digest:{OneOf(digests)}";

    public static string RanBefore(IReadOnlyList<string> digests) => $"{Ota}previousDigest:{OneOf(digests)}";

    public static string HeardSince(long epochSeconds) => $"{Ota}checkIn>={Number(epochSeconds)}";

    public static string ResolvedBy(long epochSeconds) => $"{Ota}job.resolvedAt<={Number(epochSeconds)}";

    public static string StartedIn(long from, long to) => $"{StartedAt}:[{Number(from)} TO {Number(to)}]";

    public static string All(params string[] conditions) => string.Join(" AND ", conditions.Select(Grouped));

    public static string Any(params string[] conditions) => string.Join(" OR ", conditions.Select(Grouped));

    public static string Not(string condition) => "NOT " + Grouped(condition);

    /// <summary>
    /// Disjoint conditions that together mean "in one of the exposed groups and <paramref name="condition"/>", each within the limit:
    /// their counts add up.
    /// </summary>
    public static IEnumerable<string> Within(Exposed exposed, string condition)
    {
        if (exposed.Cohorts.Count == Cohorts.Count)
        {
            // A thing of the fleet is in exactly one cohort, so all cohorts are the fleet.
            yield return All(InGroup(exposed.Fleet), condition);
            yield break;
        }

        var named = exposed.Named.Count == 0 ? null : Any([.. exposed.Named.Select(InGroup)]);
        if (named is not null)
        {
            yield return All(named, condition);
        }

        var rest = named is null ? condition : All(Not(named), condition);
        // The outer brackets are those that All puts around the groups.
        var room = CharsMax - All("", rest).Length - "(thingGroupNames:())".Length;
        var batch = new List<string>();
        foreach (var cohort in exposed.Cohorts.Select(Quoted))
        {
            if (batch.Sum(c => c.Length + " OR ".Length) + cohort.Length > room)
            {
                yield return All(InOneOf(batch), rest);
                batch.Clear();
            }

            batch.Add(cohort);
        }

        if (batch.Count > 0)
        {
            yield return All(InOneOf(batch), rest);
        }

        static string InOneOf(List<string> groups) => $"thingGroupNames:({string.Join(" OR ", groups)})";
    }

    private static string Grouped(string condition) => condition.Contains(' ', StringComparison.Ordinal) ? $"({condition})" : condition;

    private static string OneOf(IReadOnlyList<string> values) => values.Count == 1 ? Quoted(values[0]) : $"({string.Join(" OR ", values.Select(Quoted))})";

    private static string Quoted(string value) => "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
