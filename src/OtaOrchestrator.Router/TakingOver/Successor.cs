using System.Net.Sockets;
using OtaOrchestrator.Router.Hosting;
using OtaOrchestrator.Router.Routes;
using OtaOrchestrator.Router.State;

namespace OtaOrchestrator.Router.TakingOver;

/// <summary>
/// Waits for a router process that wants to take over, beside the state file, for its owner only. In this order: it gets the listeners; it asks for the state,
/// and writes are refused here; it says that it serves, and this process stops accepting, finishes what it has and ends. When it goes away before that, everything is taken back.
/// </summary>
internal sealed partial class Successor(RouterOptions options, RouteTable routes, Listeners listeners, Departure departure, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<Successor> log)
{
    public const int ListenerCount = 2;
    private const int PathBytesMax = 107;
    public const byte WantsState = (byte)'W';
    public const byte StateIsFree = (byte)'F';
    public const byte Serves = (byte)'S';

    // Requests on kept HTTP/1.1 connections learn in this time that theirs is the last one; closing at once could cross with the next one.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);

    private static string PathOf(string state) => Path.GetFullPath(state) + ".successor";

    /// <exception cref="InvalidDataException">The path is longer than the system allows for a socket.</exception>
    public static UnixDomainSocketEndPoint EndPointOf(string state) => System.Text.Encoding.UTF8.GetByteCount(PathOf(state)) <= PathBytesMax
        ? new(PathOf(state)) : throw new InvalidDataException($"{state}: another process can take over only where the path has at most {PathBytesMax} bytes with '.successor'");

    public async Task RunAsync()
    {
        try
        {
            while (!await OfferAsync(lifetime.ApplicationStopping))
            {
            }
            await Task.Delay(Farewell, time, lifetime.ApplicationStopping);
            lifetime.StopApplication();
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
        }
        catch (Exception error) when (error is SocketException or IOException or InvalidDataException or UnauthorizedAccessException or StateFileException)
        {
            // It serves on; only a take-over is not possible.
            CanNotBeTakenOver(log, error);
        }
    }

    /// <returns>Whether another process serves now.</returns>
    private async Task<bool> OfferAsync(CancellationToken stopping)
    {
        using var channel = await AcceptAsync(stopping);
        bool given = false;
        try
        {
            PassedSockets.Send(channel, [.. listeners.Bound]);
            if (await HearAsync(channel, stopping) == WantsState)
            {
                given = true;
                await routes.HandOverAsync(stopping);
                await channel.SendAsync(new[] { StateIsFree }, stopping);
                if (await HearAsync(channel, stopping) == Serves)
                {
                    departure.Begin();
                    listeners.StopAccepting();
                    TakenOver(log, routes.UnderWay);
                    return true;
                }
            }
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            // As if it had gone away.
        }
        if (given)
        {
            await TakeBackAsync(stopping);
        }
        NotTakenOver(log);
        return false;
    }

    private async Task<Socket> AcceptAsync(CancellationToken stopping)
    {
        string path = PathOf(options.State);
        // Left by a process that was killed: whoever holds the state's lock is the only one who may listen here.
        File.Delete(path);
        // Closing it removes the file as well; the next one makes its own.
        using var door = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        door.Bind(EndPointOf(options.State));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        door.Listen(1);
        return await door.AcceptAsync(stopping);
    }

    // The lock goes with the process that holds it, which may take a moment to end.
    private async Task TakeBackAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(LockPoll, time);
        while (true)
        {
            try
            {
                await routes.TakeBackAsync(stopping);
                return;
            }
            catch (StateFileException error)
            {
                NotTakenBack(log, error.Message);
                await timer.WaitForNextTickAsync(stopping);
            }
        }
    }

    private static async Task<byte?> HearAsync(Socket channel, CancellationToken stopping)
    {
        byte[] word = new byte[1];
        return await channel.ReceiveAsync(word, stopping) == 1 ? word[0] : null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "another process serves; {Requests} requests or streams end here")]
    private static partial void TakenOver(ILogger log, long requests);

    [LoggerMessage(Level = LogLevel.Warning, Message = "another process wanted to take over and did not come to serve; this one goes on")]
    private static partial void NotTakenOver(ILogger log);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the state is not to be had yet: {Cause}")]
    private static partial void NotTakenBack(ILogger log, string cause);

    [LoggerMessage(Level = LogLevel.Error, Message = "no other process can take over from this one")]
    private static partial void CanNotBeTakenOver(ILogger log, Exception error);
}
