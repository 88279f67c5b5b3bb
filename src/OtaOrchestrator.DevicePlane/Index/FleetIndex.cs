using System.Runtime.InteropServices;

namespace OtaOrchestrator.DevicePlane.Index;

/// <summary>
/// The snapshots of all things, by slot. The writer replaces them; queries run on any thread without a lock and see each thing either
/// before or after a change. What a query needs in memory doesn't grow with the fleet.
/// </summary>
internal sealed class FleetIndex
{
    private const int ChunkBits = 12;
    private const int ChunkSize = 1 << ChunkBits;

    /// <summary>Distinct values that one aggregation may tell apart.</summary>
    private const int MaxDistinct = 20_000;

    private IndexedThing?[][] _chunks = [];
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, ulong[]> _groups = new(StringComparer.Ordinal);

    /// <summary>Called by the writer only.</summary>
    public void Set(int slot, IndexedThing? thing)
    {
        var chunk = slot >> ChunkBits;
        if (chunk >= _chunks.Length)
        {
            var chunks = new IndexedThing?[chunk + 1][];
            _chunks.CopyTo(chunks, 0);
            for (var i = _chunks.Length; i <= chunk; i++)
            {
                chunks[i] = new IndexedThing?[ChunkSize];
            }

            Volatile.Write(ref _chunks, chunks);
        }

        ref var place = ref _chunks[chunk][slot & (ChunkSize - 1)];
        var before = place;
        Volatile.Write(ref place, thing);
        if (before is null || thing is null || !ReferenceEquals(before.Record.Groups, thing.Record.Groups))
        {
            Mark(slot, before?.Record.Groups ?? [], set: false);
            Mark(slot, thing?.Record.Groups ?? [], set: true);
        }
    }

    /// <returns>Matches in slot order from <paramref name="fromSlot"/> on, at most <paramref name="limit"/>, and the slot to go on from, or -1.</returns>
    public (List<IndexedThing> Things, int Next) Search(IndexQuery query, int fromSlot, int limit)
    {
        var things = new List<IndexedThing>();
        foreach (var (slot, thing) in Matches(query, fromSlot))
        {
            if (things.Count == limit)
            {
                return (things, slot);
            }

            things.Add(thing);
        }

        return (things, -1);
    }

    public long Count(IndexQuery query)
    {
        long count = 0;
        foreach (var _ in Matches(query, 0))
        {
            count++;
        }

        return count;
    }

    /// <summary>Count, sum, extremes of a numeric field over the matches that have it.</summary>
    public NumericStatistics Statistics(IndexQuery query, IndexField field)
    {
        var visitor = new NumericStatistics();
        foreach (var (_, thing) in Matches(query, 0))
        {
            field.Any(thing, ref visitor);
        }

        return visitor;
    }

    /// <returns>How many matches have a value, and how often each value occurs.</returns>
    /// <exception cref="RefusedException">InvalidAggregation: the field has too many different values.</exception>
    public (long Total, List<KeyValuePair<string, int>> Buckets) Buckets(IndexQuery query, IndexField field, int maxBuckets)
    {
        var visitor = new Terms(new Dictionary<string, int>(StringComparer.Ordinal));
        foreach (var (_, thing) in Matches(query, 0))
        {
            field.Any(thing, ref visitor);
        }

        // Ties in a fixed order, so that the same question has the same answer.
        var buckets = visitor.Counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(maxBuckets).ToList();
        return (visitor.Counts.Sum(c => (long)c.Value), buckets);
    }

    /// <returns>The number of different values, exact while it is small, else estimated to about 1 %.</returns>
    public long Cardinality(IndexQuery query, IndexField field)
    {
        var visitor = new Distinct(new DistinctCounter());
        foreach (var (_, thing) in Matches(query, 0))
        {
            field.Any(thing, ref visitor);
        }

        return visitor.Counter.Estimate();
    }

    private IEnumerable<(int Slot, IndexedThing Thing)> Matches(IndexQuery query, int fromSlot)
    {
        var chunks = Volatile.Read(ref _chunks);
        ulong[]? members = null;
        if (query.RequiredGroup is { } group && !_groups.TryGetValue(group, out members))
        {
            yield break;
        }

        var end = chunks.Length << ChunkBits;
        for (var slot = fromSlot; slot < end; slot++)
        {
            if (members is not null)
            {
                var word = slot >> 6;
                if (word >= members.Length)
                {
                    yield break;
                }

                var rest = members[word] >> (slot & 63);
                if (rest == 0)
                {
                    slot |= 63;
                    continue;
                }

                slot += System.Numerics.BitOperations.TrailingZeroCount(rest);
                if (slot >= end)
                {
                    yield break;
                }
            }

            if (Volatile.Read(ref chunks[slot >> ChunkBits][slot & (ChunkSize - 1)]) is { } thing && query.Matches(thing))
            {
                yield return (slot, thing);
            }
        }
    }

    private void Mark(int slot, string[] groups, bool set)
    {
        foreach (var group in groups)
        {
            var word = slot >> 6;
            var bits = _groups.TryGetValue(group, out var present) ? present : [];
            if (word >= bits.Length)
            {
                Array.Resize(ref bits, Math.Max(word + 1, bits.Length * 2));
            }

            bits[word] = set ? bits[word] | (1UL << (slot & 63)) : bits[word] & ~(1UL << (slot & 63));
            _groups[group] = bits;
        }
    }

    private readonly struct Terms(Dictionary<string, int> counts) : IValueVisitor
    {
        public Dictionary<string, int> Counts { get; } = counts;

        public bool Visit(string? text, double number)
        {
            ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(Counts, IndexValue.Text(text, number), out var known);
            count++;
            return !known && Counts.Count > MaxDistinct
                ? throw new RefusedException(Refusal.InvalidAggregation, $"the field has more than {MaxDistinct} different values")
                : false;
        }
    }

    private readonly struct Distinct(DistinctCounter counter) : IValueVisitor
    {
        public DistinctCounter Counter { get; } = counter;

        public bool Visit(string? text, double number)
        {
            Counter.Add(IndexValue.Text(text, number));
            return false;
        }
    }
}

internal struct NumericStatistics : IValueVisitor
{
    public long Count;
    public long Numbers;
    public double Sum;
    public double SumOfSquares;
    public double Minimum;
    public double Maximum;

    public bool Visit(string? text, double number)
    {
        if (text is null)
        {
            Minimum = Numbers == 0 ? number : Math.Min(Minimum, number);
            Maximum = Numbers == 0 ? number : Math.Max(Maximum, number);
            Numbers++;
            Sum += number;
            SumOfSquares += number * number;
        }

        Count++;
        return false;
    }
}
