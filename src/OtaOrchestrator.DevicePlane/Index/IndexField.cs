using System.Globalization;

namespace OtaOrchestrator.DevicePlane.Index;

/// <summary>A named field, resolved once per query: hands each value that a thing has for it to a visitor.</summary>
internal abstract class IndexField
{
    private const string ShadowPrefix = "shadow.name.";
    private const string ReportedInfix = ".reported.";
    private const string DesiredInfix = ".desired.";

    /// <summary>Returns true as soon as the visitor does.</summary>
    public abstract bool Any<TVisitor>(IndexedThing thing, ref TVisitor visitor)
        where TVisitor : struct, IValueVisitor;

    /// <summary>Whether its values are the groups that the index keeps members of.</summary>
    public virtual bool IsGroup => false;

    /// <exception cref="RefusedException">InvalidQuery: no such field.</exception>
    public static IndexField Parse(string name, Refusal refusal)
    {
        switch (name)
        {
            case "thingName":
                return new Simple(static t => (t.Record.Name, 0));
            case "thingId":
                return new Simple(static t => (t.Record.Id, 0));
            case "registry.version":
                return new Simple(static t => (null, t.Record.Version));
            case "connectivity.connected":
                return new Simple(static t => (t.Connected ? "true" : "false", 0));
            case "connectivity.timestamp":
                return new Simple(static t => t.Record.SeenMs == 0 ? ("", double.NaN) : (null, t.Record.SeenMs));
            case "thingGroupNames":
                return new Groups();
        }

        if (name.StartsWith("attributes.", StringComparison.Ordinal) && name.Length > 11)
        {
            var key = name[11..];
            return new Simple(t => t.Record.Attributes.TryGetValue(key, out var value) ? (value, 0) : ("", double.NaN));
        }

        if (name.StartsWith(ShadowPrefix, StringComparison.Ordinal))
        {
            var rest = name[ShadowPrefix.Length..];
            if (rest.EndsWith(".hasDelta", StringComparison.Ordinal))
            {
                var shadow = rest[..^9];
                return new Simple(t => Find(t, shadow) is { } s ? (s.HasDelta ? "true" : "false", 0) : ("", double.NaN));
            }

            if (rest.IndexOf(ReportedInfix, StringComparison.Ordinal) is var at and > 0 && rest.Length > at + ReportedInfix.Length)
            {
                return new Reported(rest[..at], rest[(at + ReportedInfix.Length)..]);
            }

            if (rest.Contains(DesiredInfix, StringComparison.Ordinal))
            {
                throw new RefusedException(refusal, $"'{name}': desired state isn't indexed");
            }
        }

        throw new RefusedException(refusal, $"there is no field '{name}'");
    }

    private static Shadows.NamedShadow? Find(IndexedThing thing, string shadow)
    {
        foreach (var candidate in thing.Shadows)
        {
            if (candidate.Name == shadow && !candidate.IsDeleted)
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>One value per thing; NaN with an empty text says that there is none.</summary>
    private sealed class Simple(Func<IndexedThing, (string? Text, double Number)> read) : IndexField
    {
        public override bool Any<TVisitor>(IndexedThing thing, ref TVisitor visitor)
        {
            var (text, number) = read(thing);
            return !double.IsNaN(number) && visitor.Visit(text, number);
        }
    }

    private sealed class Groups : IndexField
    {
        public override bool IsGroup => true;

        public override bool Any<TVisitor>(IndexedThing thing, ref TVisitor visitor)
        {
            foreach (var group in thing.Record.Groups)
            {
                if (visitor.Visit(group, 0))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private sealed class Reported(string shadow, string path) : IndexField
    {
        public override bool Any<TVisitor>(IndexedThing thing, ref TVisitor visitor)
        {
            if (Find(thing, shadow) is not { } found)
            {
                return false;
            }

            foreach (ref readonly var entry in found.Entries.AsSpan())
            {
                if (entry.Path == path && visitor.Visit(entry.Text, entry.Number))
                {
                    return true;
                }
            }

            return false;
        }
    }
}

/// <summary>Looks at one value; true ends the visit. A null text says that the value is the number.</summary>
internal interface IValueVisitor
{
    bool Visit(string? text, double number);
}

internal static class IndexValue
{
    public static string Text(string? text, double number) => text ?? number.ToString("R", CultureInfo.InvariantCulture);
}
