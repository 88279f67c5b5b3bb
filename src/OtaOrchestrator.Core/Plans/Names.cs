using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OtaOrchestrator.Core.Plans;

/// <summary>Names of environments, targets, lanes and releases.</summary>
public static partial class Names
{
    public const string Rule = "lower-case letters, digits and hyphens, 1 to 63, starting and ending with a letter or digit";
    private const int ShownMax = 40;

    public static bool IsValid(string? name) => name is { Length: > 0 and <= 63 } && Pattern().IsMatch(name);

    /// <summary>Group names of devices may also hold capitals, as things do.</summary>
    public static bool IsGroup(string? name) => name is { Length: > 0 and <= 128 } && GroupPattern().IsMatch(name);

    /// <summary>A refused name as it may be shown: short, without characters that a terminal would obey or that would hide others, and never half a character.</summary>
    public static string Shown(string? name) => Printable(name, ShownMax);

    /// <summary>Somebody else's text, likewise; cut after <paramref name="most"/> characters.</summary>
    public static string Printable(string? text, int most)
    {
        var shown = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (shown.Length >= most)
            {
                return shown.Append('…').ToString();
            }
            if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator))
            {
                shown.Append(rune);
            }
        }
        return shown.ToString();
    }

    [GeneratedRegex(@"\A[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();

    [GeneratedRegex(@"\A[a-zA-Z0-9:_-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex GroupPattern();
}
