using System.Text.Json;
using OtaOrchestrator.EndToEnd.Tests.Installation;

namespace OtaOrchestrator.Benchmarks;

/// <summary>What <c>ota demo --scenario backend</c> measures of itself: a candidate with 5 % errors at 10 % of 1,000 requests/s, and every switch of the run.</summary>
internal static class BackendBenchmark
{
    /// <summary>Between two looks of the demo's plans, seconds.</summary>
    private const double Interval = 0.25;

    public static async Task<IReadOnlyList<Result>> RunAsync()
    {
        var home = Directory.CreateTempSubdirectory("ota-bench-");
        try
        {
            await using var demo = Child.Start(Programs.Cli, "demo", "--scenario", "backend", "--json", "--home", home.FullName);
            await demo.WaitAsync(TimeSpan.FromMinutes(5));
            Assert.True(demo.ExitCode == 0, demo.Output);
            var report = JsonDocument.Parse(string.Join('\n', demo.Written)).RootElement;
            var erring = report.GetProperty("errorCandidate");
            double seconds = erring.GetProperty("secondsToRestored").GetDouble();
            double requests = report.GetProperty("requests").GetInt64();
            double failed = report.GetProperty("failed").GetInt64();
            return
            [
                new Result("the look that decides to traffic restored", "the interval between two looks", "s", seconds, Interval, seconds / Interval, "<= 1", seconds <= Interval),
                new Result("requests lost in the whole story", "all requests", "", failed, requests, failed / requests, "0", failed == 0),
            ];
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }
}
