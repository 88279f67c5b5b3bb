using System.Globalization;

namespace OtaOrchestrator.DevicePlane.Index;

/// <summary>A parsed query. Evaluating it allocates nothing.</summary>
internal abstract class IndexQuery
{
    public abstract bool Matches(IndexedThing thing);

    /// <summary>A group that every match is a member of, when the query says so; then only its members need to be looked at.</summary>
    public virtual string? RequiredGroup => null;

    public static IndexQuery Everything { get; } = new All();

    private sealed class All : IndexQuery
    {
        public override bool Matches(IndexedThing thing) => true;
    }

    internal sealed class And(IndexQuery left, IndexQuery right) : IndexQuery
    {
        public override string? RequiredGroup => left.RequiredGroup ?? right.RequiredGroup;

        public override bool Matches(IndexedThing thing) => left.Matches(thing) && right.Matches(thing);
    }

    internal sealed class Or(IndexQuery left, IndexQuery right) : IndexQuery
    {
        public override bool Matches(IndexedThing thing) => left.Matches(thing) || right.Matches(thing);
    }

    internal sealed class Not(IndexQuery inner) : IndexQuery
    {
        public override bool Matches(IndexedThing thing) => !inner.Matches(thing);
    }

    /// <summary>The field has any value at all.</summary>
    internal sealed class Exists(IndexField field) : IndexQuery
    {
        public override bool Matches(IndexedThing thing)
        {
            var visitor = default(Visitor);
            return field.Any(thing, ref visitor);
        }

        private readonly struct Visitor : IValueVisitor
        {
            public bool Visit(string? text, double number) => true;
        }
    }

    internal sealed class Equal(IndexField by, string value) : IndexQuery
    {
        private readonly double _number = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) ? n : double.NaN;

        public override string? RequiredGroup => by.IsGroup ? value : null;

        public override bool Matches(IndexedThing thing)
        {
            var visitor = new Visitor(value, _number);
            return by.Any(thing, ref visitor);
        }

        private readonly struct Visitor(string value, double wanted) : IValueVisitor
        {
            public bool Visit(string? text, double number) => text is null ? number == wanted : string.Equals(text, value, StringComparison.Ordinal);
        }
    }

    internal sealed class Prefix(IndexField field, string prefix) : IndexQuery
    {
        public override bool Matches(IndexedThing thing)
        {
            var visitor = new Visitor(prefix);
            return field.Any(thing, ref visitor);
        }

        private readonly struct Visitor(string prefix) : IValueVisitor
        {
            public bool Visit(string? text, double number) => IndexValue.Text(text, number).StartsWith(prefix, StringComparison.Ordinal);
        }
    }

    /// <summary>A range; a null bound is open. Bounds that are numbers compare with numbers, others with texts.</summary>
    internal sealed class Range(IndexField field, string? from, bool fromInclusive, string? to, bool toInclusive) : IndexQuery
    {
        private readonly double? _from = Number(from);
        private readonly double? _to = Number(to);
        private readonly bool _numeric = (from is null || Number(from) is not null) && (to is null || Number(to) is not null);

        public override bool Matches(IndexedThing thing)
        {
            var visitor = new Visitor(this);
            return field.Any(thing, ref visitor);
        }

        private static double? Number(string? text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) ? n : null;

        private bool Contains(double value) =>
            (_from is not { } low || (fromInclusive ? value >= low : value > low)) && (_to is not { } high || (toInclusive ? value <= high : value < high));

        private bool Contains(string value) =>
            (from is null || string.CompareOrdinal(value, from) is var l && (fromInclusive ? l >= 0 : l > 0))
            && (to is null || string.CompareOrdinal(value, to) is var h && (toInclusive ? h <= 0 : h < 0));

        private readonly struct Visitor(Range range) : IValueVisitor
        {
            public bool Visit(string? text, double number) =>
                text is null ? range._numeric && range.Contains(number)
                : range._numeric ? double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) && range.Contains(n)
                : range.Contains(text);
        }
    }
}
