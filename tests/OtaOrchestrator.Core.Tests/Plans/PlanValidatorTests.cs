using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Tests.Plans;

public sealed class PlanValidatorTests
{
    [Fact]
    public void The_complete_plan_is_valid_where_its_targets_can_do_all_of_it_and_its_test_is_known()
    {
        var smoke = new CheckPlan { Name = "smoke", Source = CheckSources.Http, When = "test", Url = "{candidate}/healthz" };
        Assert.Empty(Validate(SamplePlans.Complete, new EnvironmentPolicy { TrafficChecks = [smoke] }));
        Expect("lanes[0].steps[0].test: no check with when: test is called smoke (for example { name: smoke, source: http, when: test, url: \"{candidate}/healthz\" })", Validate(SamplePlans.Complete));
        Expect("lanes[0].steps[0].test: smoke is a dry run: the step would wait for what nothing follows from", Validate(SamplePlans.Complete, new EnvironmentPolicy { TrafficChecks = [smoke with { DryRun = true }] }));
    }

    [Theory]
    [InlineData("thermostats/x")]
    [InlineData("..")]
    [InlineData("🔥")]
    [InlineData("Thermostats")]
    [InlineData("-a")]
    [InlineData("a b")]
    [InlineData("a\\nb")]
    public void A_name_that_could_be_a_path_or_a_trick_is_refused_everywhere(string name)
    {
        var found = Validate($"name: \"{name}\"\nlanes:\n- {{ name: \"{name}\", target: \"{name}\", release: \"{name}@1\", fallback: \"a@{name}\", needs: [\"{name} >= 1\"] }}");
        Assert.Equal(["name", "lanes[0].name", "lanes[0].release", "lanes[0].fallback", "lanes[0].target"], found.Select(violation => violation.Path));
        Assert.All(found, violation => Assert.NotNull(violation.Hint));
    }

    [Fact]
    public void A_name_of_64_characters_is_refused_and_one_of_63_is_not()
    {
        Assert.Empty(Validate($"name: {new string('a', 63)}\nlanes: [ {{ target: api, release: api@1 }} ]"));
        Assert.Equal("name", Assert.Single(Validate($"name: {new string('a', 64)}\nlanes: [ {{ target: api, release: api@1 }} ]")).Path);
    }

    [Theory]
    [InlineData("5%, 5%, 100%", "lanes[0].steps[1].share: repeats 5 % (steps are cumulative and rise)")]
    [InlineData("25%, 5%, 100%", "lanes[0].steps[1].share: goes down from 25 % to 5 % (steps are cumulative and rise)")]
    [InlineData("0%, 0%, 100%", "lanes[0].steps[1].share: 0 % is the first step only (steps are cumulative and rise)")]
    [InlineData("0%, 5%", "lanes[0].steps: the last step is 100 %")]
    [InlineData("100%, 100%", "lanes[0].steps[1].share: repeats 100 % (steps are cumulative and rise)")]
    [InlineData("0.1%, 100%", null)]
    [InlineData("100%", null)]
    public void Steps_rise_to_everything(string shares, string? expected) => Expect(expected, Validate(Api(steps: Steps(shares))));

    [Theory]
    [InlineData("5%, 25%, 100%", "lanes[0].steps[2].share: jumps by 75 %, this environment allows 50 %")]
    [InlineData("0%, 30%, 60%, 100%", "lanes[0].steps[1].share: the first step is 30 %, this environment allows 10 %")]
    [InlineData("100%", "lanes[0].steps[0].share: the first step is 100 %, this environment allows 10 %")]
    [InlineData("0%, 10%, 60%, 100%", null)]
    [InlineData("10%, 60%, 100%", null)]
    public void An_environment_caps_the_first_step_and_the_largest_jump(string shares, string? expected) =>
        Expect(expected, Validate(Api(steps: Steps(shares)), policy: new EnvironmentPolicy { FirstStepMax = 0.1, JumpMax = 0.5 }));

    [Fact]
    public void A_lab_group_is_no_way_around_the_cap() =>
        Expect("lanes[0].steps[1].share: the first step is 50 %, this environment allows 10 %", Validate(Fleet("{ group: lab }, { share: 50% }, { share: 100% }"), policy: new EnvironmentPolicy { FirstStepMax = 0.1, JumpMax = 0.5 }));

