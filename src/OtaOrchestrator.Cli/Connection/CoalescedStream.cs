using System.IO.Pipelines;

namespace OtaOrchestrator.Cli.Connection;

/// <summary>
/// Beneath TLS: what is written is sent by a task of its own, as much at once as has come meanwhile. TLS writes 16 KiB at a time, and one system call for each would set
/// the speed of a large upload.
/// </summary>
internal sealed class CoalescedStream(Stream inner) : Stream
{
    private const int SegmentBytes = 128 * 1024;
    private readonly Pipe _pipe = new(new PipeOptions(minimumSegmentSize: SegmentBytes, pauseWriterThreshold: 8 * SegmentBytes, resumeWriterThreshold: 4 * SegmentBytes, useSynchronizationContext: false));
    private Task? _sent;

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _sent ??= Task.Run(SendAsync, CancellationToken.None);
        if ((await _pipe.Writer.WriteAsync(buffer, cancellationToken)).IsCompleted)
        {
            await _sent;
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _pipe.Writer.Complete();
            inner.Dispose();
        }
        base.Dispose(disposing);
    }

    private async Task SendAsync()
    {
        Exception? end = null;
        try
        {
            while (true)
            {
                var read = await _pipe.Reader.ReadAsync();
                foreach (var segment in read.Buffer)
                {
                    await inner.WriteAsync(segment);
                }
                _pipe.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            end = error;
            throw;
        }
        finally
        {
            await _pipe.Reader.CompleteAsync(end);
        }
    }
}
