using System.Text.RegularExpressions;

namespace OtaOrchestrator.DevicePlane.Registry;

/// <summary>The shapes of names, as AWS IoT limits them. Nothing that fails here is stored, used in a path or echoed into a topic.</summary>
internal static partial class Names
{
    /// <summary>Job ids that would collide with the reserved Jobs topics.</summary>
    private static readonly HashSet<string> ReservedJobIds = new(StringComparer.Ordinal) { "get", "start-next", "notify", "notify-next" };

    public static bool IsThing(string name) => ThingPattern().IsMatch(name);

    public static bool IsShadow(string name) => ShadowPattern().IsMatch(name);

    public static bool IsJob(string id) => JobPattern().IsMatch(id) && !ReservedJobIds.Contains(id);

    public static bool IsDigest(string key) => DigestPattern().IsMatch(key);

    public static string Thing(string name) => IsThing(name) ? name : throw RefusedException.Invalid("thingName must match [a-zA-Z0-9:_-]{1,128}");

    public static string Group(string name) => ThingPattern().IsMatch(name) ? name : throw RefusedException.Invalid("thingGroupName must match [a-zA-Z0-9:_-]{1,128}");

    public static string Job(string id) => !JobPattern().IsMatch(id)
        ? throw RefusedException.Invalid("jobId must match [a-zA-Z0-9_-]{1,64}")
        : ReservedJobIds.Contains(id) ? throw RefusedException.Invalid($"jobId '{id}' collides with a reserved topic") : id;

    /// <summary>A fleet's name leaves room for the cohorts' suffix and the devices' serial numbers.</summary>
    public static string Fleet(string name) => FleetPattern().IsMatch(name) ? name : throw RefusedException.Invalid("a fleet's name must match [a-zA-Z0-9:_-]{1,64}");

    public static void Attribute(string key, string value)
    {
        if (!ThingPattern().IsMatch(key) || !AttributeValuePattern().IsMatch(value))
        {
            throw RefusedException.Invalid("attribute names must match [a-zA-Z0-9:_-]{1,128}, values [a-zA-Z0-9_.,@/:#-]{0,800}");
        }
    }

    [GeneratedRegex(@"\A[a-zA-Z0-9:_-]{1,128}\z")]
    private static partial Regex ThingPattern();

    [GeneratedRegex(@"\A[a-zA-Z0-9:_-]{1,64}\z")]
    private static partial Regex FleetPattern();

    [GeneratedRegex(@"\A[$a-zA-Z0-9:_-]{1,64}\z")]
    private static partial Regex ShadowPattern();

    [GeneratedRegex(@"\A[a-zA-Z0-9_-]{1,64}\z")]
    private static partial Regex JobPattern();

    [GeneratedRegex(@"\A[a-zA-Z0-9_.,@/:#=\[\]-]{0,800}\z")]
    private static partial Regex AttributeValuePattern();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex DigestPattern();
}
