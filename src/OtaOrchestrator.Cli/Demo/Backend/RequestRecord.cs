using System.Globalization;

namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>A stretch of time, Unix milliseconds, both ends in it.</summary>
internal readonly record struct Window(long FromMs, long ToMs)
{
    public bool Holds(long ms) => ms >= FromMs && ms <= ToMs;

    public bool Overlaps(RequestRecord request) => request.SentMs <= ToMs && request.EndedMs >= FromMs;
}

internal enum Ending { Answered, OnPurpose, Failed }

/// <summary>One line of a load generator's log.</summary>
/// <param name="Told">Who answered; for what failed, why.</param>
internal readonly record struct RequestRecord(long SentMs, double TookMs, Ending Ending, string Told)
{
    public double EndedMs => SentMs + TookMs;

    public static IEnumerable<RequestRecord> Read(string file) => File.ReadLines(file).Select(Parse);

    internal static RequestRecord Parse(string line)
    {
        var parts = line.Split(' ', 4);
        if (parts.Length == 4
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var sent)
            && double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var took))
        {
            switch (parts[2])
            {
                case "answered":
                    return new RequestRecord(sent, took, Ending.Answered, parts[3]);
                case "on-purpose":
                    return new RequestRecord(sent, took, Ending.OnPurpose, parts[3]);
                case "failed":
                    return new RequestRecord(sent, took, Ending.Failed, parts[3]);
            }
        }
        throw new CliFailure(ExitCode.Failure, $"a line of a load's log is not understood: {Output.Terminal.Cut(Output.Terminal.Clean(line), 100)}");
    }

    /// <summary>The 99th percentile of how long they took; null without any.</summary>
    public static double? P99Ms(IEnumerable<RequestRecord> requests)
    {
        var took = requests.Select(request => request.TookMs).Order().ToList();
        return took.Count == 0 ? null : took[(int)Math.Ceiling(took.Count * 0.99) - 1];
    }
}
