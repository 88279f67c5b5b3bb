namespace OtaOrchestrator.Core.Plans;

/// <summary>Each lane is judged by something that its target can show, against limits that can be met and missed.</summary>
internal static class CheckRules
{
    private static readonly TimeSpan IntervalMin = TimeSpan.FromMilliseconds(100);

    public static void Check(LanePlan lane, string path, PlanTarget target, PlanFindings found)
    {
        if (lane.Checks.IsDefaultOrEmpty)
        {
            found.Add($"{path}.checks", "a lane without checks would be judged by nothing");
            return;
        }
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
            if (target.Kind == TargetKind.Fleet)
            {
                OfFleet(lane, check, at, found);
            }
            else
            {
                OfTraffic(lane, check, at, target, found);
            }
        }
    }

    private static void OfFleet(LanePlan lane, CheckPlan check, string at, PlanFindings found)
    {
        found.AddIf(check.Source != "devices", $"{at}.source", $"{Names.Shown(check.Source)} shows nothing of {lane.Target}", "use devices");
        found.AddIf(check.FailuresMax is not (null or (> 0 and < 1)), $"{at}.failuresMax", "is more than 0 % and less than 100 %");
        found.AddIf(check.ErrorsMax is not null, $"{at}.errorsMax", "devices have no requests", "failuresMax limits devices");
        found.AddIf(check.RatioMax is not null, $"{at}.ratioMax", "devices have no baseline", "failuresMax limits devices");
        found.AddIf(check.P99MsMax is not null, $"{at}.p99MsMax", "devices have no requests");
        found.AddIf(check.Against is { Length: > 0 }, $"{at}.against", "devices have no baseline");
    }

    private static void OfTraffic(LanePlan lane, CheckPlan check, string at, PlanTarget target, PlanFindings found)
    {
        found.AddIf(check.Source != "router", $"{at}.source", $"{Names.Shown(check.Source)} shows nothing of {lane.Target}", "use router");
        found.AddIf(check is { ErrorsMax: null, RatioMax: null, P99MsMax: null }, at, "has no limit", "errorsMax, ratioMax or p99MsMax");
        found.AddIf(check.ErrorsMax is not (null or (>= 0 and < 1)), $"{at}.errorsMax", "is at least 0 % and less than 100 %");
        found.AddIf(check.RatioMax is not (null or (>= 1 and <= 1000)), $"{at}.ratioMax", "lies between 1 and 1000", "below 1 the candidate would have to be better than the baseline");
        found.AddIf(check.P99MsMax is not (null or (> 0 and <= 3_600_000)), $"{at}.p99MsMax", "is more than 0 and at most an hour");
        found.AddIf(check.Against is not (null or "" or "baseline"), $"{at}.against", $"{Names.Shown(check.Against)} is not known", "baseline");
        found.AddIf(check is { Against: "baseline", RatioMax: null }, $"{at}.ratioMax", "is missing: how much worse than the baseline may it be?");
        found.AddIf(check.RatioMax is not null && !target.Capabilities.PerVariantMetrics, $"{at}.ratioMax", $"{lane.Target} does not show candidate and baseline apart");
        found.AddIf(check.FailuresMax is not null, $"{at}.failuresMax", "traffic has no devices", "errorsMax limits requests");
        found.AddIf(check.SilentAfter is not null, $"{at}.silentAfter", "traffic has no devices");
    }
}
