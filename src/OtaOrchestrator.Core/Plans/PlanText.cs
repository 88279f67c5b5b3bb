using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OtaOrchestrator.Core.Plans;

/// <summary>
/// Reads a plan from YAML or proto JSON: the one reader for files and for the wire. Says everything that is wrong at once; an unknown field is refused with the
/// nearest name that is known.
/// </summary>
public sealed partial class PlanText
{
    public const int LengthMax = 256 * 1024;
    private const int LanesMax = 20;
    private const int StepsMax = 50;

    private readonly List<PlanViolation> _violations = [];

    private PlanText()
    {
    }

    public static PlanReading Parse(string text)
    {
        if (text.Length > LengthMax)
        {
            return Broken($"a plan has at most {LengthMax / 1024} KiB", 0);
        }
        YamlNode root;
        try
        {
            RefuseAliases(text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count != 1)
            {
                return Broken(stream.Documents.Count == 0 ? "the plan is empty" : "a file holds one plan", 0);
            }
            root = stream.Documents[0].RootNode;
        }
        catch (YamlException error)
        {
            return Broken("is not YAML: " + error.Message, (int)error.Start.Line);
        }
        var reader = new PlanText();
        var plan = reader.Plan(root);
        return new PlanReading(reader._violations.Count == 0 ? plan : null, [.. reader._violations]);
    }

    /// <summary>The short form <c>target=release@version</c>, a lane for each.</summary>
    public static PlanReading FromShorthand(IEnumerable<string> lanes)
    {
        List<PlanViolation> violations = [];
        List<LanePlan> read = [];
        foreach (var text in lanes)
        {
            var parts = text.Split('=', 2);
            if (parts.Length != 2 || !Names.IsValid(parts[0]) || ReleaseName.Parse(parts[1]) is null)
            {
                violations.Add(new PlanViolation(Names.Shown(text), "is not target=release@version", "for example thermostats=thermostat-fw@2.4.0"));
                continue;
            }
            read.Add(new LanePlan { Name = parts[0], Target = parts[0], Release = parts[1] });
        }
        if (read.Count == 0 && violations.Count == 0)
        {
            violations.Add(new PlanViolation("lanes", "a plan has at least one lane"));
        }
        return violations.Count > 0 ? new PlanReading(null, [.. violations]) : new PlanReading(new Plan { Name = read[0].Target, Lanes = [.. read] }, []);
    }

    private static PlanReading Broken(string text, int line) => new(null, [new PlanViolation("plan", text, null, line)]);

    /// <summary>An alias can blow a short text up to gigabytes, and a plan needs none.</summary>
    private static void RefuseAliases(string text)
    {
        var parser = new Parser(new StringReader(text));
        while (parser.MoveNext())
        {
            if (parser.Current is YamlDotNet.Core.Events.AnchorAlias or YamlDotNet.Core.Events.NodeEvent { Anchor.IsEmpty: false })
            {
                throw new YamlException(parser.Current.Start, parser.Current.End, "anchors and aliases are not known here");
            }
        }
    }

    private Plan Plan(YamlNode root)
    {
        var fields = Fields(root, "plan", "apiVersion", "kind", "name", "timezone", "lanes", "judge", "rollback");
        Expect(fields, "apiVersion", "ota/v1");
        Expect(fields, "kind", "Plan");
        var lanes = Items(fields, "lanes", "", LanesMax);
        if (lanes.Count == 0)
        {
            Add("lanes", "a plan has at least one lane", root);
        }
        var read = lanes.Select((lane, i) => Lane(lane, $"lanes[{i}]")).ToImmutableArray();
        return new Plan
        {
            Name = Text(fields, "name", "") ?? (read.IsEmpty ? "" : read[0].Target),
            Timezone = Text(fields, "timezone", ""),
            Lanes = read,
            Judge = fields.TryGetValue("judge", out var judge) ? JudgeOf(judge, "judge") : new JudgePlan(),
            Rollback = fields.TryGetValue("rollback", out var rollback) ? RollbackOf(rollback, "rollback") : new RollbackPlan(),
        };
    }

