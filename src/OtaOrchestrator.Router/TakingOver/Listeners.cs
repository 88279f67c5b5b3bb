using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using OtaOrchestrator.Router.Hosting;

namespace OtaOrchestrator.Router.TakingOver;

/// <summary>The two listening sockets, the public one first: bound anew, or those of the router that is taken over from.</summary>
internal sealed class Listeners(RouterOptions options, IReadOnlyList<Socket> passed)
{
    private readonly List<Socket> _bound = [];

    public IReadOnlyList<Socket> Bound => _bound;

    /// <summary>Kestrel asks in the order in which the listeners were declared.</summary>
    public Socket Bind(EndPoint endPoint)
    {
        var socket = passed.Count > _bound.Count ? passed[_bound.Count] : SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        _bound.Add(socket);
        return socket;
    }

    /// <summary>What the options ask for must be what was passed. <exception cref="InvalidDataException">It is elsewhere.</exception></summary>
    public void Check()
    {
        foreach (var (name, asked, socket) in new[] { ("--listen", options.Listen), ("--admin-listen", options.AdminListen) }.Zip(passed, (wanted, socket) => (wanted.Item1, wanted.Item2, socket)))
        {
            var held = (IPEndPoint)socket.LocalEndPoint!;
            if (!held.Address.Equals(asked.Address) || (asked.Port != 0 && asked.Port != held.Port))
            {
                throw new InvalidDataException($"{name} says {asked}, but the router to take over from listens on {held}; stop it to move");
            }
        }
    }

    /// <summary>Accepts nothing more here; whoever has the sockets too goes on. What was accepted stays.</summary>
    public void StopAccepting() => _bound.ForEach(socket => socket.Dispose());
}
