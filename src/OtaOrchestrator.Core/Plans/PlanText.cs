using System.Collections.Immutable;
using YamlDotNet.Core;

namespace OtaOrchestrator.Core.Plans;

/// <summary>
/// Reads a plan from YAML or proto JSON: the one reader for files and for the wire. Says everything that is wrong at once; an unknown field is refused with the
/// nearest name that is known.
/// </summary>
public static class PlanText
{
    /// <summary>Characters.</summary>
    public const int LengthMax = 256 * 1024;
    public const int LanesMax = 20;
    public const int StepsMax = 50;
    private const int ChecksMax = 20;
    private const int NeedsMax = 20;
    private const int ExcludeMax = 100;

    /// <summary>Never throws for a bad text.</summary>
    public static PlanReading Parse(string text)
    {
        if (text.Length > LengthMax)
        {
            return Broken($"has {text.Length / 1024} KiB, at most {LengthMax / 1024}", 0);
        }
        PlanNode? root;
        try
        {
            root = PlanTree.Read(text.TrimStart('\ufeff'));
        }
        catch (YamlException error)
        {
            return Broken(error.Message, (int)error.Start.Line);
        }
        if (root is null or PlanScalar { IsNull: true })
        {
            return Broken("is empty", 0);
        }
        var problems = new PlanProblems();
        var plan = Plan(root, problems);
        var found = problems.Found;
        return new PlanReading(found.IsEmpty ? plan : null, found) { Lines = problems.Lines };
    }

