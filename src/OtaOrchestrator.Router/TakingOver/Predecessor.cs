using System.Net.Sockets;

namespace OtaOrchestrator.Router.TakingOver;

/// <summary>
/// The router that serves with the same state file, seen from the one that takes over. It gives its listeners at once and its state when asked;
/// until it is told that the other serves it can go on as if nothing had been, and does when the connection ends.
/// </summary>
internal sealed class Predecessor : IDisposable
{
    // While the state has changed hands nobody accepts a write, so this does not take long or does not happen.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Socket _channel;

    private Predecessor(Socket channel, IReadOnlyList<Socket> listeners) => (_channel, Listeners) = (channel, listeners);

    public IReadOnlyList<Socket> Listeners { get; }

    /// <summary>Null when there is none. <exception cref="IOException">There is one, and it does not answer as expected.</exception></summary>
    public static Predecessor? Find(string state)
    {
        var channel = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = (int)Patience.TotalMilliseconds };
        try
        {
            channel.Connect(Successor.EndPointOf(state));
        }
        catch (SocketException)
        {
            channel.Dispose();
            return null;
        }
        try
        {
            return new Predecessor(channel, PassedSockets.Receive(channel, Successor.ListenerCount));
        }
        catch (IOException)
        {
            channel.Dispose();
            throw;
        }
    }

    /// <summary>Returns when the state is free.</summary>
    public void AskForState()
    {
        byte[] answer = new byte[1];
        int read;
        try
        {
            _channel.Send([Successor.WantsState]);
            read = _channel.Receive(answer);
        }
        catch (SocketException error)
        {
            throw new IOException("the router to take over from does not give its state", error);
        }
        if (read != 1 || answer[0] != Successor.StateIsFree)
        {
            throw new IOException("the router to take over from does not give its state");
        }
    }

    /// <summary>From here on it accepts nothing and ends. If it has ended already, so much the better.</summary>
    public void TellServing()
    {
        try
        {
            _channel.Send([Successor.Serves]);
        }
        catch (SocketException)
        {
        }
    }

    public void Dispose() => _channel.Dispose();
}
