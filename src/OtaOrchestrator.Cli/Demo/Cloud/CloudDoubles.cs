using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OtaOrchestrator.Cli.Demo.Cloud;

/// <summary>The doubles of AWS's services, in a program of their own, and their door for tests.</summary>
internal sealed class CloudDoubles(Uri url) : IDisposable
{
    private const string Folder = "tests/AwsDoubles";
    private const string Python = "/usr/bin/python3";
    private readonly HttpClient _http = new() { BaseAddress = new Uri(url, "/_double/") };

    public Uri Url => url;

    /// <param name="images">Where what is put into the bucket for firmware lies as files.</param>
    public static async Task<CloudDoubles> Start(Stage stage, string bucket, string images, CancellationToken cancellation)
    {
        var program = stage.Programs.FindUpwards(Folder) ?? throw new CliFailure(ExitCode.Failure, $"there is no {Folder} above ota", "this scenario runs in a source tree only: the doubles of AWS are no part of the product");
        if (!File.Exists(Python))
        {
            throw new CliFailure(ExitCode.Failure, $"there is no {Python}", "Debian: apt-get install python3-botocore");
        }
        var ready = await stage.StartFileReady("aws", Python, ["-W", "ignore", "-B", program, "--port", "0", "--bucket-folder", $"{bucket}={images}"], cancellation);
        return new CloudDoubles(new Uri(ready.GetProperty("url").GetString()!));
    }

    /// <summary>A change without preconditions; parameters by the names of the service's model.</summary>
    public Task Act(string service, string operation, string parametersJson, CancellationToken cancellation) =>
        Post("act", $$"""{"service":"{{service}}","operation":"{{operation}}","user":"somebody","parameters":{{parametersJson}}}""", cancellation);

    public async Task Post(string path, string json, CancellationToken cancellation)
    {
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(path, body, cancellation);
        if (!answer.IsSuccessStatusCode)
        {
            throw new CliFailure(ExitCode.Failure, $"the doubles refuse {path}: {await answer.Content.ReadAsStringAsync(cancellation)}");
        }
    }

    /// <summary>A service's state, without ETags, revisions and dates.</summary>
    public async Task<JsonNode> Snapshot(string service, CancellationToken cancellation) =>
        JsonNode.Parse(await _http.GetStringAsync($"snapshot?service={service}", cancellation))![service]!;

    /// <summary>The orchestrator's calls so far, by service and operation.</summary>
    public async Task<SortedDictionary<string, long>> Calls(CancellationToken cancellation)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        using var calls = JsonDocument.Parse(await _http.GetStringAsync("calls", cancellation));
        foreach (var call in calls.RootElement.EnumerateArray().Where(call => call.GetProperty("user").ValueKind == JsonValueKind.String && call.GetProperty("user").GetString() == "ota-orchestrator"))
        {
            var name = $"{call.GetProperty("service").GetString()}:{call.GetProperty("operation").GetString()}";
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }
        return counts;
    }

    public async Task<long> Violations(CancellationToken cancellation)
    {
        using var violations = JsonDocument.Parse(await _http.GetStringAsync("violations", cancellation));
        return violations.RootElement.GetArrayLength();
    }

    public void Dispose() => _http.Dispose();
}
