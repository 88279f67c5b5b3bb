using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Core.Plans;

/// <summary>Collects what is wrong while a plan is read, and where each value stands.</summary>
internal sealed class PlanProblems
{
    private readonly List<PlanViolation> _found = [];
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);

    /// <summary>In the order of the text.</summary>
    public ImmutableArray<PlanViolation> Found => PlanViolation.Listed([.. _found.OrderBy(violation => violation.Line)]);
    public IReadOnlyDictionary<string, int> Lines => _lines;

    public void Add(string path, string text, int line, string? hint = null) => _found.Add(new PlanViolation(path, text, hint, line));

    public void Seen(string path, int line) => _lines[path] = line;
}

/// <summary>The fields of one set in a plan's text, each read as what it is to be. What can't be read is a violation and comes back as null.</summary>
internal sealed partial class PlanFields
{
    private const int TextMax = 1024;

    private readonly Dictionary<string, PlanNode> _values = new(StringComparer.Ordinal);
    private readonly PlanProblems _problems;
    private readonly string _path;
    private readonly int _line;

    public PlanFields(PlanNode node, string path, PlanProblems problems, params ReadOnlySpan<string> known)
    {
        (_path, _problems, _line) = (path, problems, node.Line);
        if (node is not PlanMap map)
        {
            problems.Add(path.Length == 0 ? "plan" : path, "is not a set of fields", node.Line);
            return;
        }
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var (name, line, value) in map.Fields)
        {
            var at = Path(Names.Shown(name));
            if (name is null)
            {
                problems.Add(path.Length == 0 ? "plan" : path, "a field's name is a text", line);
            }
            else if (!known.Contains(name))
            {
                problems.Add(at, "unknown field", line, NearestName.Of(name, known) is { } nearest ? $"did you mean {nearest}?" : null);
            }
            else if (!seen.Add(name))
            {
                problems.Add(at, "stands here twice", line);
            }
            else if (value is not PlanScalar { IsNull: true })
            {
                _values[name] = value;
                problems.Seen(at, line);
            }
        }
    }

    public PlanNode? Node(string name) => _values.GetValueOrDefault(name);

    public string Path(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    public ImmutableArray<T> List<T>(string name, int most, Func<PlanNode, string, T> read)
    {
        switch (Node(name))
        {
            case null:
                return [];
            case PlanList list when list.Items.Count <= most:
                var items = ImmutableArray.CreateBuilder<T>(list.Items.Count);
                foreach (var item in list.Items)
                {
                    var path = $"{Path(name)}[{items.Count}]";
                    _problems.Seen(path, item.Line);
                    items.Add(read(item, path));
                }
                return items.MoveToImmutable();
            case PlanList list:
                Refuse(name, $"has {list.Items.Count} entries, at most {most}");
                return [];
            default:
                Refuse(name, "is not a list");
                return [];
        }
    }

    public string? Text(string name) => Node(name) is { } node ? TextOf(node, Path(name), _problems) : null;

    public void Expect(string name, string value)
    {
        // Proto JSON may write an unset text as an empty one.
        if (Text(name) is { Length: > 0 } text && text != value)
        {
            Refuse(name, $"is {Names.Shown(text)}, expected {value}");
        }
    }

    public long? Integer(string name, long most = long.MaxValue)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            Refuse(name, $"{Names.Shown(text)} is not a whole number");
            return null;
        }
        if (value < 0 || value > most)
        {
            Refuse(name, $"{Names.Shown(text)} is outside 0 to {most}");
            return null;
        }
        return value;
    }

    public double? Number(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value))
        {
            return value;
        }
        Refuse(name, $"{Names.Shown(text)} is not a number");
        return null;
    }

    public bool? Flag(string name)
    {
        switch (Text(name))
        {
            case null:
                return null;
            case "true":
                return true;
            case "false":
                return false;
            case var text:
                Refuse(name, $"{Names.Shown(text)} is not true or false");
                return null;
        }
    }

    public OnVerdict? Choice(string name, params ReadOnlySpan<OnVerdict> among)
    {
        if (Text(name) is not { Length: > 0 } text)
        {
            return null;
        }
        foreach (var choice in among)
        {
            if (text == Words.Of(choice))
            {
                return choice;
            }
        }
        string[] words = [.. among.ToArray().Select(Words.Of)];
        Refuse(name, $"{Names.Shown(text)} is not {string.Join(" or ", words)}", NearestName.Of(text, words) is { } nearest ? $"did you mean {nearest}?" : null);
        return null;
    }

    public double? Share(string name) => Node(name) is { } node ? ShareOf(node, Path(name), _problems) : null;

    public TimeSpan? Duration(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }
        var match = DurationPattern().Match(text);
        if (!match.Success)
        {
            Refuse(name, $"{Names.Shown(text)} is not a duration", "write 500ms, 30m, 24h, 1h30m, 7d or 1800s");
            return null;
        }
        decimal Part(int group) => match.Groups[group].Success ? decimal.Parse(match.Groups[group].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) : 0;
        decimal seconds = (Part(1) * 86400) + (Part(2) * 3600) + (Part(3) * 60) + Part(4) + (Part(5) / 1000);
        if (seconds > 3650 * 86400m)
        {
            Refuse(name, $"{Names.Shown(text)} is longer than ten years");
            return null;
        }
        return TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond));
    }

    public static string? TextOf(PlanNode node, string path, PlanProblems problems)
    {
        if (node is not PlanScalar scalar)
        {
            problems.Add(path, "is not a text", node.Line);
            return null;
        }
        if (scalar.Value.Length > TextMax)
        {
            problems.Add(path, $"is longer than {TextMax} characters", node.Line);
            return null;
        }
        return scalar.Value;
    }

    /// <summary>A share of everything: <c>5%</c> or <c>0.05</c>. Read as decimal, so that 2.3% is 0.023 to the last bit.</summary>
    public static double? ShareOf(PlanNode node, string path, PlanProblems problems)
    {
        if (TextOf(node, path, problems) is not { } text)
        {
            return null;
        }
        var shown = Names.Shown(text);
        bool percent = text.EndsWith('%');
        if (!decimal.TryParse(percent ? text.AsSpan(0, text.Length - 1).TrimEnd() : text, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal value))
        {
            problems.Add(path, $"{shown} is not a share", node.Line, "write 5% or 0.05");
            return null;
        }
        if (!percent && value is > 1 and <= 100)
        {
            problems.Add(path, $"{shown} is more than everything", node.Line, $"write {shown}% for a percentage, or a number from 0 to 1");
            return null;
        }
        value = percent ? value / 100 : value;
        if (value is < 0 or > 1)
        {
            problems.Add(path, $"{shown} is outside 0% to 100%", node.Line);
            return null;
        }
        return (double)value;
    }

    private void Refuse(string name, string text, string? hint = null) => _problems.Add(Path(name), text, Node(name)?.Line ?? _line, hint);

    [GeneratedRegex(@"\A(?=.)(?:([0-9]{1,5})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,7})m(?!s))?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)s)?(?:([0-9]{1,12})ms)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();
}