    private LanePlan Lane(YamlNode node, string path)
    {
        var fields = Fields(node, path, "name", "target", "release", "fallback", "needs", "exclude", "window", "ratePerMinuteMax", "steps", "guardAfter", "observeFor", "checks", "complete");
        var target = Text(fields, "target", path) ?? "";
        return new LanePlan
        {
            Name = Text(fields, "name", path) is { Length: > 0 } name ? name : target,
            Target = target,
            Release = Text(fields, "release", path) ?? "",
            Fallback = Text(fields, "fallback", path),
            Needs = [.. Items(fields, "needs", path, 20).Select(need => Scalar(need, path + ".needs") ?? "")],
            Exclude = [.. Items(fields, "exclude", path, 100).Select(tag => Scalar(tag, path + ".exclude") ?? "")],
            Window = fields.TryGetValue("window", out var window) ? WindowOf(window, path + ".window") : null,
            RatePerMinuteMax = Integer(fields, "ratePerMinuteMax", path) is { } rate ? (int)Math.Clamp(rate, int.MinValue, int.MaxValue) : null,
            Steps = [.. Items(fields, "steps", path, StepsMax).Select((step, i) => Step(step, $"{path}.steps[{i}]"))],
            GuardAfter = Duration(fields, "guardAfter", path),
            ObserveFor = Duration(fields, "observeFor", path),
            Checks = [.. Items(fields, "checks", path, 20).Select((check, i) => Check(check, $"{path}.checks[{i}]"))],
            Complete = fields.TryGetValue("complete", out var complete) ? CompleteOf(complete, path + ".complete") : null,
        };
    }

    private StepPlan Step(YamlNode node, string path)
    {
        var fields = Fields(node, path, "share", "group", "bakeMin", "bakeMax", "requestsMin", "confirmedMin", "approval", "test", "pause", "reach");
        return new StepPlan
        {
            Share = Share(fields, "share", path),
            Group = Text(fields, "group", path),
            BakeMin = Duration(fields, "bakeMin", path),
            BakeMax = Duration(fields, "bakeMax", path),
            RequestsMin = Integer(fields, "requestsMin", path),
            ConfirmedMin = Integer(fields, "confirmedMin", path),
            Approval = Text(fields, "approval", path),
            Test = Text(fields, "test", path),
            Pause = Flag(fields, "pause", path) ?? false,
            Reach = Share(fields, "reach", path),
        };
    }

    private CheckPlan Check(YamlNode node, string path)
    {
        var fields = Fields(node, path, "name", "source", "against", "ratioMax", "errorsMax", "failuresMax", "p99MsMax", "samplesMin", "silentAfter", "interval");
        return new CheckPlan
        {
            Name = Text(fields, "name", path) ?? "",
            Source = Text(fields, "source", path) ?? "",
            Against = Text(fields, "against", path),
            RatioMax = Number(fields, "ratioMax", path),
            ErrorsMax = Share(fields, "errorsMax", path),
            FailuresMax = Share(fields, "failuresMax", path),
            P99MsMax = Number(fields, "p99MsMax", path),
            SamplesMin = Integer(fields, "samplesMin", path),
            SilentAfter = Duration(fields, "silentAfter", path),
            Interval = Duration(fields, "interval", path),
        };
    }

    private WindowPlan WindowOf(YamlNode node, string path)
    {
        var fields = Fields(node, path, "from", "to", "clock");
        return new WindowPlan(Text(fields, "from", path) ?? "", Text(fields, "to", path) ?? "", Text(fields, "clock", path));
    }

    private CompletePlan CompleteOf(YamlNode node, string path)
    {
        var fields = Fields(node, path, "confirmedMin", "of", "tailMax");
        return new CompletePlan { ConfirmedMin = Share(fields, "confirmedMin", path), Of = Text(fields, "of", path), TailMax = Duration(fields, "tailMax", path) };
    }

