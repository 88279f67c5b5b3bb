using System.Collections.Immutable;
using CsCheck;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Plans;

internal static class SamplePlans
{
    public const string Smallest =
        """
        lanes:
        - { target: thermostats, release: thermostat-fw@2.4.0 }
        """;

    public const string Complete =
        """
        apiVersion: ota/v1
        kind: Plan
        name: thermostat-autumn
        timezone: Asia/Tokyo
        lanes:
        - name: api
          target: thermostat-api          # logical: the environment says what it is there
          release: thermostat-api@5.1.0   # pinned to a digest at creation
          steps:
          - { share: 0%, test: smoke }
          - { share: 5%, bakeMin: 30m, requestsMin: 2000 }
          - { share: 100% }
          guardAfter: 24h
          checks:
          - { name: errors, source: router, against: baseline, ratioMax: 1.25 }
        - name: firmware
          target: thermostats
          release: thermostat-fw@2.4.0
          fallback: thermostat-fw@2.3.1
          needs: [thermostat-api >= 5]    # the only source of the undo order
          exclude: [tag:customer-freeze]
          window: { from: "01:00", to: "05:00", clock: device }
          ratePerMinuteMax: 500
          steps:                          # cumulative
          - { group: lab, bakeMin: 2h, confirmedMin: 20 }
          - { share: 10%, bakeMin: 12h, confirmedMin: 5000, approval: managers-2 }
          - { share: 100% }
          checks:
          - { name: install, source: devices, failuresMax: 2%, silentAfter: 30m }
          complete: { confirmedMin: 97%, of: reachable, tailMax: 30d }
        judge: { falseAbortMax: 1%, noData: hold, unhealthy: rollback }
        rollback: { untilAfter: 72h, ignoreWindow: true, ratePerMinuteMax: 5000 }
        """;

    public static Plan Read(string text)
    {
        var reading = PlanText.Parse(text);
        Assert.Empty(reading.Violations);
        return reading.Plan!;
    }

    // Any plan whose texts and numbers fit their types, valid or not.
    private static readonly Gen<string> Name = Gen.Frequency((4, Gen.String[Gen.Char["abz019-"], 1, 20]), (1, Gen.String[Gen.Char["aé✓\"\\/\n\t:#{}[],&*!|>'%@`~ "], 1, 20].Select(text => text + "😀")));
    private static readonly Gen<string?> Text = Name.Select(name => (string?)name).OrNull();
    private static readonly Gen<double?> Share = Gen.Int[0, 10_000].Select(share => (double?)(double)(share / 10_000m)).OrNull();
    private static readonly Gen<double?> Number = Gen.Double[0, 1e6].Select(number => (double?)number).OrNull();
    private static readonly Gen<long?> Count = Gen.Long[0, long.MaxValue].Select(count => (long?)count).OrNull();
    private static readonly Gen<int?> Rate = Gen.Int[0, int.MaxValue].Select(rate => (int?)rate).OrNull();
    private static readonly Gen<TimeSpan?> Duration = Gen.Long[0, TimeSpan.TicksPerDay * 3650].Select(ticks => (TimeSpan?)TimeSpan.FromTicks(ticks)).OrNull();
    private static readonly Gen<int?> InRow = Gen.Int[0, 1000].Select(count => (int?)count).OrNull();
    private static readonly Gen<OnVerdict?> NoData = OneOf(OnVerdict.Hold, OnVerdict.Rollback);
    private static readonly Gen<OnVerdict?> CheckNoData = OneOf(OnVerdict.Hold, OnVerdict.Rollback, OnVerdict.Ignore);
    private static readonly Gen<OnVerdict?> Unhealthy = OneOf(OnVerdict.Hold, OnVerdict.Rollback, OnVerdict.Freeze);

    private static readonly Gen<StepPlan> Step =
        from share in Share from texts in Gen.Select(Text, Text, Text) from durations in Gen.Select(Duration, Duration)
        from counts in Gen.Select(Count, Count) from pause in Gen.Bool from reach in Share from mirror in Share
        select new StepPlan
        {
            Share = share, Group = texts.Item1, Approval = texts.Item2, Test = texts.Item3, BakeMin = durations.Item1, BakeMax = durations.Item2,
            RequestsMin = counts.Item1, ConfirmedMin = counts.Item2, Pause = pause, Reach = reach, Mirror = mirror,
        };