    [Theory]
    [InlineData("{ group: lab }, { share: 100% }", null)]
    [InlineData("{ share: 10% }, { group: lab }, { share: 100% }", "lanes[0].steps[1].group: a group is the first step only")]
    [InlineData("{ group: lab, share: 10% }, { share: 100% }", "lanes[0].steps[0]: has either a share or a group")]
    [InlineData("{ bakeMin: 1h }, { share: 100% }", "lanes[0].steps[0]: has either a share or a group")]
    [InlineData("{ group: lab }, { share: 0% }, { share: 100% }", "lanes[0].steps[1].share: 0 % is the first step only (steps are cumulative and rise)")]
    [InlineData("{ group: c07 }, { share: 100% }", "lanes[0].steps[0].group: c07 is a name that the fleet's own parts have")]
    [InlineData("{ group: cohorts }, { share: 100% }", "lanes[0].steps[0].group: cohorts is a name that the fleet's own parts have")]
    [InlineData("{ group: \"lab/../x\" }, { share: 100% }", "lanes[0].steps[0].group: lab/../x is not a group's name (letters, digits, hyphen, underscore and colon)")]
    [InlineData("{ group: lab }", "lanes[0].steps: the last step is 100 %")]
    [InlineData("{ share: 0.5% }, { share: 100% }", "lanes[0].steps[0].share: thermostats takes multiples of 1 %")]
    [InlineData("{ share: 29% }, { share: 100% }", null)]
    [InlineData("{ share: 10%, requestsMin: 5 }, { share: 100% }", "lanes[0].steps[0].requestsMin: a fleet has no requests (confirmedMin counts devices)")]
    [InlineData("{ share: 10%, bakeMin: 2h, bakeMax: 1h }, { share: 100% }", "lanes[0].steps[0].bakeMax: is shorter than bakeMin")]
    [InlineData("{ share: 10%, approval: managers }, { share: 100% }", "lanes[0].steps[0].approval: managers is not an approval (role and number of persons, for example managers-2)")]
    [InlineData("{ share: 10%, approval: managers-0 }, { share: 100% }", "lanes[0].steps[0].approval: managers-0 is not an approval (role and number of persons, for example managers-2)")]
    [InlineData("{ share: 10% }, { share: 100%, pause: true }", "lanes[0].steps[1].pause: after the last step nothing is left to wait with (guardAfter keeps the judge armed)")]
    [InlineData("{ share: 10%, reach: 0% }, { share: 100% }", "lanes[0].steps[0].reach: is more than 0 % and at most 100 %")]
    [InlineData("{ share: 0%, confirmedMin: 5 }, { share: 100% }", "lanes[0].steps[0].confirmedMin: 0 % has no devices")]
    public void A_step_of_a_fleet_is_a_group_or_whole_cohorts(string steps, string? expected) => Expect(expected, Validate(Fleet(steps)));