    private JudgePlan JudgeOf(YamlNode node, string path)
    {
        var fields = Fields(node, path, "falseAbortMax", "noData", "unhealthy");
        return new JudgePlan { FalseAbortMax = Share(fields, "falseAbortMax", path), NoData = Choice(fields, "noData", path), Unhealthy = Choice(fields, "unhealthy", path) };
    }

    private RollbackPlan RollbackOf(YamlNode node, string path)
    {
        var fields = Fields(node, path, "untilAfter", "ignoreWindow", "ratePerMinuteMax", "shares", "failuresMax", "undoWait");
        return new RollbackPlan
        {
            UntilAfter = Duration(fields, "untilAfter", path),
            IgnoreWindow = Flag(fields, "ignoreWindow", path),
            RatePerMinuteMax = Integer(fields, "ratePerMinuteMax", path) is { } rate ? (int)Math.Clamp(rate, int.MinValue, int.MaxValue) : null,
            Shares = [.. Items(fields, "shares", path, StepsMax).Select((share, i) => ShareOf(share, $"{path}.shares[{i}]") ?? 0)],
            FailuresMax = Share(fields, "failuresMax", path),
            UndoWait = Duration(fields, "undoWait", path),
        };
    }

    // Nodes.

    private Dictionary<string, YamlNode> Fields(YamlNode node, string path, params ReadOnlySpan<string> known)
    {
        Dictionary<string, YamlNode> fields = new(StringComparer.Ordinal);
        if (node is not YamlMappingNode mapping)
        {
            Add(path, "is not a set of fields", node);
            return fields;
        }
        foreach (var (key, value) in mapping.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (known.Contains(name))
            {
                // Proto JSON writes an absent message as null.
                if (!IsNull(value))
                {
                    fields[name] = value;
                }
                continue;
            }
            var nearest = Nearest(name, known);
            Add($"{path}.{Names.Shown(name)}", "unknown field", key, nearest is null ? null : $"did you mean {nearest}?");
        }
        return fields;
    }

    private List<YamlNode> Items(Dictionary<string, YamlNode> fields, string name, string path, int most)
    {
        if (!fields.TryGetValue(name, out var node))
        {
            return [];
        }
        var full = Join(path, name);
        if (node is not YamlSequenceNode sequence)
        {
            Add(full, "is not a list", node);
            return [];
        }
        if (sequence.Children.Count > most)
        {
            Add(full, $"has {sequence.Children.Count} entries, at most {most}", node);
            return [];
        }
        return [.. sequence.Children];
    }

    private string? Text(Dictionary<string, YamlNode> fields, string name, string path) => fields.TryGetValue(name, out var node) ? Scalar(node, Join(path, name)) : null;

    private string? Scalar(YamlNode node, string path)
    {
        if (node is not YamlScalarNode { Value: { } value })
        {
            Add(path, "is not a text", node);
            return null;
        }
        if (value.Length > 1024)
        {
            Add(path, "is longer than 1024 characters", node);
            return null;
        }
        return value;
    }

    private void Expect(Dictionary<string, YamlNode> fields, string name, string value)
    {
        if (fields.TryGetValue(name, out var node) && Scalar(node, name) is { Length: > 0 } text && text != value)
        {
            Add(name, $"is {Names.Shown(text)}, expected {value}", node);
        }
    }

