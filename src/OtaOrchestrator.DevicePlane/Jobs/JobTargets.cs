using OtaOrchestrator.DevicePlane.Registry;

namespace OtaOrchestrator.DevicePlane.Jobs;

/// <summary>The targets of a job, stored as <c>thing/NAME</c> or <c>group/NAME</c>. A group reaches the members of its child groups too.</summary>
internal static class JobTargets
{
    public const string ThingPrefix = "thing/";
    public const string GroupPrefix = "group/";
    public const int MaxTargets = 100;

    /// <exception cref="RefusedException">Not an ARN of this account, or no such thing or group.</exception>
    public static string Parse(PlaneState state, Arn arns, string arn)
    {
        if (arns.TryThing(arn, out var thing))
        {
            return ThingPrefix + state.Thing(thing).Name;
        }

        return arns.TryGroup(arn, out var group) ? GroupPrefix + state.Group(group).Name : throw RefusedException.Invalid($"'{arn}' isn't the ARN of a thing or a thing group of this account");
    }

    public static string ToArn(Arn arns, string target) =>
        target.StartsWith(ThingPrefix, StringComparison.Ordinal) ? arns.Thing(target[ThingPrefix.Length..]) : arns.Group(target[GroupPrefix.Length..]);

    /// <summary>Each thing once, in the order of the targets and then of creation.</summary>
    public static List<Thing> Members(PlaneState state, IEnumerable<string> targets)
    {
        var seen = new HashSet<Thing>();
        var things = new List<Thing>();
        foreach (var target in targets)
        {
            IEnumerable<Thing> members = target.StartsWith(ThingPrefix, StringComparison.Ordinal)
                ? [state.Thing(target[ThingPrefix.Length..])]
                : MembersOf(state.Group(target[GroupPrefix.Length..])).OrderBy(t => t.Slot);
            things.AddRange(members.Where(seen.Add));
        }

        return things;
    }

    public static bool Reaches(PlaneState state, IEnumerable<string> targets, Thing thing) => targets.Any(
        t => t.StartsWith(ThingPrefix, StringComparison.Ordinal)
            ? t.AsSpan(ThingPrefix.Length).SequenceEqual(thing.Name)
            : state.Groups.TryGetValue(t[GroupPrefix.Length..], out var group) && Contains(group, thing));

    public static IEnumerable<Thing> MembersOf(ThingGroup group) => group.Members.Concat(group.Children.SelectMany(MembersOf));

    private static bool Contains(ThingGroup group, Thing thing) => group.Members.Contains(thing) || group.Children.Any(c => Contains(c, thing));
}