    [Theory]
    [InlineData("source: devices, errorsMax: 1%", "lanes[0].checks[0].source: devices shows nothing of api (use router, or one of http, grpc, prometheus, webhook, cloudwatch)")]
    [InlineData("source: router", "lanes[0].checks[0]: has no limit (errorsMax, ratioMax or p99MsMax)")]
    [InlineData("source: router, ratioMax: 0.9", "lanes[0].checks[0].ratioMax: lies between 1 and 20 (below 1 the candidate would have to be better than the baseline)")]
    [InlineData("source: router, errorsMax: 1%, against: yesterday", "lanes[0].checks[0].against: yesterday is not known (baseline)")]
    [InlineData("source: router, errorsMax: 1%, against: baseline", "lanes[0].checks[0].ratioMax: is missing: how much worse than the baseline may it be?")]
    [InlineData("source: router, errorsMax: 1%, failuresMax: 2%", "lanes[0].checks[0].failuresMax: traffic has no devices (errorsMax limits requests)")]
    [InlineData("source: router, p99MsMax: 0", "lanes[0].checks[0].p99MsMax: is more than 0 and at most an hour")]
    [InlineData("source: router, errorsMax: 1%, interval: 1ms", "lanes[0].checks[0].interval: is at least 100ms")]
    [InlineData("source: router, errorsMax: 100%", "lanes[0].checks[0].errorsMax: is at least 0 % and less than 100 %")]
    [InlineData("source: router, metric: speed, ratioMax: 2", "lanes[0].checks[0].metric: speed is not errors or latency")]
    [InlineData("source: router, metric: latency", "lanes[0].checks[0]: has no limit (errorsMax, ratioMax or p99MsMax)", "lanes[0].checks[0]: has no limit (ratioMax or p99MsMax)")]
    [InlineData("source: router, metric: latency, errorsMax: 1%, ratioMax: 2", "lanes[0].checks[0].errorsMax: limits errors, not latency (put it into a check of its own)")]
    [InlineData("source: router, errorsMax: 1%, url: \"https://x\"", "lanes[0].checks[0].url: means nothing to router (the target itself shows what is counted)")]
    [InlineData("source: router, errorsMax: 1%, when: test", "lanes[0].checks: a lane without checks would be judged by nothing", "lanes[0].checks[0].when: before exposure there is nothing to count (a test has the source http, grpc, prometheus or webhook)")]
    [InlineData("source: router, errorsMax: 1%, when: later", "lanes[0].checks[0].when: later is not exposed or test")]
    [InlineData("source: router, errorsMax: 1%, dryRun: true", "lanes[0].checks: a lane without checks would be judged by nothing")]
    [InlineData("source: http", "lanes[0].checks[0].url: is missing")]
    [InlineData("source: http, url: \"http://example.com/\"", "lanes[0].checks[0].url: http://example.com/ is not an address https://host:port/path (http only on this machine; {candidate} and {baseline} stand for addresses of a release)")]
    [InlineData("source: http, url: \"https://me:secret@example.com/\"", "lanes[0].checks[0].url: https://me:secret@example.com/ is not an address https://host:port/path (http only on this machine; {candidate} and {baseline} stand for addresses of a release)")]
    [InlineData("source: http, url: \"file:///etc/passwd\"", "lanes[0].checks[0].url: file:///etc/passwd is not an address https://host:port/path (http only on this machine; {candidate} and {baseline} stand for addresses of a release)")]
    [InlineData("source: http, url: \"https://x/{candidate}\"", "lanes[0].checks[0].url: https://x/{candidate} is not an address https://host:port/path (http only on this machine; {candidate} and {baseline} stand for addresses of a release)")]
    [InlineData("source: http, url: \"{candidate}.example.com/\"", "lanes[0].checks[0].url: {candidate}.example.com/ is not an address https://host:port/path (http only on this machine; {candidate} and {baseline} stand for addresses of a release)")]
    [InlineData("source: http, url: \"https://x/\", ratioMax: 2", "lanes[0].checks[0]: limits of router and devices mean nothing to http (failuresInRowMax limits readings)")]
    [InlineData("source: http, url: \"https://x/\", timeout: 5m", "lanes[0].checks[0].timeout: is more than nothing and at most 1m")]
    [InlineData("source: prometheus, url: \"https://x/\"", "lanes[0].checks[0].query: is missing", "lanes[0].checks[0]: has no limit (valueMin or valueMax)")]
    [InlineData("source: prometheus, url: \"https://x/\", query: up, valueMin: 2, valueMax: 1", "lanes[0].checks[0].valueMax: is below valueMin")]
    [InlineData("source: webhook, url: \"https://x/\", query: up", "lanes[0].checks[0].query: means nothing to webhook (source: prometheus)")]
    [InlineData("source: http, url: \"{candidate}/healthz\"", null)]
    [InlineData("source: http, url: \"http://127.0.0.1:80/healthz\"", null)]
    [InlineData("source: grpc, url: \"{candidate}\", service: api.v1.Api, failuresInRowMax: 0", null)]
    [InlineData("source: prometheus, url: \"https://prometheus:9090\", query: 'sum(rate(errors{release=\"{candidate}\"}[1m]))', valueMax: 0.01", null)]
    [InlineData("source: router, errorsMax: 0%", null)]
    [InlineData("source: router, ratioMax: 1.25, p99MsMax: 250, errorsMax: 1%", null)]
    public void A_check_of_traffic_has_a_limit_that_can_be_met_and_missed(string check, params string?[]? expected) =>
        Assert.Equal(expected ?? [], Validate(Api(checks: $"{{ {check} }}")).Select(violation => violation.ToString()));

    [Theory]
    [InlineData("source: router, failuresMax: 2%", "lanes[0].checks[0].source: router shows nothing of thermostats (use devices)")]
    [InlineData("source: devices, failuresMax: 0%", "lanes[0].checks[0].failuresMax: is more than 0 % and less than 100 %")]
    [InlineData("source: devices, errorsMax: 2%", "lanes[0].checks[0].errorsMax: devices have no requests (failuresMax limits devices)")]
    [InlineData("source: devices, silentAfter: 0s", "lanes[0].checks[0].silentAfter: is more than nothing")]
    [InlineData("source: devices }, { source: devices", "lanes[0].checks[1].name: two checks are called devices")]
    public void A_check_of_a_fleet_has_a_limit_that_devices_can_show(string check, string? expected) => Expect(expected, Validate(Fleet("{ share: 100% }", $"checks: [ {{ {check} }} ]")));