    private long? Integer(Dictionary<string, YamlNode> fields, string name, string path)
    {
        if (Text(fields, name, path) is not { } text)
        {
            return null;
        }
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            return value;
        }
        Add(Join(path, name), $"{Names.Shown(text)} is not a whole number", fields[name]);
        return null;
    }

    private double? Number(Dictionary<string, YamlNode> fields, string name, string path)
    {
        if (Text(fields, name, path) is not { } text)
        {
            return null;
        }
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value))
        {
            return value;
        }
        Add(Join(path, name), $"{Names.Shown(text)} is not a number", fields[name]);
        return null;
    }

    private bool? Flag(Dictionary<string, YamlNode> fields, string name, string path)
    {
        switch (Text(fields, name, path))
        {
            case null: return null;
            case "true": return true;
            case "false": return false;
            case var text:
                Add(Join(path, name), $"{Names.Shown(text)} is not true or false", fields[name]);
                return null;
        }
    }

    private OnVerdict? Choice(Dictionary<string, YamlNode> fields, string name, string path)
    {
        switch (Text(fields, name, path))
        {
            case null or "": return null;
            case "hold": return OnVerdict.Hold;
            case "rollback": return OnVerdict.Rollback;
            case var text:
                Add(Join(path, name), $"{Names.Shown(text)} is not hold or rollback", fields[name]);
                return null;
        }
    }

    private double? Share(Dictionary<string, YamlNode> fields, string name, string path) => fields.TryGetValue(name, out var node) ? ShareOf(node, Join(path, name)) : null;

    private double? ShareOf(YamlNode node, string path)
    {
        if (Scalar(node, path) is not { } text)
        {
            return null;
        }
        bool percent = text.EndsWith('%');
        if (!double.TryParse(percent ? text[..^1].TrimEnd() : text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) || !double.IsFinite(value))
        {
            Add(path, $"{Names.Shown(text)} is not a share", node, "write 5% or 0.05");
            return null;
        }
        if (percent)
        {
            value /= 100;
        }
        else if (value > 1)
        {
            Add(path, $"{Names.Shown(text)} is more than everything", node, $"write {Names.Shown(text)}% for a percentage, or a number from 0 to 1");
            return null;
        }
        if (value is < 0 or > 1)
        {
            Add(path, $"{Names.Shown(text)} is outside 0% to 100%", node);
            return null;
        }
        return value;
    }

    private TimeSpan? Duration(Dictionary<string, YamlNode> fields, string name, string path)
    {
        if (Text(fields, name, path) is not { } text)
        {
            return null;
        }
        var full = Join(path, name);
        var match = DurationPattern().Match(text);
        if (!match.Success || text.Length == 0)
        {
            Add(full, $"{Names.Shown(text)} is not a duration", fields[name], "write 30m, 24h, 1h30m, 7d or 1800s");
            return null;
        }
        double Part(int group) => match.Groups[group].Success ? double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture) : 0;
        double seconds = (Part(1) * 86400) + (Part(2) * 3600) + (Part(3) * 60) + Part(4) + (Part(5) / 1000);
        if (seconds > TimeSpan.FromDays(3650).TotalSeconds)
        {
            Add(full, $"{Names.Shown(text)} is longer than ten years", fields[name]);
            return null;
        }
        return TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond));
    }

    private static bool IsNull(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" or "~" };

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private void Add(string path, string text, YamlNode node, string? hint = null) => _violations.Add(new PlanViolation(path, text, hint, (int)node.Start.Line));

    /// <summary>The known name with the fewest edits, if there are few.</summary>
    private static string? Nearest(string name, ReadOnlySpan<string> known)
    {
        string? best = null;
        int least = Math.Max(2, name.Length / 2);
        foreach (var candidate in known)
        {
            int edits = name.Length > 64 ? int.MaxValue : Edits(name.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (edits <= least)
            {
                (best, least) = (candidate, edits - 1);
            }
        }
        return best;
    }

    private static int Edits(string left, string right)
    {
        var above = Enumerable.Range(0, right.Length + 1).ToArray();
        for (int i = 1; i <= left.Length; i++)
        {
            var row = new int[right.Length + 1];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                row[j] = Math.Min(Math.Min(row[j - 1], above[j]) + 1, above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1));
            }
            above = row;
        }
        return above[right.Length];
    }

    [GeneratedRegex(@"^(?=.)(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9})ms)?$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();
}
