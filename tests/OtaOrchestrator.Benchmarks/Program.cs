using System.Globalization;
using System.Text.Json;
using OtaOrchestrator.Benchmarks;

// Ratios of two things measured in the same run; absolute times are this machine's noise. docs/benchmarks.md says how to repeat it.
string? json = args is ["--json", var file, ..] ? file : null;
var results = new List<Result>();
foreach (var measure in (Func<Task<Result>>[])[
    PublishBenchmark.RunAsync, TransitionBenchmark.RunAsync, DetectionBenchmark.RunAsync,
    RouterBenchmark.MaximumAsync, RouterBenchmark.MaximumOfHaproxyAsync, RouterBenchmark.P99Async, RouterBenchmark.SwitchingAsync,
])
{
    var result = await measure();
    results.Add(result);
    Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"figure {result.Name,-42} {result.Ratio,6:0.00} x   (reach {result.Reach}; ours {result.Ours:0.###} {result.Unit}, peer {result.Peer:0.###} {result.Unit}: {result.Against})"));
}
if (json is not null)
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(json))!);
    await File.WriteAllTextAsync(json, JsonSerializer.Serialize(results));
}
return results.TrueForAll(result => result.Reached) ? 0 : 1;
