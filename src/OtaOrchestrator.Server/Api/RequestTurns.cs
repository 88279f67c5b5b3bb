using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Server.Api;

/// <summary>
/// Who repeats a request while the first is still being answered waits for it, and then gets the first answer: else it would be told that what it asked
/// for is taken, by itself.
/// </summary>
public sealed class RequestTurns : Interceptor
{
    private readonly Dictionary<(string Actor, string Id), Turn> _turns = [];

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        if (request is not IMessage message || message.Descriptor.FindFieldByName("request_id")?.Accessor.GetValue(message) is not string { Length: > 0 } id)
        {
            return await continuation(request, context);
        }
        using (await TakeAsync(context.Actor(), id, context.CancellationToken))
        {
            return await continuation(request, context);
        }
    }

    /// <summary>The turn of a request, until it is disposed. Without an id nobody waits for anybody.</summary>
    public async Task<IDisposable?> TakeAsync(Actor actor, string id, CancellationToken cancellation)
    {
        if (id.Length == 0)
        {
            return null;
        }
        var key = (actor.Name, id);
        var turn = Join(key);
        try
        {
            await turn.Free.WaitAsync(cancellation);
        }
        catch
        {
            Leave(key, turn);
            throw;
        }
        return new Taken(this, key, turn);
    }

    private Turn Join((string, string) key)
    {
        lock (_turns)
        {
            if (!_turns.TryGetValue(key, out var turn))
            {
                _turns[key] = turn = new Turn();
            }
            turn.Waiting++;
            return turn;
        }
    }

    private void Leave((string, string) key, Turn turn)
    {
        lock (_turns)
        {
            if (--turn.Waiting == 0)
            {
                _turns.Remove(key);
                turn.Free.Dispose();
            }
        }
    }

    private sealed class Taken(RequestTurns turns, (string, string) key, Turn turn) : IDisposable
    {
        public void Dispose()
        {
            turn.Free.Release();
            turns.Leave(key, turn);
        }
    }

    private sealed class Turn
    {
        public SemaphoreSlim Free { get; } = new(1, 1);
        public int Waiting { get; set; }
    }
}
