using System.Globalization;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using OtaOrchestrator.Simulator.Backend;

namespace OtaOrchestrator.Simulator.Load;

/// <summary>
/// Holds a gRPC stream open and begins the next one when it has ended. A stream has failed unless every message came, in its order, and then the trailers with OK. Told to
/// stop, it takes its leave of the one that is open, which is no failure.
/// </summary>
internal static class StreamProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly Marshaller<string> Text = new(Encoding.ASCII.GetBytes, Encoding.ASCII.GetString);
    private static readonly Method<string, string> Watch = new(MethodType.ServerStreaming, TemperatureStream.Service, TemperatureStream.Method, Text, Text);

    public static Task<int> RunAsync(StreamOptions options, TimeProvider time) => Measurement.RunAsync(options.ReportFile, async (publish, stop) =>
    {
        using var handler = TrustedClient.Handler(options.AuthorityFile);
        using var channel = GrpcChannel.ForAddress(options.Url, new GrpcChannelOptions { HttpHandler = handler });
        using var log = options.LogFile is { } file ? new RequestLog(file, time) : null;
        long began = time.GetTimestamp();
        var tally = new LoadTally(1 / options.Length.TotalSeconds, log);
        var streams = HoldAsync(channel.CreateCallInvoker(), options, tally, time, stop);
        using var timer = new PeriodicTimer(Measurement.ReportInterval, time);
        while (!streams.IsCompleted)
        {
            publish(tally.Read(time.GetElapsedTime(began), complete: false));
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
        await streams;
        return tally.Read(time.GetElapsedTime(began), complete: true);
    });

    private static async Task HoldAsync(CallInvoker invoker, StreamOptions options, LoadTally tally, TimeProvider time, CancellationToken stop)
    {
        // A stream that fails at once is not tried again at once.
        using var timer = new PeriodicTimer(TemperatureStream.Interval, time);
        while (!stop.IsCancellationRequested)
        {
            await OneAsync(invoker, options, tally, time, stop);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private static async Task OneAsync(CallInvoker invoker, StreamOptions options, LoadTally tally, TimeProvider time, CancellationToken stop)
    {
        tally.Sent();
        long began = time.GetTimestamp();
        int messages = (int)(options.Length / TemperatureStream.Interval);
        string version = Answer.Unknown.Version;
        var deadline = (time.GetUtcNow() + options.Length + Patience).UtcDateTime;
        try
        {
            using var call = invoker.AsyncServerStreamingCall(Watch, null, new CallOptions(deadline: deadline), messages.ToString(CultureInfo.InvariantCulture));
            // The waits are given up, not the call: how a call ends that its client cancels depends on where it was.
            version = (await call.ResponseHeadersAsync.WaitAsync(stop)).GetValue(TemperatureStream.VersionHeader) ?? version;
            int seen = 0;
            while (await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(stop))
            {
                if (call.ResponseStream.Current != (++seen).ToString(CultureInfo.InvariantCulture))
                {
                    tally.Failed("message out of order", time.GetElapsedTime(began));
                    return;
                }
            }
            if (seen == messages)
            {
                tally.Answered(version, time.GetElapsedTime(began));
            }
            else
            {
                tally.Failed("ended early", time.GetElapsedTime(began));
            }
        }
        catch (OperationCanceledException)
        {
            tally.Answered(version, time.GetElapsedTime(began));
        }
        catch (RpcException error)
        {
            tally.Failed($"grpc {error.StatusCode}", time.GetElapsedTime(began));
        }
    }
}
