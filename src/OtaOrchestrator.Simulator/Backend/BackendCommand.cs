using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;

namespace OtaOrchestrator.Simulator.Backend;

/// <summary><c>ota-sim backend</c>: one generation of a toy back end.</summary>
internal static class BackendCommand
{
    public static Command Create()
    {
        var version = new Option<string>("--version") { Description = "What it says of itself.", Required = true };
        var listen = new Option<IPEndPoint>("--listen") { Description = "https://HOST:PORT; port 0 takes a free one.", Required = true, CustomParser = EndPoint };
        var certificate = new Option<FileInfo>("--cert") { Description = "Certificate, PEM.", Required = true }.AcceptExistingOnly();
        var key = new Option<FileInfo>("--key") { Description = "Its key, PEM.", Required = true }.AcceptExistingOnly();
        var errorRate = new Option<double>("--error-rate") { Description = "Share of requests answered with 500, 0 to 1." };
        var latency = new Option<int>("--latency-ms") { Description = "How long each answer takes." };
        var ready = new Option<FileInfo?>("--ready-file") { Description = "Written as JSON when it serves." };
        var grace = new Option<int>("--grace-seconds") { Description = "For requests under way at the end.", DefaultValueFactory = _ => 30 };
        errorRate.Validators.Add(result => Range(result, result.GetValue(errorRate) is >= 0 and <= 1, "--error-rate is between 0 and 1"));
        latency.Validators.Add(result => Range(result, result.GetValue(latency) is >= 0 and <= 60_000, "--latency-ms is between 0 and 60000"));
        grace.Validators.Add(result => Range(result, result.GetValue(grace) is >= 0 and <= 3_600, "--grace-seconds is between 0 and 3600"));
        var command = new Command("backend", "Run a toy back end over TLS.") { version, listen, certificate, key, errorRate, latency, ready, grace };
        // Not an asynchronous action: those are cut off two seconds after a signal, and this one drains for as long as its grace.
        command.SetAction(parsed => BackendProgram.RunAsync(new BackendOptions
        {
            Version = parsed.GetRequiredValue(version),
            Listen = parsed.GetRequiredValue(listen),
            Certificate = parsed.GetRequiredValue(certificate).FullName,
            Key = parsed.GetRequiredValue(key).FullName,
            ErrorRate = parsed.GetValue(errorRate),
            Latency = TimeSpan.FromMilliseconds(parsed.GetValue(latency)),
            ReadyFile = parsed.GetValue(ready)?.FullName,
            Grace = TimeSpan.FromSeconds(parsed.GetValue(grace)),
        }, TimeProvider.System).GetAwaiter().GetResult());
        return command;
    }

    private static IPEndPoint? EndPoint(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        string bare = text.StartsWith("https://", StringComparison.Ordinal) ? text["https://".Length..].TrimEnd('/') : text;
        if (bare.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(bare, out var endPoint))
        {
            return endPoint;
        }
        result.AddError($"--listen: '{text}' is not https://ADDRESS:PORT");
        return null;
    }

    private static void Range(OptionResult result, bool fits, string otherwise)
    {
        if (!fits)
        {
            result.AddError(otherwise);
        }
    }
}
