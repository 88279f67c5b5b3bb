using System.Globalization;
using System.Text.RegularExpressions;

namespace OtaOrchestrator.Core.Plans;

/// <summary>
/// One to four dotted numbers with an optional prerelease: <c>5</c>, <c>5.1.0</c>, <c>5.1.0-rc.2</c>. Missing numbers are 0, a prerelease comes before its
/// release, and prereleases order as in Semantic Versioning: numbers by value, before words.
/// </summary>
public static partial class ReleaseVersion
{
    public static bool IsValid(string? version) => version is { Length: <= 80 } && Pattern().IsMatch(version);

    /// <returns>Negative, zero or positive, as in <see cref="IComparable"/>. Both are valid versions.</returns>
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
            _ => Prerelease(preA.Split('.'), preB.Split('.')),
        };
    }

    private static int Prerelease(string[] left, string[] right)
    {
        foreach (var (a, b) in left.Zip(right))
        {
            int order = (Number(a), Number(b)) switch
            {
                ({ } x, { } y) => x.CompareTo(y),
                ({ }, null) => -1,
                (null, { }) => 1,
                _ => string.CompareOrdinal(a, b),
            };
            if (order != 0)
            {
                return order;
            }
        }
        return left.Length.CompareTo(right.Length);
    }

    private static (long[] Numbers, string Prerelease) Split(string version)
    {
        int dash = version.IndexOf('-', StringComparison.Ordinal);
        var numbers = dash < 0 ? version : version[..dash];
        return ([.. numbers.Split('.').Select(part => Number(part) ?? 0)], dash < 0 ? "" : version[(dash + 1)..]);
    }

    private static long? Number(string part) => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    [GeneratedRegex(@"\A[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}(?:-(?=.{1,32}\z)[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
