using OtaOrchestrator.Core.Analysis;

namespace OtaOrchestrator.Core.Plans;

/// <summary>Each lane is judged by something that its target or an address of the plan's can show, against limits that can be met and missed.</summary>
internal static class CheckRules
{
    private static readonly TimeSpan IntervalMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan TimeoutMax = TimeSpan.FromMinutes(1);

    public static void Check(LanePlan lane, string path, PlanTarget target, PlanContext context, PlanFindings found)
    {
        // A rehearsal reaches nobody who could be counted.
        found.AddIf(!context.Rehearsal && lane.Checks.All(check => check.IsTest() || check.DryRun), $"{path}.checks", "a lane without checks would be judged by nothing");
        HashSet<string> names = new(StringComparer.Ordinal);
        for (int i = 0; i < lane.Checks.Length; i++)
        {
            var check = lane.Checks[i];
            var at = $"{path}.checks[{i}]";
            found.AddIf(!Names.IsValid(check.Name), $"{at}.name", $"{Names.Shown(check.Name)} is not a name", Names.Rule);
            found.AddIf(!names.Add(check.Name), $"{at}.name", $"two checks are called {Names.Shown(check.Name)}");
            found.AddIf(check.Interval < IntervalMin, $"{at}.interval", "is at least 100ms");
            found.AddIf(check.SilentAfter <= TimeSpan.Zero, $"{at}.silentAfter", "is more than nothing");
            found.AddIf(check.SamplesMin is < 0, $"{at}.samplesMin", "is not negative");
            found.AddIf(check.When is not (null or "" or "exposed" or "test"), $"{at}.when", $"{Names.Shown(check.When)} is not exposed or test");
            found.AddIf(check.IsTest() && !check.Asks(), $"{at}.when", "before exposure there is nothing to count", "a test has the source http, grpc, prometheus or webhook");
            if (check.Asks())
            {
                Asked(check, at, found);
                continue;
            }
            Unasked(check, at, found);
            if (target.Kind == TargetKind.Fleet)
            {
                OfFleet(lane, check, at, found);
            }
            else
            {
                OfTraffic(lane, check, at, target, found);
            }
        }
        for (int i = 0; i < lane.Steps.Length && !context.UnknownTests; i++)
        {
            if (lane.Steps[i].Test is { } test)
            {
                found.AddIf(lane.Checks.Any(check => check.Name == test && check.IsTest() && check.DryRun), $"{path}.steps[{i}].test", $"{test} is a dry run: the step would wait for what nothing follows from");
                found.AddIf(!lane.Checks.Any(check => check.Name == test && check.IsTest()), $"{path}.steps[{i}].test", $"no check with when: test is called {Names.Shown(test)}", $"for example {{ name: {test}, source: http, when: test, url: \"{{candidate}}/healthz\" }}");
            }
        }
    }

    private static void OfFleet(LanePlan lane, CheckPlan check, string at, PlanFindings found)
    {
        found.AddIf(check.Source != CheckSources.Devices, $"{at}.source", $"{Names.Shown(check.Source)} shows nothing of {lane.Target}", "use devices");
        found.AddIf(check.FailuresMax is not (null or (> 0 and < 1)), $"{at}.failuresMax", "is more than 0 % and less than 100 %");
        found.AddIf(check.ErrorsMax is not null, $"{at}.errorsMax", "devices have no requests", "failuresMax limits devices");
        found.AddIf(check.RatioMax is not null, $"{at}.ratioMax", "devices have no baseline", "failuresMax limits devices");
        found.AddIf(check.P99MsMax is not null, $"{at}.p99MsMax", "devices have no requests");
        found.AddIf(check.Metric is { Length: > 0 }, $"{at}.metric", "devices have no requests");
        found.AddIf(check.Against is { Length: > 0 }, $"{at}.against", "devices have no baseline");
    }

    private static void OfTraffic(LanePlan lane, CheckPlan check, string at, PlanTarget target, PlanFindings found)
    {
        found.AddIf(check.Source != CheckSources.Router, $"{at}.source", $"{Names.Shown(check.Source)} shows nothing of {lane.Target}", $"use {CheckSources.Router}, or one of {string.Join(", ", CheckSources.Asked)}");
        found.AddIf(check is { ErrorsMax: null, RatioMax: null, P99MsMax: null }, at, "has no limit", "errorsMax, ratioMax or p99MsMax");
        found.AddIf(check.ErrorsMax is not (null or (>= 0 and < 1)), $"{at}.errorsMax", "is at least 0 % and less than 100 %");
        found.AddIf(check.RatioMax is not (null or (>= 1 and < EProcess.RatioMax)), $"{at}.ratioMax", $"lies between 1 and {EProcess.RatioMax}", "below 1 the candidate would have to be better than the baseline");
        found.AddIf(check.P99MsMax is not (null or (> 0 and <= 3_600_000)), $"{at}.p99MsMax", "is more than 0 and at most an hour");
        found.AddIf(check.Against is not (null or "" or "baseline"), $"{at}.against", $"{Names.Shown(check.Against)} is not known", "baseline");
        found.AddIf(check is { Against: "baseline", RatioMax: null }, $"{at}.ratioMax", "is missing: how much worse than the baseline may it be?");
        found.AddIf(check.RatioMax is not null && !target.Capabilities.PerVariantMetrics, $"{at}.ratioMax", $"{lane.Target} does not show candidate and baseline apart");
        found.AddIf(check.Metric is not (null or "" or "errors" or "latency"), $"{at}.metric", $"{Names.Shown(check.Metric)} is not errors or latency");
        found.AddIf(check is { Metric: "latency", RatioMax: null, P99MsMax: null }, at, "has no limit", "ratioMax or p99MsMax");
        found.AddIf(check is { Metric: "latency", ErrorsMax: not null }, $"{at}.errorsMax", "limits errors, not latency", "put it into a check of its own");
        found.AddIf(check.FailuresMax is not null, $"{at}.failuresMax", "traffic has no devices", "errorsMax limits requests");
        found.AddIf(check.SilentAfter is not null, $"{at}.silentAfter", "traffic has no devices");
    }

