using Microsoft.AspNetCore.Connections;

namespace OtaOrchestrator.Router.TakingOver;

/// <summary>
/// Between the goodbye on a connection and its end. A client that learns of both in the same moment may have requests at hand that it meant for this connection, and does not dare
/// to send them on another one: they fail. One that has read the goodbye sends them elsewhere and closes the connection itself.
/// </summary>
internal static class Linger
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(2);

    /// <summary>Stands inside of TLS, whose end is what a client sees.</summary>
    public static ConnectionDelegate After(ConnectionDelegate next, TimeProvider time) => async connection =>
    {
        await next(connection);
        try
        {
            await Task.Delay(Most, time, connection.ConnectionClosed);
        }
        catch (OperationCanceledException)
        {
            // The client has closed it.
        }
    };
}
