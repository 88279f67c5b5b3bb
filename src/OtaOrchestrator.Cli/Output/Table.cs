namespace OtaOrchestrator.Cli.Output;

/// <summary>Columns as wide as their widest cell; the last one is cut at the terminal's edge when there is one.</summary>
internal static class Table
{
    public static IEnumerable<string> Lines(string[] header, IReadOnlyList<string[]> rows, int? widthMax = null)
    {
        var clean = rows.Select(row => row.Select(Terminal.Clean).ToArray()).ToList();
        var widths = header.Select((title, i) => Math.Max(Terminal.Columns(title), clean.Count == 0 ? 0 : clean.Max(row => Terminal.Columns(row[i])))).ToArray();
        yield return Line(header, widths, widthMax);
        foreach (var row in clean)
        {
            yield return Line(row, widths, widthMax);
        }
    }

    private static string Line(string[] cells, int[] widths, int? widthMax)
    {
        var line = string.Join("  ", cells.Select((cell, i) => i == cells.Length - 1 ? cell : Terminal.Pad(cell, widths[i]))).TrimEnd();
        return widthMax is { } max ? Terminal.Cut(line, max) : line;
    }
}
