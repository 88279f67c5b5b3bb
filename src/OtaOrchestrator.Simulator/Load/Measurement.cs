using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace OtaOrchestrator.Simulator.Load;

/// <summary>What every load has in common: it goes on until it is told to stop, says now and then how things are, and at last what they came to.</summary>
internal static class Measurement
{
    public static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(200);

    /// <param name="measure">Gets a way to publish a report, and who tells it to stop; gives the last report.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string? reportFile, Func<Action<LoadReport>, CancellationToken, Task<LoadReport>> measure)
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            var last = await measure(report => Publish(report), stop.Token);
            Console.Out.WriteLine(Publish(last));
            return 0;
        }
        catch (Exception error) when (error is IOException or InvalidDataException or CryptographicException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync("error: " + error.Message);
            return 1;
        }

        string Publish(LoadReport report)
        {
            var json = JsonSerializer.Serialize(report);
            if (reportFile is not null)
            {
                ReportFile.Replace(reportFile, json);
            }
            return json;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }
}
