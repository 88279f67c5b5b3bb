using System.Globalization;
using System.Text.RegularExpressions;

namespace OtaOrchestrator.Core.Plans;

/// <summary>A release as people write it: <c>thermostat-fw@2.4.0</c>.</summary>
public readonly partial record struct ReleaseName(string Name, string Version)
{
    public static ReleaseName? Parse(string? text)
    {
        if (text is null || text.Length > 128 || text.Split('@') is not [var name, var version])
        {
            return null;
        }
        return Names.IsValid(name) && VersionPattern().IsMatch(version) ? new ReleaseName(name, version) : null;
    }

    public override string ToString() => $"{Name}@{Version}";

    [GeneratedRegex(@"^[0-9]{1,9}(\.[0-9]{1,9}){0,3}(-[0-9A-Za-z.-]{1,32})?$", RegexOptions.CultureInvariant)]
    private static partial Regex VersionPattern();
}

/// <summary>Names of environments, targets, lanes and releases.</summary>
public static partial class Names
{
    public const string Rule = "lower-case letters, digits and hyphens, 1 to 63, starting and ending with a letter or digit";

    public static bool IsValid(string? name) => name is { Length: > 0 and <= 63 } && Pattern().IsMatch(name);

    /// <summary>Group names of devices may also hold capitals, as things do.</summary>
    public static bool IsGroup(string? name) => name is { Length: > 0 and <= 128 } && GroupPattern().IsMatch(name);

    /// <summary>A refused name as it may be shown: short, without control characters.</summary>
    public static string Shown(string? name)
    {
        var clean = string.Concat((name ?? "").Where(c => !char.IsControl(c)));
        return clean.Length <= 40 ? clean : clean[..40] + "…";
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();

    [GeneratedRegex("^[a-zA-Z0-9:_-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex GroupPattern();
}

/// <summary>Dotted numbers with an optional prerelease; missing parts are 0, a prerelease comes before its release.</summary>
public static class ReleaseVersion
{
    public static int Compare(string left, string right)
    {
        var (a, preA) = Split(left);
        var (b, preB) = Split(right);
        for (int i = 0; i < Math.Max(a.Length, b.Length); i++)
        {
            int order = (i < a.Length ? a[i] : 0).CompareTo(i < b.Length ? b[i] : 0);
            if (order != 0)
            {
                return order;
            }
        }
        return (preA, preB) switch
        {
            ("", "") => 0,
            ("", _) => 1,
            (_, "") => -1,
            _ => string.CompareOrdinal(preA, preB),
        };
    }

    private static (long[] Parts, string Prerelease) Split(string version)
    {
        int dash = version.IndexOf('-', StringComparison.Ordinal);
        var numbers = dash < 0 ? version : version[..dash];
        return ([.. numbers.Split('.').Select(part => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0)], dash < 0 ? "" : version[(dash + 1)..]);
    }
}
