using System.CommandLine;

namespace OtaOrchestrator.Simulator.Load;

/// <summary><c>ota-sim stream</c>: a gRPC stream held open, one after the other.</summary>
internal static class StreamCommand
{
    public static Command Create()
    {
        var url = new Option<Uri>("--url") { Description = "Whom to ask, https.", Required = true, CustomParser = LoadCommand.Address };
        var ca = new Option<FileInfo>("--ca") { Description = "Authority of the server's certificate, PEM.", Required = true }.AcceptExistingOnly();
        var length = new Option<TimeSpan?>("--length") { Description = "Of one stream, for example 8s [8s].", CustomParser = LoadCommand.Duration };
        var report = new Option<FileInfo?>("--report") { Description = "Replaced every 200 ms." };
        var log = new Option<FileInfo?>("--log") { Description = "One line for each stream: when it began, how long it took, how it ended." };
        length.Validators.Add(result =>
        {
            if (result.GetValue(length) is { } given && (given < TimeSpan.FromMilliseconds(100) || given > TimeSpan.FromHours(1)))
            {
                result.AddError("--length is between 100ms and an hour");
            }
        });
        var command = new Command("stream", "Hold a gRPC stream open, the next one when it has ended, and count how they end.") { url, ca, length, report, log };
        command.SetAction(parsed => StreamProgram.RunAsync(new StreamOptions
        {
            Url = parsed.GetRequiredValue(url),
            AuthorityFile = parsed.GetRequiredValue(ca).FullName,
            Length = parsed.GetValue(length) ?? TimeSpan.FromSeconds(8),
            ReportFile = parsed.GetValue(report)?.FullName,
            LogFile = parsed.GetValue(log)?.FullName,
        }, TimeProvider.System).GetAwaiter().GetResult());
        return command;
    }
}
