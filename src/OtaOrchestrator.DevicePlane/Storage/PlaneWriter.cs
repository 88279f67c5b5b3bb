using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.DevicePlane.Mqtt;

namespace OtaOrchestrator.DevicePlane.Storage;

/// <summary>
/// The only one that changes the plane. Operations wait in a bounded queue; what has gathered while the last commit was on its way to the
/// disk becomes the next commit (group commit), and nobody gets an answer before it is durable. Reads pass through as well, so that no
/// answer shows what might still be taken back.
/// </summary>
internal sealed partial class PlaneWriter(PlaneStore store, SteadyClock clock, ChannelWriter<OutboundMessage> outbox, ILogger<PlaneWriter> logger)
{
    private const int QueueLimit = 8192;
    private const int BatchRows = 500;
    private const int BatchOperations = 2000;

    private readonly Channel<Operation> _queue = Channel.CreateBounded<Operation>(new BoundedChannelOptions(QueueLimit) { SingleReader = true });
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = Task.Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

    /// <summary>Runs the operation and completes when its rows are on disk.</summary>
    /// <exception cref="RefusedException">Refused, or the store can't be written; nothing was changed.</exception>
    public async Task<T> RunAsync<T>(Func<PlaneTransaction, T> body, CancellationToken cancellationToken = default)
    {
        var operation = new Operation<T>(body);
        try
        {
            await _queue.Writer.WriteAsync(operation, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new RefusedException(Refusal.Unavailable, "the device plane is stopping");
        }

        return await operation.Task.ConfigureAwait(false);
    }

    public Task RunAsync(Action<PlaneTransaction> body, CancellationToken cancellationToken = default) => RunAsync(
        tx =>
        {
            body(tx);
            return true;
        },
        cancellationToken);

    /// <summary>Carries out what is queued, then stops.</summary>
    public async Task StopAsync()
    {
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var tx = new PlaneTransaction(clock);
        var batch = new List<Operation>();
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            batch.Clear();
            tx.Clear();
            while (batch.Count < BatchOperations && tx.RowCount < BatchRows && _queue.Reader.TryRead(out var operation))
            {
                batch.Add(operation);
                Execute(operation, tx);
            }

            if (await CommitAsync(tx).ConfigureAwait(false))
            {
                batch.ForEach(o => o.Complete());
                continue;
            }

            // One operation too many may have filled the disk, and reads need no disk: each gets its own try.
            foreach (var operation in batch)
            {
                tx.Clear();
                Execute(operation, tx);
                if (await CommitAsync(tx).ConfigureAwait(false))
                {
                    operation.Complete();
                }
                else
                {
                    operation.Fail(new RefusedException(Refusal.Unavailable, "the store can't be written; nothing was changed"));
                }
            }
        }
    }

    private void Execute(Operation operation, PlaneTransaction tx)
    {
        tx.BeginOperation();
        try
        {
            operation.Execute(tx);
            tx.AcceptOperation();
        }
        catch (RefusedException e)
        {
            tx.RejectOperation();
            operation.Refuse(e);
        }
        catch (Exception e)
        {
            tx.RejectOperation();
            LogOperationFailed(e);
            operation.Refuse(new RefusedException(Refusal.Internal, "internal error"));
        }
    }

    private async ValueTask<bool> CommitAsync(PlaneTransaction tx)
    {
        try
        {
            if (tx.RowCount > 0)
            {
                store.Commit(tx.Rows());
            }
        }
        catch (StoreUnavailableException e)
        {
            LogStoreUnavailable(e.InnerException?.Message ?? e.Message);
            tx.UndoAll();
            return false;
        }

        foreach (var action in tx.AfterCommitActions)
        {
            action();
        }

        foreach (var message in tx.Messages)
        {
            await outbox.WriteAsync(message).ConfigureAwait(false);
        }

        return true;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A device plane operation failed")]
    private partial void LogOperationFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The device plane's store can't be written: {Reason}")]
    private partial void LogStoreUnavailable(string reason);

    private abstract class Operation
    {
        public abstract void Execute(PlaneTransaction tx);

        public abstract void Refuse(RefusedException refusal);

        public abstract void Complete();

        public abstract void Fail(RefusedException refusal);
    }

    private sealed class Operation<T>(Func<PlaneTransaction, T> body) : Operation
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private RefusedException? _refusal;

        public Task<T> Task => _done.Task;

        public override void Execute(PlaneTransaction tx)
        {
            _refusal = null;
            _result = body(tx);
        }

        public override void Refuse(RefusedException refusal) => _refusal = refusal;

        public override void Complete()
        {
            if (_refusal is null)
            {
                _done.SetResult(_result!);
            }
            else
            {
                _done.SetException(_refusal);
            }
        }

        public override void Fail(RefusedException refusal) => _done.SetException(_refusal ?? refusal);
    }
}