    /// <summary>The short form <c>target=release@version</c>, a lane for each.</summary>
    public static PlanReading FromShorthand(IEnumerable<string> lanes)
    {
        List<PlanViolation> violations = [];
        List<LanePlan> read = [];
        foreach (var text in lanes)
        {
            if (read.Count + violations.Count == LanesMax)
            {
                violations.Add(new PlanViolation("lanes", $"are more than {LanesMax}"));
                break;
            }
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

    private static Plan Plan(PlanNode root, PlanProblems problems)
    {
        var fields = new PlanFields(root, "", problems, "apiVersion", "kind", "name", "timezone", "lanes", "judge", "rollback");
        fields.Expect("apiVersion", "ota/v1");
        fields.Expect("kind", "Plan");
        if (root is PlanMap && fields.Node("lanes") is null or PlanList { Items.Count: 0 })
        {
            problems.Add("lanes", "a plan has at least one lane", root.Line);
        }
        var lanes = fields.List("lanes", LanesMax, (node, path) => Lane(node, path, problems));
        return new Plan
        {
            Name = fields.Text("name") is { Length: > 0 } name ? name : lanes.IsEmpty ? "" : lanes[0].Target,
            Timezone = fields.Text("timezone"),
            Lanes = lanes,
            Judge = fields.Node("judge") is { } judge ? Judge(judge, "judge", problems) : new JudgePlan(),
            Rollback = fields.Node("rollback") is { } rollback ? Rollback(rollback, "rollback", problems) : new RollbackPlan(),
        };
    }

    private static LanePlan Lane(PlanNode node, string path, PlanProblems problems)
    {
        var fields = new PlanFields(
            node, path, problems, "name", "target", "release", "fallback", "needs", "exclude", "window", "ratePerMinuteMax", "steps", "guardAfter", "observeFor", "checks", "complete",
            "stickyFor", "leaseFor", "onControllerLoss");
        var target = fields.Text("target") ?? "";
        return new LanePlan
        {
            Name = fields.Text("name") is { Length: > 0 } name ? name : target,
            Target = target,
            Release = fields.Text("release") ?? "",
            Fallback = fields.Text("fallback"),
            Needs = fields.List("needs", NeedsMax, (item, at) => PlanFields.TextOf(item, at, problems) ?? ""),
            Exclude = fields.List("exclude", ExcludeMax, (item, at) => PlanFields.TextOf(item, at, problems) ?? ""),
            Window = fields.Node("window") is { } window ? Window(window, fields.Path("window"), problems) : null,
            RatePerMinuteMax = (int?)fields.Integer("ratePerMinuteMax", int.MaxValue),
            Steps = fields.List("steps", StepsMax, (item, at) => Step(item, at, problems)),
            GuardAfter = fields.Duration("guardAfter"),
            ObserveFor = fields.Duration("observeFor"),
            Checks = fields.List("checks", ChecksMax, (item, at) => Check(item, at, problems)),
            Complete = fields.Node("complete") is { } complete ? Complete(complete, fields.Path("complete"), problems) : null,
            StickyFor = fields.Duration("stickyFor"),
            LeaseFor = fields.Duration("leaseFor"),
            OnControllerLoss = fields.Text("onControllerLoss"),
        };
    }

    private static StepPlan Step(PlanNode node, string path, PlanProblems problems)
    {
        var fields = new PlanFields(node, path, problems, "share", "group", "bakeMin", "bakeMax", "requestsMin", "confirmedMin", "approval", "test", "pause", "reach", "mirror");
        return new StepPlan
        {
            Share = fields.Share("share"),
            Group = fields.Text("group"),
            BakeMin = fields.Duration("bakeMin"),
            BakeMax = fields.Duration("bakeMax"),
            RequestsMin = fields.Integer("requestsMin"),
            ConfirmedMin = fields.Integer("confirmedMin"),
            Approval = fields.Text("approval"),
            Test = fields.Text("test"),
            Pause = fields.Flag("pause") ?? false,
            Reach = fields.Share("reach"),
            Mirror = fields.Share("mirror"),
        };
    }

    private static CheckPlan Check(PlanNode node, string path, PlanProblems problems)
    {
        var fields = new PlanFields(
            node, path, problems, "name", "source", "against", "ratioMax", "errorsMax", "failuresMax", "p99MsMax", "samplesMin", "silentAfter", "interval",
            "metric", "when", "url", "query", "alarm", "service", "valueMax", "valueMin", "timeout", "failuresInRowMax", "noData", "dryRun");
        return new CheckPlan
        {
            Name = fields.Text("name") ?? "",
            Source = fields.Text("source") ?? "",
            Against = fields.Text("against"),
            RatioMax = fields.Number("ratioMax"),
            ErrorsMax = fields.Share("errorsMax"),
            FailuresMax = fields.Share("failuresMax"),
            P99MsMax = fields.Number("p99MsMax"),
            SamplesMin = fields.Integer("samplesMin"),
            SilentAfter = fields.Duration("silentAfter"),
            Interval = fields.Duration("interval"),
            Metric = fields.Text("metric"),
            When = fields.Text("when"),
            Url = fields.Text("url"),
            Query = fields.Text("query"),
            Alarm = fields.Text("alarm"),
            Service = fields.Text("service"),
            ValueMax = fields.Number("valueMax"),
            ValueMin = fields.Number("valueMin"),
            Timeout = fields.Duration("timeout"),
            FailuresInRowMax = (int?)fields.Integer("failuresInRowMax", 1000),
            NoData = fields.Choice("noData", OnVerdict.Hold, OnVerdict.Rollback, OnVerdict.Ignore),
            DryRun = fields.Flag("dryRun") ?? false,
        };
    }

    private static WindowPlan Window(PlanNode node, string path, PlanProblems problems)
    {
        var fields = new PlanFields(node, path, problems, "from", "to", "clock");
        return new WindowPlan(fields.Text("from") ?? "", fields.Text("to") ?? "", fields.Text("clock"));
    }

    private static CompletePlan Complete(PlanNode node, string path, PlanProblems problems)
    {
        var fields = new PlanFields(node, path, problems, "confirmedMin", "of", "tailMax");
        return new CompletePlan { ConfirmedMin = fields.Share("confirmedMin"), Of = fields.Text("of"), TailMax = fields.Duration("tailMax") };
    }

    private static JudgePlan Judge(PlanNode node, string path, PlanProblems problems)
    {
        var fields = new PlanFields(node, path, problems, "falseAbortMax", "noData", "unhealthy");
        return new JudgePlan { FalseAbortMax = fields.Share("falseAbortMax"), NoData = fields.Choice("noData", OnVerdict.Hold, OnVerdict.Rollback), Unhealthy = fields.Choice("unhealthy", OnVerdict.Rollback, OnVerdict.Hold, OnVerdict.Freeze) };
    }

    private static RollbackPlan Rollback(PlanNode node, string path, PlanProblems problems)
    {
        var fields = new PlanFields(node, path, problems, "untilAfter", "ignoreWindow", "ratePerMinuteMax", "shares", "failuresMax", "undoWait");
        return new RollbackPlan
        {
            UntilAfter = fields.Duration("untilAfter"),
            IgnoreWindow = fields.Flag("ignoreWindow"),
            RatePerMinuteMax = (int?)fields.Integer("ratePerMinuteMax", int.MaxValue),
            Shares = fields.List("shares", StepsMax, (item, at) => PlanFields.ShareOf(item, at, problems) ?? 0),
            FailuresMax = fields.Share("failuresMax"),
            UndoWait = fields.Duration("undoWait"),
        };
    }
}
