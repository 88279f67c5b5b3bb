namespace OtaOrchestrator.Cli.Output;

/// <summary>Shares over time as an area, 80 columns wide.</summary>
internal static class Plot
{
    private const int Rows = 10;
    private const int Columns = 73;

    /// <param name="values">From 0 to 1, evenly spaced in time.</param>
    public static IEnumerable<string> Lines(IReadOnlyList<double> values, string start, string middle, string end, Glyphs glyphs)
    {
        // The axis ends at the next of these, so that a share of a few in a hundred is still seen.
        double most = values.DefaultIfEmpty().Max();
        double top = ((double[])[0.01, 0.02, 0.05, 0.1, 0.25, 0.5]).FirstOrDefault(mark => most <= mark, 1);
        for (int row = Rows; row >= 1; row--)
        {
            var label = row == Rows ? Say.Share(top) : row == Rows / 2 ? Say.Share(top / 2) : "";
            var cells = new char[Columns];
            for (int column = 0; column < Columns; column++)
            {
                // Half a row and more is a mark, and whatever is not nothing shows in the lowest.
                double value = values[(int)Math.Round((double)column * (values.Count - 1) / (Columns - 1))] / top * Rows;
                cells[column] = value >= row - 0.5 || (row == 1 && value > 0) ? glyphs.Full : ' ';
            }
            yield return $"{label,5} |{new string(cells)}".TrimEnd();
        }
        yield return $"{"0%",5} +{new string('-', Columns)}";
        int left = (Columns / 2) - start.Length - (middle.Length / 2);
        yield return $"{"",7}{start}{new string(' ', left)}{middle}{end.PadLeft(Columns - start.Length - left - middle.Length)}";
    }
}
