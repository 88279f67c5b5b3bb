using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace OtaOrchestrator.Server.Hosting;

/// <summary>
/// Memory of the operators' connections in blocks of 128 KiB instead of 4: an image of hundreds of megabytes comes in with a fraction of the system calls.
/// Operators are few; devices connect to another listener.
/// </summary>
internal sealed class LargeBlocks : IMemoryPoolFactory<byte>
{
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new Pool();

    private sealed class Pool : MemoryPool<byte>
    {
        private const int BlockBytes = 128 * 1024;
        private const int FreeMax = 64;
        private readonly ConcurrentQueue<Block> _free = new();

        public override int MaxBufferSize => BlockBytes;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => minBufferSize > BlockBytes
            ? throw new ArgumentOutOfRangeException(nameof(minBufferSize), minBufferSize, $"at most {BlockBytes}")
            : _free.TryDequeue(out var block) ? block : new Block(this);

        protected override void Dispose(bool disposing) => _free.Clear();

        private sealed class Block(Pool pool) : MemoryManager<byte>
        {
            private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);

            public override Span<byte> GetSpan() => _bytes;

            public override MemoryHandle Pin(int elementIndex = 0) => MemoryMarshal.CreateFromPinnedArray(_bytes, elementIndex, _bytes.Length - elementIndex).Pin();

            public override void Unpin()
            {
            }

            protected override bool TryGetArray(out ArraySegment<byte> segment)
            {
                segment = _bytes;
                return true;
            }

            /// <summary>Back to the pool; a block that nobody keeps is collected.</summary>
            protected override void Dispose(bool disposing)
            {
                if (pool._free.Count < FreeMax)
                {
                    pool._free.Enqueue(this);
                }
            }
        }
    }
}
