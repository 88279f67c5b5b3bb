using System.Net;

namespace OtaOrchestrator.Simulator.Load;

/// <summary>
/// Sends at a constant rate whether or not answers come (an open loop), so that a slow server does not slow the measurement down.
/// No request is sent twice: what fails is counted.
/// </summary>
internal static class LoadProgram
{
    private const int InFlightMax = 20_000;
    private const int BodyBytesMax = 64 * 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    public static Task<int> RunAsync(LoadOptions options, TimeProvider time) => Measurement.RunAsync(options.ReportFile, async (publish, stop) =>
    {
        using var client = new HttpMessageInvoker(TrustedClient.Handler(options.AuthorityFile));
        using var log = options.LogFile is { } file ? new RequestLog(file, time) : null;
        return await SendAsync(client, options, new LoadTally(options.RatePerSecond, log), publish, time, stop);
    });

    private static async Task<LoadReport> SendAsync(HttpMessageInvoker client, LoadOptions options, LoadTally tally, Action<LoadReport> publish, TimeProvider time, CancellationToken stop)
    {
        long began = time.GetTimestamp();
        long sent = 0;
        var reported = TimeSpan.Zero;
        var elapsed = TimeSpan.Zero;
        using var timer = new PeriodicTimer(Tick, time);
        while (!stop.IsCancellationRequested && (options.Duration is not { } duration || elapsed < duration))
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            elapsed = time.GetElapsedTime(began);
            for (long due = (long)(elapsed.TotalSeconds * options.RatePerSecond); sent < due; sent++)
            {
                tally.Sent();
                if (tally.InFlight > InFlightMax)
                {
                    tally.Failed("too many under way", TimeSpan.Zero);
                    continue;
                }
                _ = RequestAsync(client, options, tally, time);
            }
            if (elapsed - reported >= Measurement.ReportInterval)
            {
                reported = elapsed;
                publish(tally.Read(elapsed, complete: false));
            }
        }
        // Each request ends by its own timeout at the latest.
        while (tally.InFlight > 0)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
        return tally.Read(elapsed, complete: true);
    }

    private static async Task RequestAsync(HttpMessageInvoker client, LoadOptions options, LoadTally tally, TimeProvider time)
    {
        long began = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(options.Timeout, time);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, options.Url) { Version = options.HttpVersion, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await client.SendAsync(request, deadline.Token);
            // A request has not succeeded before its last byte is there.
            using var body = new MemoryStream();
            await CopyAsync(response, body, deadline.Token);
            var answer = Answer.Read(body);
            if (response.IsSuccessStatusCode)
            {
                tally.Answered(answer.Version, time.GetElapsedTime(began));
            }
            else if (answer.OnPurpose)
            {
                tally.FailedOnPurpose($"status {(int)response.StatusCode}", answer.Version, time.GetElapsedTime(began));
            }
            else
            {
                tally.Failed($"status {(int)response.StatusCode}", time.GetElapsedTime(began));
            }
        }
        catch (OperationCanceledException)
        {
            tally.Failed("timeout", time.GetElapsedTime(began));
        }
        catch (Exception error)
        {
            string cause = error switch
            {
                HttpProtocolException protocol => $"transport {protocol.HttpRequestError} {protocol.ErrorCode}",
                HttpRequestException { InnerException: HttpProtocolException protocol } http => $"transport {http.HttpRequestError} {protocol.ErrorCode}",
                HttpRequestException http => $"transport {http.HttpRequestError}",
                _ => $"transport {error.GetType().Name}",
            };
            tally.Failed(cause, time.GetElapsedTime(began));
        }
    }

    private static async Task CopyAsync(HttpResponseMessage response, MemoryStream body, CancellationToken cancellation)
    {
        await response.Content.LoadIntoBufferAsync(BodyBytesMax, cancellation);
        await response.Content.CopyToAsync(body, cancellation);
        body.Position = 0;
    }
}
