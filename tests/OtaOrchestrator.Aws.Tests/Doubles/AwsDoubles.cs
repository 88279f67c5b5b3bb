using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.Runtime;

namespace OtaOrchestrator.Aws.Tests.Doubles;

/// <summary>The doubles of AWS's services (tests/AwsDoubles) as a process of their own, which ends with this one. A process that is not needed any more becomes the next test's, as another account.</summary>
internal sealed class AwsDoubles : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    /// <summary>Processes without a test.</summary>
    private static readonly ConcurrentBag<(Process Process, Uri Url)> Idle = [];
    private readonly Process _process;
    private readonly HttpClient _http;
    private readonly bool _again;

    private AwsDoubles(Process process, Uri url, bool again)
    {
        _process = process;
        _again = again;
        Url = url;
        _http = new HttpClient { BaseAddress = new Uri(url, "/_double/") };
    }

    public static string Folder { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Source())!, "..", "..", "AwsDoubles"));

    /// <summary>What every service's client takes as its <c>ServiceURL</c>.</summary>
    public Uri Url { get; }

    public static async Task<AwsDoubles> StartAsync(params string[] arguments)
    {
        if (arguments.Length == 0 && Idle.TryTake(out var idle))
        {
            var doubles = new AwsDoubles(idle.Process, idle.Url, again: true);
            await doubles.AdminAsync("reset", new { });
            return doubles;
        }

        var process = Start(["--port", "0", .. arguments]);
        const string Words = "listening on ";
        var line = await process.StandardOutput.ReadLineAsync();
        if (line?.StartsWith(Words, StringComparison.Ordinal) != true)
        {
            throw new InvalidOperationException($"the doubles did not start: {line} {await process.StandardError.ReadToEndAsync()}");
        }

        return new AwsDoubles(process, new Uri(line[Words.Length..]), again: arguments.Length == 0);
    }

    /// <summary>The product's own credentials, and somebody else's.</summary>
    public static BasicAWSCredentials Operator { get; } = new("AKIDORCHESTRATOR", "orchestrator-secret");

    public static BasicAWSCredentials Somebody { get; } = new("AKIDSOMEBODY", "somebody-secret");

    /// <summary>The configuration of a client that asks here.</summary>
    public T Config<T>(int retries = 0)
        where T : ClientConfig, new() => new() { ServiceURL = Url.ToString(), AuthenticationRegion = "eu-central-1", MaxErrorRetry = retries };

    /// <summary>Every call so far, in order.</summary>
    public Task<IReadOnlyList<AwsCall>> CallsAsync(int from = 0) => GetAsync<IReadOnlyList<AwsCall>>($"calls?from={from}");

    /// <summary>What was asked against the official models. A test of the product demands that it is empty.</summary>
    public Task<IReadOnlyList<AwsViolation>> ViolationsAsync() => GetAsync<IReadOnlyList<AwsViolation>>("violations");

    /// <summary>Bugs of the doubles themselves.</summary>
    public Task<IReadOnlyList<string>> BugsAsync() => GetAsync<IReadOnlyList<string>>("bugs");

    /// <summary>The calls that wait to be released.</summary>
    public Task<IReadOnlyList<AwsHeld>> HeldAsync() => GetAsync<IReadOnlyList<AwsHeld>>("held");

    public Task<AwsFault> FaultAsync(AwsFault fault) => PostAsync<AwsFault>("faults", fault with
    {
        Parameters = AsNamed(fault.Parameters),
        Change = fault.Change is { } change ? change with { Parameters = AsNamed(change.Parameters)! } : null,
    });

    /// <summary>Lets held calls go on; or drops them, so that one held before it acts never does.</summary>
    public Task ReleaseAsync(int? fault = null, bool drop = false) => PostAsync<JsonElement>("release", new { id = fault, drop });

    /// <summary>The whole state without ETags, revision ids and dates, as canonical JSON. Without history: what serves users, not how it came to it.</summary>
    public Task<string> SnapshotAsync(string? service = null, bool history = true) =>
        _http.GetStringAsync($"snapshot?history={(history ? "true" : "false")}" + (service is null ? "" : "&service=" + service));

    public Task LoadAsync(AwsLoad load) => PostAsync<JsonElement>("load", load);

    /// <summary>A change behind the client's back; parameters by the names of the service's model.</summary>
    public Task ActAsync(string service, string operation, object parameters, string user = "somebody") => PostAsync<JsonElement>("act", new { service, operation, parameters = AsNamed(parameters), user });

    /// <summary>How slow and how late the doubles are, by the names that their README lists.</summary>
    public Task SetAsync(object settings) => PostAsync<JsonElement>("settings", settings);

    /// <summary>Anything else under <c>/_double/</c>: a function, a version's behaviour, a deployment's failing targets.</summary>
    public Task AdminAsync(string path, object body) => PostAsync<JsonElement>(path, body);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_again)
        {
            Idle.Add((_process, Url));
            return;
        }

        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>Debian's Python, which is the one that has botocore.</summary>
    internal static Process Start(IEnumerable<string> arguments, string? folder = null) => Process.Start(
        new ProcessStartInfo("/usr/bin/python3", ["-W", "ignore", .. folder is null ? [Folder] : Array.Empty<string>(), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Folder,
            Environment = { ["PYTHONDONTWRITEBYTECODE"] = "1" },
        })!;

    private async Task<T> GetAsync<T>(string path) => (await _http.GetFromJsonAsync<T>(path, Json))!;

    private async Task<T> PostAsync<T>(string path, object body)
    {
        using var reply = await _http.PostAsJsonAsync(path, body, Json);
        if (!reply.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{path}: {await reply.Content.ReadAsStringAsync()}");
        }

        return (await reply.Content.ReadFromJsonAsync<T>(Json))!;
    }

    /// <summary>Parameters keep their names: AWS's are written in many ways.</summary>
    private static object? AsNamed(object? parameters) => parameters is null ? null : JsonSerializer.SerializeToElement(parameters);

    private static string Source([CallerFilePath] string source = "") => source;
}

/// <param name="Status">Null while the call is held, and for one whose reply was lost.</param>
/// <param name="Error">AWS's code of the error, if it was one.</param>
internal sealed record AwsCall(int Sequence, string Service, string? Operation, JsonElement Parameters, string? User, int? Status, string? Error);

internal sealed record AwsViolation(int Sequence, string Service, string Operation, IReadOnlyList<string> Problems);

internal sealed record AwsHeld(int Id, int Sequence, string Service, string Operation, string When);

/// <param name="Kind">throttle, error, deny, lose, timeout, stale, touch, move or hold.</param>
/// <param name="Times">How many calls it befalls, after letting <paramref name="Skip"/> go.</param>
/// <param name="When">For hold: before or after the call acts.</param>
/// <param name="Change">For move: what is done right before, by <paramref name="User"/>.</param>
internal sealed record AwsFault(
    string Kind, string Service = "*", string Operation = "*", int Times = 1, int Skip = 0, string? When = null, object? Parameters = null, AwsChange? Change = null, string? User = null, int? Id = null);

internal sealed record AwsChange(string Operation, object Parameters, string? Service = null);

/// <param name="Kind">lambda, cloudfront, codedeploy or apigateway.</param>
/// <param name="RequestsPerSecond">0 ends the load.</param>
/// <param name="ErrorRate">By version: 0 to 1.</param>
internal sealed record AwsLoad(string Kind, string Resource, double RequestsPerSecond, Dictionary<string, double>? ErrorRate = null, Dictionary<string, double>? LatencyMs = null);
