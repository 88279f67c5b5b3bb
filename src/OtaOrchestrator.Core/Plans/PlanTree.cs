using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace OtaOrchestrator.Core.Plans;

/// <summary>One place of a plan's text.</summary>
/// <param name="Line">1-based.</param>
internal abstract record PlanNode(int Line);

internal sealed record PlanScalar(string Value, bool Plain, int Line) : PlanNode(Line)
{
    /// <summary>Proto JSON writes an absent value as null.</summary>
    public bool IsNull => Plain && Value is "" or "null" or "~";
}

internal sealed record PlanList(IReadOnlyList<PlanNode> Items, int Line) : PlanNode(Line);

/// <summary>Fields in the order of the text. A name that comes twice stands here twice; a key that is no text has a null name.</summary>
internal sealed record PlanMap(IReadOnlyList<(string? Name, int Line, PlanNode Value)> Fields, int Line) : PlanNode(Line);

/// <summary>
/// Reads YAML, of which JSON is a part, into a tree. Takes events, not documents, so that what is hostile is refused before it costs anything: aliases that blow
/// a short text up to gigabytes, nesting that takes quadratic time and the whole stack.
/// </summary>
internal sealed class PlanTree
{
    // A plan nests five deep.
    private const int DepthMax = 16;

    private readonly Parser _parser;
    private int _depth;

    private PlanTree(string text) => _parser = new Parser(new StringReader(text));

    /// <summary>The root, or null when the text holds nothing.</summary>
    /// <exception cref="YamlException">It is not YAML, or holds something that no plan needs. Its message may be shown.</exception>
    public static PlanNode? Read(string text)
    {
        var tree = new PlanTree(text);
        tree.Next<StreamStart>();
        tree.Advance();
        if (tree._parser.Current is StreamEnd)
        {
            return null;
        }
        tree.Advance();
        var root = tree.Node();
        tree.Next<DocumentEnd>();
        tree.Advance();
        return tree._parser.Current is StreamEnd ? root : throw tree.Refuse("a file holds one plan");
    }

    /// <summary>The node that the parser stands on; leaves it on the node's last event.</summary>
    private PlanNode Node()
    {
        var current = _parser.Current!;
        int line = (int)current.Start.Line;
        if (current is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
        {
            throw Refuse("anchors and aliases are not known here");
        }
        if (current is NodeEvent { Tag: { IsEmpty: false, IsNonSpecific: false } })
        {
            throw Refuse("tags are not known here");
        }
        if (current is Scalar scalar)
        {
            return new PlanScalar(scalar.Value, scalar.Style == ScalarStyle.Plain, line);
        }
        if (++_depth > DepthMax)
        {
            throw Refuse($"nests deeper than {DepthMax}");
        }
        PlanNode node = current is MappingStart ? new PlanMap(Fields(), line) : new PlanList(Items(), line);
        _depth--;
        return node;
    }

    private List<PlanNode> Items()
    {
        List<PlanNode> items = [];
        for (Advance(); _parser.Current is not SequenceEnd; Advance())
        {
            items.Add(Node());
        }
        return items;
    }

    private List<(string?, int, PlanNode)> Fields()
    {
        List<(string?, int, PlanNode)> fields = [];
        for (Advance(); _parser.Current is not MappingEnd; Advance())
        {
            var name = Node();
            Advance();
            fields.Add(((name as PlanScalar)?.Value, name.Line, Node()));
        }
        return fields;
    }

    private void Next<T>() where T : ParsingEvent
    {
        Advance();
        if (_parser.Current is not T)
        {
            throw Refuse("is incomplete");
        }
    }

    private void Advance()
    {
        bool moved;
        try
        {
            moved = _parser.MoveNext();
        }
        catch (Exception error) when (error is not YamlException)
        {
            // The scanner fails on some broken texts with whatever it stumbled over: {a/b followed by a line break is one.
            throw Refuse("is not YAML");
        }
        if (!moved)
        {
            throw Refuse("is incomplete");
        }
    }

    private YamlException Refuse(string text) => new(_parser.Current?.Start ?? Mark.Empty, _parser.Current?.End ?? Mark.Empty, text);
}
