using System.Buffers;
using System.Text;

namespace OtaOrchestrator.Cli.Output;

/// <summary>Text on a terminal: how many columns it takes, cut and padded by columns, free of control characters.</summary>
internal static class Terminal
{
    // Wide and full-width blocks of Unicode's EastAsianWidth, joined where nothing narrow stands between.
    private static readonly (int From, int To)[] Wide =
    [
        (0x1100, 0x115F), (0x231A, 0x231B), (0x2329, 0x232A), (0x23E9, 0x23EC), (0x23F0, 0x23F0), (0x23F3, 0x23F3), (0x25FD, 0x25FE),
        (0x2614, 0x2615), (0x2648, 0x2653), (0x267F, 0x267F), (0x2693, 0x2693), (0x26A1, 0x26A1), (0x26AA, 0x26AB), (0x26BD, 0x26BE),
        (0x26C4, 0x26C5), (0x26CE, 0x26CE), (0x26D4, 0x26D4), (0x26EA, 0x26EA), (0x26F2, 0x26F3), (0x26F5, 0x26F5), (0x26FA, 0x26FA),
        (0x26FD, 0x26FD), (0x2705, 0x2705), (0x270A, 0x270B), (0x2728, 0x2728), (0x274C, 0x274C), (0x274E, 0x274E), (0x2753, 0x2755),
        (0x2757, 0x2757), (0x2795, 0x2797), (0x27B0, 0x27B0), (0x27BF, 0x27BF), (0x2B1B, 0x2B1C), (0x2B50, 0x2B50), (0x2B55, 0x2B55),
        (0x2E80, 0x303E), (0x3041, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xA960, 0xA97F), (0xAC00, 0xD7A3),
        (0xF900, 0xFAFF), (0xFE10, 0xFE19), (0xFE30, 0xFE6F), (0xFF00, 0xFF60), (0xFFE0, 0xFFE6), (0x16FE0, 0x18DFF), (0x1AFF0, 0x1B2FF),
        (0x1F004, 0x1F004), (0x1F0CF, 0x1F0CF), (0x1F18E, 0x1F18E), (0x1F191, 0x1F19A), (0x1F200, 0x1F265), (0x1F300, 0x1F64F),
        (0x1F680, 0x1F6FF), (0x1F7E0, 0x1F7EB), (0x1F90C, 0x1F9FF), (0x1FA70, 0x1FAFF), (0x20000, 0x3FFFD),
    ];

    private static readonly SearchValues<char> Printable = SearchValues.Create(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    public static int Columns(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Printable))
        {
            return text.Length;
        }
        var columns = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            columns += Columns(rune);
        }
        return columns;
    }

    /// <summary>Exactly <paramref name="columns"/> wide; what is too long is cut.</summary>
    public static string Pad(string text, int columns, bool right = false)
    {
        var cut = Cut(text, columns);
        var space = new string(' ', columns - Columns(cut));
        return right ? space + cut : cut + space;
    }

    /// <summary>At most <paramref name="columns"/> wide; a wide character is never cut in half.</summary>
    public static string Cut(string text, int columns)
    {
        if (Columns(text) <= columns)
        {
            return text;
        }
        var mark = columns >= 8 ? ".." : "";
        var room = columns - mark.Length;
        var kept = new StringBuilder();
        var used = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var width = Columns(rune);
            if (used + width > room)
            {
                break;
            }
            kept.Append(rune);
            used += width;
        }
        return kept.Append(mark).ToString();
    }

    /// <summary>What others wrote must not steer the terminal: control and direction characters become <c>?</c>, line ends a space.</summary>
    public static string Clean(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Printable))
        {
            return text;
        }
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is '\n' or '\r' or '\t')
            {
                clean.Append(' ');
            }
            else if (Rune.IsControl(rune) || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0x200E or 0x200F)
            {
                clean.Append('?');
            }
            else
            {
                clean.Append(rune);
            }
        }
        return clean.ToString();
    }

    private static int Columns(Rune rune)
    {
        if (Rune.IsControl(rune) || rune.Value is 0x200B or 0x200C or 0x200D or (>= 0xFE00 and <= 0xFE0F))
        {
            return 0;
        }
        if (Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.EnclosingMark)
        {
            return 0;
        }
        foreach (var (from, to) in Wide)
        {
            if (rune.Value < from)
            {
                return 1;
            }
            if (rune.Value <= to)
            {
                return 2;
            }
        }
        return 1;
    }
}
