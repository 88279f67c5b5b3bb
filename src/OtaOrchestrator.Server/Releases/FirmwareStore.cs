using System.Collections.Concurrent;
using System.Threading.Channels;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Server.Hosting;

namespace OtaOrchestrator.Server.Releases;

/// <summary>The images, one file each, named by their digest. A file is complete or not there.</summary>
public sealed class FirmwareStore(Home home)
{
    private readonly ConcurrentDictionary<Upload, string> _arriving = [];

    /// <summary>Digests of images that are in the store already while their release is being written.</summary>
    public IReadOnlySet<string> Arriving => _arriving.Values.ToHashSet(StringComparer.Ordinal);

    /// <summary>Digests of every image in the store.</summary>
    public IReadOnlyList<string> Stored() => [.. Directory.EnumerateFiles(home.Firmware).Select(file => Path.GetFileName(file))];

    public string File(string sha256) => Path.Combine(home.Firmware, sha256);

    /// <summary>Removes what uploads left that a crash cut off.</summary>
    public void Sweep()
    {
        foreach (var file in Directory.EnumerateFiles(home.Uploads))
        {
            System.IO.File.Delete(file);
        }
    }

    public async Task<ImageReading> CheckAsync(string sha256, CancellationToken cancellation)
    {
        await using var stream = System.IO.File.OpenRead(File(sha256));
        return await FirmwareImage.ReadAsync(stream, cancellation);
    }

    public Upload Begin() => new(this, home);

    /// <summary>
    /// An image on its way in: written and hashed side by side, in bounded memory. Disposed before <see cref="KeepAsync"/>, it leaves nothing;
    /// once kept, it counts as arriving until it is disposed, so dispose it after its release is written.
    /// </summary>
    public sealed class Upload : IAsyncDisposable
    {
        private readonly FirmwareStore _store;
        private readonly string _file;
        private readonly FileStream _stream;
        private readonly ImageCheck _check = new();
        private readonly Channel<ReadOnlyMemory<byte>> _hashing = Channel.CreateBounded<ReadOnlyMemory<byte>>(8);
        private readonly Task _hashed;

        internal Upload(FirmwareStore store, Home home)
        {
            _store = store;
            _file = Path.Combine(home.Uploads, Guid.NewGuid().ToString("n"));
            _stream = new FileStream(_file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, Options = FileOptions.Asynchronous });
            _hashed = Task.Run(async () =>
            {
                await foreach (var chunk in _hashing.Reader.ReadAllAsync())
                {
                    _check.Append(chunk.Span);
                }
            });
        }

        public long Length { get; private set; }

        /// <summary>The bytes must not change afterwards: they are hashed while the next ones come in.</summary>
        public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        {
            Length += bytes.Length;
            await _hashing.Writer.WriteAsync(bytes, cancellation);
            await _stream.WriteAsync(bytes, cancellation);
        }

        public async Task<ImageReading> FinishAsync()
        {
            _hashing.Writer.Complete();
            await _hashed;
            return _check.Finish();
        }

        /// <summary>Makes the image durable under its digest. Storing the same bytes twice is no error.</summary>
        public async Task KeepAsync(string sha256)
        {
            _stream.Flush(flushToDisk: true);
            await _stream.DisposeAsync();
            _store._arriving[this] = sha256;
            System.IO.File.Move(_file, _store.File(sha256), overwrite: true);
        }

        public async ValueTask DisposeAsync()
        {
            _hashing.Writer.TryComplete();
            await _hashed;
            _check.Dispose();
            await _stream.DisposeAsync();
            System.IO.File.Delete(_file);
            _store._arriving.TryRemove(this, out _);
        }
    }
}
