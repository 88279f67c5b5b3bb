using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace OtaOrchestrator.Simulator.Load;

/// <summary><c>ota-sim load</c>: requests at a constant rate, and a report of how each ended.</summary>
internal static class LoadCommand
{
    public static Command Create()
    {
        var url = new Option<Uri>("--url") { Description = "What to ask for, https.", Required = true, CustomParser = Address };
        var ca = new Option<FileInfo>("--ca") { Description = "Authority of the server's certificate, PEM.", Required = true }.AcceptExistingOnly();
        var rate = new Option<double>("--rate") { Description = "Requests per second.", DefaultValueFactory = _ => 200 };
        var duration = new Option<TimeSpan?>("--duration") { Description = "For example 30s or 5m; until a signal when left out.", CustomParser = Duration };
        var timeout = new Option<TimeSpan?>("--timeout") { Description = "After which a request has failed [10s].", CustomParser = Duration };
        var http = new Option<string>("--http") { Description = "HTTP version.", DefaultValueFactory = _ => "2" };
        http.AcceptOnlyFromAmong("1.1", "2");
        var report = new Option<FileInfo?>("--report") { Description = "Replaced every 200 ms." };
        var log = new Option<FileInfo?>("--log") { Description = "One line for each request: when it was sent, how long it took, how it ended." };
        rate.Validators.Add(result =>
        {
            if (result.GetValue(rate) is not (> 0 and <= 50_000))
            {
                result.AddError("--rate is above 0 and at most 50000");
            }
        });
        var command = new Command("load", "Send requests at a constant rate and count how they end.") { url, ca, rate, duration, timeout, http, report, log };
        // Not an asynchronous action: those are cut off two seconds after a signal, and the last requests may take longer.
        command.SetAction(parsed => LoadProgram.RunAsync(new LoadOptions
        {
            Url = parsed.GetRequiredValue(url),
            AuthorityFile = parsed.GetRequiredValue(ca).FullName,
            RatePerSecond = parsed.GetValue(rate),
            Duration = parsed.GetValue(duration),
            Timeout = parsed.GetValue(timeout) ?? TimeSpan.FromSeconds(10),
            HttpVersion = parsed.GetValue(http) == "2" ? System.Net.HttpVersion.Version20 : System.Net.HttpVersion.Version11,
            ReportFile = parsed.GetValue(report)?.FullName,
            LogFile = parsed.GetValue(log)?.FullName,
        }, TimeProvider.System).GetAwaiter().GetResult());
        return command;
    }

    internal static Uri? Address(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps)
        {
            return uri;
        }
        result.AddError($"--url: '{result.Tokens[0].Value}' is not an https address");
        return null;
    }

    internal static TimeSpan? Duration(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        var (digits, unit) = text switch
        {
            [.. var ms, 'm', 's'] => (ms, TimeSpan.FromMilliseconds(1)),
            [.. var s, 's'] => (s, TimeSpan.FromSeconds(1)),
            [.. var m, 'm'] => (m, TimeSpan.FromMinutes(1)),
            _ => (text, TimeSpan.FromSeconds(1)),
        };
        if (double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number is > 0 and < 1_000_000)
        {
            return number * unit;
        }
        result.AddError($"'{text}' is not a duration such as 500ms, 30s or 5m");
        return null;
    }
}
