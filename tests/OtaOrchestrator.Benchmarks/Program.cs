using System.Globalization;
using System.Text.Json;
using OtaOrchestrator.Benchmarks;

// Ratios of two things measured in the same run; absolute times are this machine's noise. docs/benchmarks.md says how to repeat it.
var all = new Dictionary<string, (string About, Func<Task<IReadOnlyList<Result>>> Run)>(StringComparer.Ordinal)
{
    ["publish"] = ("256 MiB by ota release publish, against openssl and a copy", PublishBenchmark.RunAsync),
    ["transitions"] = ("durable transitions per second, against the bare inserts", Of(TransitionBenchmark.RunAsync)),
    ["planning"] = ("calls and memory of a rollout for a million devices, against ten thousand", PlanningBenchmark.RunAsync),
    ["rollback"] = ("ota rollback, from Enter to everybody back", RollbackBenchmark.RunAsync),
    ["backend"] = ("from the look that condemns a candidate to traffic restored, under load", BackendBenchmark.RunAsync),
    ["detection"] = ("errors until a bad release is caught, against other rules", Of(DetectionBenchmark.RunAsync)),
    ["router"] = ("requests per second and latency, against nginx and HAProxy", Of(
        () => RouterBenchmark.MaximumAsync("nginx"), () => RouterBenchmark.MaximumAsync("haproxy"), () => RouterBenchmark.P99Async("nginx"), () => RouterBenchmark.P99Async("haproxy"), RouterBenchmark.SwitchingAsync)),
};
if (args is ["--help" or "-h"])
{
    Console.Out.WriteLine($"usage: [NAME ...] [--json FILE]\n\nMeasures all, or those that are named. Exit code 1 when a figure is out of reach.\n\n{string.Join('\n', all.Select(one => $"  {one.Key,-12} {one.Value.About}"))}");
    return 0;
}
var names = args.ToList();
string? json = null;
if (names.IndexOf("--json") is >= 0 and var at)
{
    if (at + 1 == names.Count)
    {
        return Wrong("--json wants a file");
    }
    json = names[at + 1];
    names.RemoveRange(at, 2);
}
if (names.Find(name => !all.ContainsKey(name)) is { } unknown)
{
    return Wrong($"{unknown} is no benchmark");
}
var results = new List<Result>();
foreach (var (_, benchmark) in all.Where(one => names.Count == 0 || names.Contains(one.Key)))
{
    foreach (var result in await benchmark.Run())
    {
        results.Add(result);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"figure {result.Name,-42} {result.Ratio,6:0.00} x   (reach {result.Reach}; ours {result.Ours:0.###} {result.Unit}, peer {result.Peer:0.###} {result.Unit}: {result.Against})"));
    }
}
if (json is not null)
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(json))!);
    await File.WriteAllTextAsync(json, JsonSerializer.Serialize(results));
}
return results.TrueForAll(result => result.Reached) ? 0 : 1;

static int Wrong(string what)
{
    Console.Error.WriteLine($"error: {what}\nhint: --help");
    return 2;
}

static Func<Task<IReadOnlyList<Result>>> Of(params Func<Task<Result>>[] measures) => async () =>
{
    List<Result> results = [];
    foreach (var measure in measures)
    {
        results.Add(await measure());
    }
    return results;
};
