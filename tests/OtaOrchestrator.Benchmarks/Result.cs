namespace OtaOrchestrator.Benchmarks;

/// <summary>One figure: ours against a peer or a limit, medians of the same run.</summary>
internal sealed record Result(string Name, string Against, string Unit, double Ours, double Peer, double Ratio, string Reach, bool Reached)
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
