using System.Threading.Channels;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Errors;

namespace OtaOrchestrator.Server.Releases;

/// <summary>
/// An image on its way in: written and hashed on a thread of its own while the next bytes arrive, in bounded memory. Disposed before <see cref="KeepAsync"/>, it
/// leaves nothing; once kept, it counts as arriving until it is disposed, so dispose it after its release is written.
/// </summary>
public sealed class Upload : IAsyncDisposable
{
    private const int BlockBytes = 1024 * 1024;
    private const int BlocksMax = 6;
    private readonly FirmwareStore _store;
    private readonly string _file;
    private readonly FileStream _stream;
    private readonly ImageCheck _check = new();
    private readonly Channel<(ReadOnlyMemory<byte> Bytes, byte[]? Block)> _arrived = Channel.CreateBounded<(ReadOnlyMemory<byte>, byte[]?)>(BlocksMax);
    private readonly Channel<byte[]> _free = Channel.CreateUnbounded<byte[]>();
    private readonly Task _written;
    private int _blocks;

    internal Upload(FirmwareStore store, string directory, long size)
    {
        _store = store;
        Size = size;
        _file = Path.Combine(directory, Guid.NewGuid().ToString("n"));
        _stream = Open(_file, size);
        _written = Task.Run(WriteAsync);
    }

    /// <summary>Bytes that were announced.</summary>
    public long Size { get; }

    /// <summary>Bytes that have come.</summary>
    public long Length { get; private set; }

    /// <summary>The store could not write it.</summary>
    internal bool Failed => _written.IsFaulted;

    /// <summary>The bytes must not change afterwards.</summary>
    public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation) => await AddAsync(bytes, null, cancellation);

    /// <summary>Appends all that comes.</summary>
    public async Task ReadAsync(Stream from, CancellationToken cancellation)
    {
        while (true)
        {
            var block = await FreeAsync(cancellation);
            int read = await from.ReadAtLeastAsync(block, block.Length, throwOnEndOfStream: false, cancellation);
            if (read > 0)
            {
                await AddAsync(block.AsMemory(0, read), block, cancellation);
            }
            if (read < block.Length)
            {
                return;
            }
        }
    }

    public async Task<ImageReading> FinishAsync()
    {
        _arrived.Writer.TryComplete();
        await _written;
        return _check.Finish();
    }

    /// <summary>Makes the image durable under its digest. Storing the same bytes twice is no error.</summary>
    public async Task KeepAsync(string sha256)
    {
        _stream.Flush(flushToDisk: true);
        await _stream.DisposeAsync();
        _store.Keep(this, _file, sha256);
    }

    public async ValueTask DisposeAsync()
    {
        _arrived.Writer.TryComplete();
        await _written.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _check.Dispose();
        await _stream.DisposeAsync();
        File.Delete(_file);
        _store.Forget(this);
    }

    private async Task AddAsync(ReadOnlyMemory<byte> bytes, byte[]? block, CancellationToken cancellation)
    {
        if (Length + bytes.Length > Size)
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the image is longer than the {Size} bytes that were announced");
        }
        Length += bytes.Length;
        if (!await _arrived.Writer.WaitToWriteAsync(cancellation) || !_arrived.Writer.TryWrite((bytes, block)))
        {
            await _written;
        }
    }

    private async Task<byte[]> FreeAsync(CancellationToken cancellation)
    {
        if (_free.Reader.TryRead(out var block))
        {
            return block;
        }
        if (_blocks < BlocksMax)
        {
            _blocks++;
            return GC.AllocateUninitializedArray<byte>(BlockBytes);
        }
        if (!await _free.Reader.WaitToReadAsync(cancellation))
        {
            await _written;
        }
        return _free.Reader.TryRead(out block) ? block : throw new InvalidOperationException("a block was taken by somebody else");
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var (bytes, block) in _arrived.Reader.ReadAllAsync())
            {
                _stream.Write(bytes.Span);
                _check.Append(bytes.Span);
                if (block is not null)
                {
                    _free.Writer.TryWrite(block);
                }
            }
        }
        finally
        {
            // Whoever waits for room is told that none will come.
            _arrived.Writer.TryComplete();
            _free.Writer.TryComplete();
        }
    }

    /// <summary>All of the room is taken now: who has none is told before he sends.</summary>
    private static FileStream Open(string file, long size)
    {
        try
        {
            return new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, PreallocationSize = size });
        }
        catch (IOException) when (new DriveInfo(Path.GetDirectoryName(file)!).AvailableFreeSpace < size)
        {
            // An allocation that fails does not say why.
            throw new RefusedException(ErrorReason.StoreFull, "there is no room for the image");
        }
    }
}