    [Theory]
    [InlineData("leaseFor: 1s", "lanes[0].leaseFor: lies between 5 s and 1 d", "lanes[0].leaseFor: is shorter than three looks, 180 s (it is renewed with every look)")]
    [InlineData("leaseFor: 1m", "lanes[0].leaseFor: is shorter than three looks, 180 s (it is renewed with every look)")]
    [InlineData("onControllerLoss: hold", "lanes[0].leaseFor: is missing: after how long is the orchestrator lost? (for example 60s)")]
    [InlineData("leaseFor: 10m, onControllerLoss: explode", "lanes[0].onControllerLoss: explode is not hold or return")]
    [InlineData("stickyFor: 10ms", "lanes[0].stickyFor: lies between 1 s and 30 d")]
    [InlineData("leaseFor: 10m, onControllerLoss: return, stickyFor: 1h")]
    public void What_holds_while_nobody_steers_is_in_range(string fields, params string[] expected) =>
        Assert.Equal(expected, Validate($"lanes: [ {{ target: api, release: api@1, {fields} }} ]").Select(violation => violation.ToString()));

    [Theory]
    [InlineData("{ share: 0%, mirror: 10% }, { share: 100% }", null)]
    [InlineData("{ share: 0%, mirror: 0% }, { share: 100% }", "lanes[0].steps[0].mirror: is more than 0 % and at most 100 %")]
    [InlineData("{ share: 100%, mirror: 10% }", "lanes[0].steps[0].mirror: at 100 % the baseline has no requests to copy")]
    public void Requests_are_copied_where_there_are_any(string steps, string? expected) => Expect(expected, Validate(Api(steps: steps)));

    [Theory]
    [InlineData("window: { from: \"1:00\", to: \"25:00\" }", "lanes[0].window.from: 1:00 is not a time of day (in quotes, for example \"01:00\")", "lanes[0].window.to: 25:00 is not a time of day (in quotes, for example \"05:00\")")]
    [InlineData("window: { from: \"01:00\", to: \"01:00\" }", "lanes[0].window: begins when it ends")]
    [InlineData("window: { from: \"01:00\", to: \"02:00\", clock: moon }", "lanes[0].window.clock: moon is not known (device or utc)")]
    [InlineData("exclude: [\"a;b\"]", "lanes[0].exclude[0]: a;b is not a tag (for example tag:customer-freeze)")]
    [InlineData("ratePerMinuteMax: 0", "lanes[0].ratePerMinuteMax: is at least 1")]
    [InlineData("complete: { confirmedMin: 0%, of: some }", "lanes[0].complete.confirmedMin: is more than 0 % and at most 100 %", "lanes[0].complete.of: some is not known (reachable or all)")]
    [InlineData("observeFor: 30d", "lanes[0].observeFor: is not shorter than bakeMax: no device could count before its step is given up")]
    public void What_concerns_devices_is_in_range(string field, params string[] expected) => Assert.Equal(expected, Validate(Fleet("{ share: 100% }", field)).Select(violation => violation.ToString()));

    [Fact]
    public void What_a_target_cannot_do_is_refused_by_name()
    {
        var can = new Capabilities { PartialShareMax = 0.15, CanHold = false };
        var found = Validate(
            """
            lanes:
            - target: cdn
              release: cdn@2
              window: { from: "01:00", to: "05:00" }
              exclude: [tag:x]
              ratePerMinuteMax: 5
              steps: [ { group: lab }, { share: 10%, pause: true, test: smoke }, { share: 50%, approval: managers-2 }, { share: 100% } ]
              checks: [ { source: router, ratioMax: 2 } ]
              complete: { tailMax: 1d }
            """, target: name => new PlanTarget(TargetKind.Traffic, can));
        Approved.Text(string.Join("\n", found), "cannot.txt");
    }

    [Fact]
    public void A_target_without_partial_shares_takes_0_and_100_percent_only()
    {
        PlanTarget CodeDeploy(string name) => new(TargetKind.Traffic, new Capabilities { PartialShareMax = 0, CanHold = false, PerVariantMetrics = true });
        Assert.Empty(Validate(Api(steps: "{ share: 0%, pause: true }, { share: 100%, approval: managers-1 }"), target: CodeDeploy));
        Expect("lanes[0].steps[0].share: api knows only 0 % and 100 %", Validate(Api(steps: Steps("5%, 100%")), target: CodeDeploy));
    }