    /// <summary>Checks that ask somebody else.</summary>
    private static void Asked(CheckPlan check, string at, PlanFindings found)
    {
        found.AddIf(check is not { ErrorsMax: null, RatioMax: null, P99MsMax: null, FailuresMax: null, Against: null or "", Metric: null or "" }, at, $"limits of router and devices mean nothing to {check.Source}", "failuresInRowMax limits readings");
        if (check.Source == CheckSources.CloudWatch)
        {
            InCloudWatch(check, at, found);
            return;
        }
        found.AddIf(check.Alarm is not null, $"{at}.alarm", $"means nothing to {check.Source}", "source: cloudwatch");
        found.AddIf(check.Url is not { Length: > 0 }, $"{at}.url", "is missing");
        found.AddIf(check.Url is { Length: > 0 } url && !IsAddress(url), $"{at}.url", $"{Names.Shown(check.Url)} is not an address https://host:port/path", "http only on this machine; {candidate} and {baseline} stand for addresses of a release");
        found.AddIf(check.FailuresInRowMax is < 0 or > 1000, $"{at}.failuresInRowMax", "lies between 0 and 1000");
        found.AddIf(check.Timeout is { } timeout && (timeout <= TimeSpan.Zero || timeout > TimeoutMax), $"{at}.timeout", "is more than nothing and at most 1m");
        bool prometheus = check.Source == CheckSources.Prometheus;
        found.AddIf(prometheus && check.Query is not { Length: > 0 }, $"{at}.query", "is missing");
        found.AddIf(prometheus && check is { ValueMin: null, ValueMax: null }, at, "has no limit", "valueMin or valueMax");
        found.AddIf(!prometheus && check.Query is not null, $"{at}.query", $"means nothing to {check.Source}", "source: prometheus");
        found.AddIf(!prometheus && check is not { ValueMin: null, ValueMax: null }, at, $"values mean nothing to {check.Source}", "source: prometheus");
        found.AddIf(check.ValueMin > check.ValueMax, $"{at}.valueMax", "is below valueMin");
        found.AddIf(check.Source != CheckSources.Grpc && check.Service is not null, $"{at}.service", $"means nothing to {check.Source}", "source: grpc");
    }

    /// <summary>An alarm knows its limits itself; a metric has them here.</summary>
    private static void InCloudWatch(CheckPlan check, string at, PlanFindings found)
    {
        found.AddIf(check.Alarm is { Length: > 0 } == check.Query is { Length: > 0 }, at, "asks for neither an alarm nor a metric, or for both", $"alarm: NAME, or query: {MetricQuery.Form}");
        found.AddIf(check.Alarm is { Length: > 512 }, $"{at}.alarm", "has more than 512 characters");
        found.AddIf(check.Query is { Length: > 0 } query && MetricQuery.Parse(query) is null, $"{at}.query", $"{Names.Shown(check.Query)} is not a metric of CloudWatch", MetricQuery.Form);
        found.AddIf(check.Query is { Length: > 0 } && check is { ValueMin: null, ValueMax: null }, at, "has no limit", "valueMin or valueMax");
        found.AddIf(check.Alarm is { Length: > 0 } && check is not { ValueMin: null, ValueMax: null }, $"{at}.valueMax", "is the alarm's own business");
        found.AddIf(check.ValueMin > check.ValueMax, $"{at}.valueMax", "is below valueMin");
        found.AddIf(check.Url is not null, $"{at}.url", "means nothing to cloudwatch", "AWS_ENDPOINT_URL_CLOUDWATCH points it elsewhere");
        found.AddIf(check.Service is not null, $"{at}.service", "means nothing to cloudwatch", "source: grpc");
        found.AddIf(check.FailuresInRowMax is < 0 or > 1000, $"{at}.failuresInRowMax", "lies between 0 and 1000");
        found.AddIf(check.Timeout is { } timeout && (timeout <= TimeSpan.Zero || timeout > TimeoutMax), $"{at}.timeout", "is more than nothing and at most 1m");
    }

    private static void Unasked(CheckPlan check, string at, PlanFindings found)
    {
        foreach (var (used, field) in ((bool, string)[])[(check.Url is not null, "url"), (check.Query is not null, "query"), (check.Alarm is not null, "alarm"), (check.Service is not null, "service"), (check.ValueMax is not null, "valueMax"), (check.ValueMin is not null, "valueMin"), (check.Timeout is not null, "timeout"), (check.FailuresInRowMax is not null, "failuresInRowMax")])
        {
            found.AddIf(used, $"{at}.{field}", $"means nothing to {Names.Shown(check.Source)}", "the target itself shows what is counted");
        }
    }

    /// <summary>A place-holder stands at the beginning or not at all.</summary>
    private static bool IsAddress(string url)
    {
        foreach (var side in (string[])["{candidate}", "{baseline}"])
        {
            if (url.StartsWith(side, StringComparison.Ordinal))
            {
                // What follows must not become a part of the host's name.
                url = url[side.Length..] is "" or ['/' or '?', ..] ? "https://release.invalid" + url[side.Length..] : "";
            }
        }
        return !url.Contains('{', StringComparison.Ordinal) && CheckSources.Address(url) is { Fragment: "" };
    }
}
