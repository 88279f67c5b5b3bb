using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
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
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(200);
    private static readonly Marshaller<string> Text = new(Encoding.ASCII.GetBytes, Encoding.ASCII.GetString);
    private static readonly Method<string, string> Watch = new(MethodType.ServerStreaming, TemperatureStream.Service, TemperatureStream.Method, Text, Text);

    public static async Task<int> RunAsync(StreamOptions options, TimeProvider time)
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            using var handler = TrustedClient.Handler(options.AuthorityFile);
            using var channel = GrpcChannel.ForAddress(options.Url, new GrpcChannelOptions { HttpHandler = handler });
            using var log = options.LogFile is { } file ? new RequestLog(file, time) : null;
            long began = time.GetTimestamp();
            var tally = new LoadTally(1 / options.Length.TotalSeconds, log);
            var streams = HoldAsync(channel.CreateCallInvoker(), options, tally, time, stop.Token);
            using var timer = new PeriodicTimer(ReportInterval, time);
            while (!streams.IsCompleted)
            {
                Publish(options, JsonSerializer.Serialize(tally.Read(time.GetElapsedTime(began), complete: false)));
                await timer.WaitForNextTickAsync(CancellationToken.None);
            }
            await streams;
            string json = JsonSerializer.Serialize(tally.Read(time.GetElapsedTime(began), complete: true));
            Publish(options, json);
            Console.Out.WriteLine(json);
            return 0;
        }
        catch (Exception error) when (error is IOException or InvalidDataException or CryptographicException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync("error: " + error.Message);
            return 1;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

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

    private static void Publish(StreamOptions options, string json)
    {
        if (options.ReportFile is { } file)
        {
            ReportFile.Replace(file, json);
        }
    }
}
