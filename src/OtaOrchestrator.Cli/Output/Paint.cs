using System.Text.RegularExpressions;

namespace OtaOrchestrator.Cli.Output;

/// <summary>Colour for words that carry a status. The word alone says it too: colour adds nothing that is not there.</summary>
internal static partial class Paint
{
    private const string Good = "green";
    private const string Bad = "red";
    private const string Busy = "yellow";

    /// <summary>The line with ANSI colours.</summary>
    public static string Line(string line) => StatusWords().Replace(line, m => Of(m.Value) switch
    {
        Good => $"\u001b[32m{m.Value}\u001b[0m",
        Bad => $"\u001b[31m{m.Value}\u001b[0m",
        _ => $"\u001b[33m{m.Value}\u001b[0m",
    });

    /// <summary>The line as Spectre's markup.</summary>
    public static string Markup(string line)
    {
        var parts = new List<string>();
        var at = 0;
        foreach (Match match in StatusWords().Matches(line))
        {
            parts.Add(Spectre.Console.Markup.Escape(line[at..match.Index]));
            parts.Add($"[{Of(match.Value)}]{Spectre.Console.Markup.Escape(match.Value)}[/]");
            at = match.Index + match.Length;
        }
        parts.Add(Spectre.Console.Markup.Escape(line[at..]));
        return string.Concat(parts);
    }

    private static string Of(string word) => word switch
    {
        "[OK]" or "SUCCEEDED" or "HEALTHY" or "READY" or "RESTORED" or "ACCEPTED" => Good,
        "[NG]" or "UNHEALTHY" or "ROLLBACK STUCK" or "REFUSED" or "FAILED" => Bad,
        _ => Busy,
    };

    [GeneratedRegex(@"\[OK\]|\[NG\]|\[\.\.\]|\b(SUCCEEDED|UNHEALTHY|HEALTHY|INCONCLUSIVE|NO DATA|READY|RESTORED|ACCEPTED|REFUSED|FAILED|ROLLBACK STUCK|ROLLING BACK|ROLLED BACK|PAUSED|HELD|AWAITING [A-Z]+)\b")]
    private static partial Regex StatusWords();
}
