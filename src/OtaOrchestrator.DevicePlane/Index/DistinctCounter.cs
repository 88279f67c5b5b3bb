using System.Numerics;

namespace OtaOrchestrator.DevicePlane.Index;

/// <summary>Counts different values in bounded memory: a set of hashes while it is small, then HyperLogLog with 16,384 registers.</summary>
internal sealed class DistinctCounter
{
    private const int ExactLimit = 16_384;
    private const int RegisterBits = 14;
    private const int Registers = 1 << RegisterBits;

    private HashSet<ulong>? _exact = [];
    private byte[]? _registers;

    public void Add(string value)
    {
        var hash = Hash(value);
        if (_exact is not null)
        {
            _exact.Add(hash);
            if (_exact.Count <= ExactLimit)
            {
                return;
            }

            _registers = new byte[Registers];
            foreach (var earlier in _exact)
            {
                Register(earlier);
            }

            _exact = null;
            return;
        }

        Register(hash);
    }

    public long Estimate()
    {
        if (_exact is not null)
        {
            return _exact.Count;
        }

        double sum = 0;
        var unused = 0;
        foreach (var register in _registers!)
        {
            sum += Math.ScaleB(1, -register);
            unused += register == 0 ? 1 : 0;
        }

        // While registers are unused, counting those is more exact than the ranks of the others.
        if (unused > Registers / 20)
        {
            return (long)Math.Round(Registers * Math.Log((double)Registers / unused));
        }

        return (long)Math.Round(0.7213 / (1 + 1.079 / Registers) * Registers * Registers / sum);
    }

    private void Register(ulong hash)
    {
        var rank = (byte)(BitOperations.LeadingZeroCount((hash << RegisterBits) | (1UL << (RegisterBits - 1))) + 1);
        ref var register = ref _registers![hash >> (64 - RegisterBits)];
        register = Math.Max(register, rank);
    }

    /// <summary>FNV-1a, then murmur's finalizer so that the upper bits are as good as the lower ones.</summary>
    private static ulong Hash(string value)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in value)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdUL;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53UL;
        return hash ^ (hash >> 33);
    }
}