    private static readonly Gen<CheckPlan> Check =
        from name in Name from source in Name from against in Text from numbers in Gen.Select(Number, Number) from shares in Gen.Select(Share, Share)
        from samples in Count from durations in Gen.Select(Duration, Duration, Duration) from texts in Gen.Select(Text, Text, Text, Text, Text)
        from values in Gen.Select(Number, Number) from inRow in InRow from noData in CheckNoData from dryRun in Gen.Bool
        select new CheckPlan
        {
            Name = name, Source = source, Against = against, RatioMax = numbers.Item1, P99MsMax = numbers.Item2, ErrorsMax = shares.Item1, FailuresMax = shares.Item2,
            SamplesMin = samples, SilentAfter = durations.Item1, Interval = durations.Item2, Timeout = durations.Item3,
            Metric = texts.Item1, When = texts.Item2, Url = texts.Item3, Query = texts.Item4, Service = texts.Item5, ValueMax = values.Item1, ValueMin = values.Item2,
            FailuresInRowMax = inRow, NoData = noData, DryRun = dryRun,
        };

    private static readonly Gen<LanePlan> Lane =
        from names in Gen.Select(Name, Name, Name, Text) from lists in Gen.Select(Name.Array[0, 3], Name.Array[0, 3])
        from window in Gen.Select(Name, Name, Text) from windowed in Gen.Bool from rate in Rate
        from steps in Step.Array[0, 5] from durations in Gen.Select(Duration, Duration, Duration, Duration) from loss in Text from checks in Check.Array[0, 3]
        from complete in Gen.Select(Share, Text, Duration) from completes in Gen.Bool
        select new LanePlan
        {
            Name = names.Item1, Target = names.Item2, Release = names.Item3, Fallback = names.Item4, Needs = [.. lists.Item1], Exclude = [.. lists.Item2],
            Window = windowed ? new WindowPlan(window.Item1, window.Item2, window.Item3) : null, RatePerMinuteMax = rate, Steps = [.. steps],
            GuardAfter = durations.Item1, ObserveFor = durations.Item2, StickyFor = durations.Item3, LeaseFor = durations.Item4, OnControllerLoss = loss, Checks = [.. checks],
            Complete = completes ? new CompletePlan { ConfirmedMin = complete.Item1, Of = complete.Item2, TailMax = complete.Item3 } : null,
        };

    public static readonly Gen<Plan> Any =
        from name in Name from timezone in Text from lanes in Lane.Array[1, 4]
        from judge in Gen.Select(Share, NoData, Unhealthy) from durations in Gen.Select(Duration, Duration) from ignore in Gen.OneOf(Gen.Const((bool?)null), Gen.Const((bool?)true), Gen.Const((bool?)false))
        from rate in Rate from shares in Gen.Int[0, 1000].Array[0, 4] from failures in Share
        select new Plan
        {
            Name = name, Timezone = timezone, Lanes = [.. lanes],
            Judge = new JudgePlan { FalseAbortMax = judge.Item1, NoData = judge.Item2, Unhealthy = judge.Item3 },
            Rollback = new RollbackPlan
            {
                UntilAfter = durations.Item1, UndoWait = durations.Item2, IgnoreWindow = ignore, RatePerMinuteMax = rate,
                Shares = [.. shares.Select(share => (double)(share / 1000m))], FailuresMax = failures,
            },
        };

    private static Gen<OnVerdict?> OneOf(params OnVerdict[] choices) => Gen.Int[-1, choices.Length - 1].Select(i => i < 0 ? (OnVerdict?)null : choices[i]);

    /// <summary>Everything in a plan as text, found by reflection: what the product's own writer forgets shows here.</summary>
    public static string Dump(object? value, string path = "") => value switch
    {
        null => "",
        string or double or long or int or bool or TimeSpan or Enum => $"{path}={FormattableString.Invariant($"{value}")}\n",
        System.Collections.IEnumerable items => string.Concat(items.Cast<object?>().Select((item, i) => Dump(item, $"{path}[{i}]"))),
        _ => string.Concat(value.GetType().GetProperties().Where(property => property.GetIndexParameters().Length == 0)
            .Select(property => Dump(property.GetValue(value), $"{path}.{property.Name}"))),
    };
}

internal static class OptionalGen
{
    public static Gen<T?> OrNull<T>(this Gen<T?> gen) => Gen.OneOf(gen, Gen.Const(default(T)));
}