    [Fact]
    public void A_return_that_no_fleet_can_slow_down_is_refused() =>
        Expect("rollback.ratePerMinuteMax: thermostats can't limit its rate", Validate(Fleet("{ share: 100% }") + "\nrollback: { ratePerMinuteMax: 5 }",
            target: _ => new PlanTarget(TargetKind.Fleet, new Capabilities { Groups = true })));

    [Theory]
    [InlineData("judge: { falseAbortMax: 0% }", "judge.falseAbortMax: is more than 0 % and at most 50 %")]
    [InlineData("judge: { falseAbortMax: 60% }", "judge.falseAbortMax: is more than 0 % and at most 50 %")]
    [InlineData("rollback: { shares: [50%] }", "rollback.shares: rise and end at 100 % (for example [10%, 100%])")]
    [InlineData("rollback: { shares: [50%, 20%, 100%] }", "rollback.shares: rise and end at 100 % (for example [10%, 100%])")]
    [InlineData("rollback: { shares: [0%, 100%] }", "rollback.shares: rise and end at 100 % (for example [10%, 100%])")]
    [InlineData("rollback: { undoWait: 0s }", "rollback.undoWait: is more than nothing (a lane that waits for devices would not wait)")]
    [InlineData("rollback: { ratePerMinuteMax: 0 }", "rollback.ratePerMinuteMax: is at least 1")]
    [InlineData("timezone: Mars/Olympus", "timezone: Mars/Olympus is not known (an IANA name such as Asia/Tokyo)")]
    public void Judge_and_rollback_are_in_range(string text, string expected) => Expect(expected, Validate(Api() + "\n" + text));

    [Fact]
    public void A_target_that_does_not_exist_is_named() =>
        Expect("lanes[0].target: api does not exist in this environment", Validate(Api(), target: _ => null));

    [Fact]
    public void Lanes_and_their_targets_are_distinct()
    {
        var found = Validate("lanes:\n- { name: a, target: api, release: api@1 }\n- { name: a, target: api, release: api@2 }");
        Assert.Equal(["lanes[1].name: two lanes are called a", "lanes[1].target: two lanes change api"], found.Select(violation => violation.ToString()));
    }

    [Theory]
    // what api and thermostats run now; what the lanes bring; what they need
    [InlineData("5.0.3", "api@5.1.0", "", "thermostats@2", "api >= 5.1", null)]
    [InlineData("5.0.3", "api@5.1.0", "", "thermostats@2", "api >= 5", null)]
    [InlineData("5.0.3", "api@5.1.0", "", "thermostats@2", "api >= 6", "lanes[1].needs[0]: api is 5.1.0 when thermostats begins")]
    [InlineData("5.0.3", "api@5.1.0", "", "thermostats@2", "api < 5.1", "lanes[1].needs[0]: api is 5.1.0 when thermostats begins")]
    [InlineData("5.0.3", "api@5.1.0", "thermostats >= 2", "thermostats@2", "", "lanes[0].needs[0]: thermostats is 1 when api begins (put lane thermostats before api)")]
    [InlineData("5.0.3", "api@5.1.0", "thermostats >= 3", "thermostats@2", "", "lanes[0].needs[0]: thermostats is 1 when api begins")]
    [InlineData("5.0.3", "api@5.1.0", "thermostats < 2", "thermostats@2", "", "lanes[0].needs[0]: thermostats becomes 2 while api runs 5.1.0")]
    [InlineData("5.0.3", "api@5.1.0", "thermostats >= 1", "thermostats@2", "", null)]
    [InlineData("5.0.3", "api@5.1.0", "db >= 9", "thermostats@2", "", null)]
    [InlineData("5.0.3", "api@5.1.0", "db >= 10", "thermostats@2", "", "lanes[0].needs[0]: db is 9 when api begins")]
    [InlineData("5.0.3", "api@5.1.0", "nothing >= 10", "thermostats@2", "", "lanes[0].needs[0]: nothing does not exist in this environment")]
    [InlineData("5.0.3", "api@5.1.0", "api >= 5", "thermostats@2", "", "lanes[0].needs[0]: a lane can't need its own target")]
    [InlineData("5.0.3", "api@5.1.0", "api", "thermostats@2", "", "lanes[0].needs[0]: api is not a need (target, operator and version, for example thermostat-api >= 5)")]
    public void Needs_hold_from_the_first_device_on(string apiNow, string api, string apiNeeds, string firmware, string firmwareNeeds, string? expected)
    {
        PlanTarget? Target(string name) => name switch
        {
            "api" => PlanContext.Offline(PlanDefaultsTests.Kinds).Target(name)! with { CurrentVersion = apiNow },
            "thermostats" => PlanContext.Offline(PlanDefaultsTests.Kinds).Target(name)! with { CurrentVersion = "1" },
            "db" => PlanContext.Offline(PlanDefaultsTests.Kinds).Target(name)! with { CurrentVersion = "9" },
            _ => null,
        };
        var text = $"lanes:\n- {{ target: api, release: {api}, needs: [{apiNeeds}] }}\n- {{ target: thermostats, release: {firmware}, needs: [{firmwareNeeds}] }}";
        Expect(expected, Validate(text, target: Target));
    }

