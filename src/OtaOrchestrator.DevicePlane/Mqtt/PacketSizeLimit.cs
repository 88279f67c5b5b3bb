using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace OtaOrchestrator.DevicePlane.Mqtt;

/// <summary>
/// Ends a connection whose next packet announces more than the limit, before a byte of it is kept: the protocol lets a client announce
/// 256 MiB, and the decoder would wait for them.
/// </summary>
internal sealed class PacketSizeLimit(PipeReader inner, int maxBytes) : PipeReader
{
    private long _skip;
    private ReadOnlySequence<byte>? _last;

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
        {
            return false;
        }

        Check(result.Buffer);
        return true;
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var result = await inner.ReadAsync(cancellationToken).ConfigureAwait(false);
        Check(result.Buffer);
        return result;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // Packets are consumed whole, so what was checked as ahead of the reader shrinks by what it took.
        if (_last is { } buffer)
        {
            _skip = Math.Max(0, _skip - buffer.Slice(0, consumed).Length);
            _last = null;
        }

        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <summary>Walks over the packets in the buffer; <c>_skip</c> is how far the last known packet reaches beyond what was consumed.</summary>
    private void Check(ReadOnlySequence<byte> buffer)
    {
        _last = buffer;
        while (_skip < buffer.Length)
        {
            var reader = new SequenceReader<byte>(buffer.Slice(_skip));
            reader.Advance(1);
            long length = 0;
            var complete = false;
            for (var shift = 0; shift <= 21 && reader.TryRead(out var b); shift += 7)
            {
                length |= (long)(b & 0x7f) << shift;
                if ((b & 0x80) == 0)
                {
                    complete = true;
                    break;
                }
            }

            if (length > maxBytes)
            {
                throw new ConnectionAbortedException($"an MQTT packet of {length} bytes; {maxBytes} are allowed");
            }

            if (!complete)
            {
                // The header isn't here yet, or is malformed, which the decoder will say.
                return;
            }

            _skip += reader.Consumed + length;
        }
    }

    /// <summary>The transport with its input behind the limit.</summary>
    public static IDuplexPipe Wrap(IDuplexPipe transport, int maxBytes) => new Limited(new PacketSizeLimit(transport.Input, maxBytes), transport.Output);

    private sealed class Limited(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input { get; } = input;

        public PipeWriter Output { get; } = output;
    }
}