    [Fact]
    public void Lanes_that_wait_for_each_other_to_be_undone_are_refused()
    {
        var text = "lanes:\n- { target: api, release: api@5.1, fallback: api@4, needs: [thermostats >= 1] }\n- { target: thermostats, release: thermostats@2, fallback: thermostats@0.9, needs: [api >= 5] }";
        PlanTarget Target(string name) => PlanContext.Offline(PlanDefaultsTests.Kinds).Target(name)! with { CurrentVersion = "1" };
        Expect("lanes: could not be undone: api, thermostats wait for each other (look at needs and fallbacks)", Validate(text, target: Target));
    }

    [Fact]
    public void Offline_nothing_is_claimed_of_versions_that_nobody_knows() =>
        Assert.Empty(Validate("lanes:\n- { target: api, release: api@5.1, needs: [thermostats >= 1] }\n- { target: thermostats, release: thermostats@2, needs: [api >= 5] }"));

    [Fact]
    public void Steps_too_small_to_bound_the_failure_rate_are_noted()
    {
        var plan = PlanDefaults.Fill(SamplePlans.Read(Fleet("{ share: 1% }, { share: 10% }, { share: 100% }")), EnvironmentPolicy.Default, PlanDefaultsTests.Kinds).Plan;
        Assert.Equal(["thermostats step 1: 0 failures in 10 devices bound nothing below 36.9 %; 228 devices are needed for 2 %", "thermostats step 2: 0 failures in 100 devices bound nothing below 4.5 %; 228 devices are needed for 2 %"], PlanValidator.Notes(plan, _ => 1000));
        Assert.Equal("thermostats step 1: 1 % of 20 devices may be nobody", PlanValidator.Notes(plan, _ => 20)[0]);
        Assert.Empty(PlanValidator.Notes(plan, _ => 0));
        Assert.Empty(PlanValidator.Notes(plan, _ => 1_000_000));
    }

    [Fact]
    public void Every_template_is_valid_as_it_stands() =>
        Assert.All(Enum.GetValues<PlanTemplate>(), template => Assert.Empty(Validate(PlanTemplates.Init(template))));

    private static string Steps(string shares) => string.Join(", ", shares.Split(", ").Select(share => $"{{ share: {share} }}"));

    private static string Api(string steps = "{ share: 100% }", string checks = "{ source: router, errorsMax: 1% }") =>
        $"lanes:\n- target: api\n  release: api@1\n  steps: [ {steps} ]\n  checks: [ {checks} ]";

    private static string Fleet(string steps, string more = "name: thermostats") => $"lanes:\n- target: thermostats\n  release: fw@1\n  steps: [ {steps} ]\n  {more}";

    private static void Expect(string? expected, IEnumerable<PlanViolation> found) => Assert.Equal(expected is null ? [] : [expected], found.Select(violation => violation.ToString()));

    private static IReadOnlyList<PlanViolation> Validate(string text, EnvironmentPolicy? policy = null, Func<string, PlanTarget?>? target = null)
    {
        var (plan, _) = PlanDefaults.Fill(SamplePlans.Read(text), policy ?? new EnvironmentPolicy(), name => target?.Invoke(name)?.Kind ?? PlanDefaultsTests.Kinds(name));
        return PlanValidator.Validate(plan, new PlanContext { Policy = policy ?? new EnvironmentPolicy(), Target = target ?? PlanContext.Offline(PlanDefaultsTests.Kinds).Target });
    }
}
