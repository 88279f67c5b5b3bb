using System.Diagnostics;
using CsCheck;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Plans;

public sealed class PlanTextTests
{
    [Fact]
    public void The_smallest_plan_is_a_lane_with_a_target_and_a_release()
    {
        var plan = SamplePlans.Read(SamplePlans.Smallest);
        Assert.Equal("thermostats", plan.Name);
        var lane = Assert.Single(plan.Lanes);
        Assert.Equal(("thermostats", "thermostats", "thermostat-fw@2.4.0"), (lane.Name, lane.Target, lane.Release));
        Assert.Empty(lane.Steps);
    }

    [Fact]
    public void The_complete_plan_is_read_to_its_last_value() => Approved.Text(PlanJson.Of(SamplePlans.Read(SamplePlans.Complete)).Replace(",\"", ",\n\""), "complete-plan.json");

    [Fact]
    public void What_is_written_as_proto_JSON_reads_back_as_the_same_plan() =>
        SamplePlans.Any.Sample(plan =>
        {
            var reading = PlanText.Parse(PlanJson.Of(plan));
            Assert.Empty(reading.Violations);
            Assert.Equal(SamplePlans.Dump(plan), SamplePlans.Dump(reading.Plan));
        }, iter: 500);

    [Fact]
    public void No_text_makes_the_reader_throw()
    {
        var noise = Gen.OneOf(Gen.String[Gen.Char["{}[]:,-?!&*|>'\"%@`#~ \n\t\\ab0"], 0, 60], Gen.String[0, 40]);
        var cut = Gen.Select(Gen.Int[0, SamplePlans.Complete.Length], Gen.Int[0, 40], noise)
            .Select((at, length, text) => SamplePlans.Complete[..at] + text + SamplePlans.Complete[Math.Min(SamplePlans.Complete.Length, at + length)..]);
        Gen.OneOf(noise, cut).Sample(text =>
        {
            var reading = PlanText.Parse(text);
            Assert.Equal(reading.Plan is null, !reading.Violations.IsEmpty);
            Assert.All(reading.Violations, violation => Assert.NotEmpty(violation.Text));
        }, iter: 5000);
    }

    [Theory]
    [InlineData("5%", 0.05)]
    [InlineData("0.05", 0.05)]
    [InlineData("5 %", 0.05)]
    [InlineData("2.3%", 0.023)]
    [InlineData("100%", 1)]
    [InlineData("1", 1)]
    [InlineData("0%", 0)]
    [InlineData("\"12.5%\"", 0.125)]
    public void A_share_is_a_percentage_or_a_fraction(string text, double share) => Assert.Equal(share, Step($"share: {text}").Plan!.Lanes[0].Steps[0].Share);

    [Theory]
    [InlineData("5", "write 5% for a percentage, or a number from 0 to 1")]
    [InlineData("100", "write 100% for a percentage, or a number from 0 to 1")]
    [InlineData("1.5", "write 1.5% for a percentage, or a number from 0 to 1")]
    [InlineData("101%", null)]
    [InlineData("-1%", null)]
    [InlineData("-0.1", null)]
    [InlineData("1000", null)]
    [InlineData("NaN", "write 5% or 0.05")]
    [InlineData(".inf", "write 5% or 0.05")]
    [InlineData("all", "write 5% or 0.05")]
    [InlineData("1e99", "write 5% or 0.05")]
    [InlineData("[5%]", null)]
    public void What_is_no_share_is_refused_with_a_hint(string text, string? hint)
    {
        var violation = Assert.Single(Step($"share: {text}").Violations);
        Assert.Equal(("lanes[0].steps[0].share", hint, 3), (violation.Path, violation.Hint, violation.Line));
    }

    [Theory]
    [InlineData("30m", 1800)]
    [InlineData("24h", 86400)]
    [InlineData("7d", 604800)]
    [InlineData("1h30m", 5400)]
    [InlineData("500ms", 0.5)]
    [InlineData("1800s", 1800)]
    [InlineData("0.250s", 0.25)]
    [InlineData("1d2h3m4s5ms", 93784.005)]
    [InlineData("0s", 0)]
    public void A_duration_has_units(string text, double seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), Step($"share: 1, bakeMin: {text}").Plan!.Lanes[0].Steps[0].BakeMin);

    [Theory]
    [InlineData("30")]
    [InlineData("30 m")]
    [InlineData("-30m")]
    [InlineData("m")]
    [InlineData("1m1h")]
    [InlineData("٣٠m")]
    [InlineData("\"30m\\n\"")]
    [InlineData("9999d")]
    [InlineData("1.5h")]
    public void A_duration_without_or_with_strange_units_is_refused(string text)
    {
        var violation = Assert.Single(Step($"share: 1, bakeMin: {text}").Violations);
        Assert.Equal("lanes[0].steps[0].bakeMin", violation.Path);
    }

    [Theory]
    [InlineData("shaer: 5%", "did you mean share?")]
    [InlineData("Share: 5%", "did you mean share?")]
    [InlineData("bake: 5m", "did you mean bakeMin?")]
    [InlineData("requests: 5", "did you mean requestsMin?")]
    [InlineData("bake_min: 5m", "did you mean bakeMin?")]
    [InlineData("colour: red", null)]
    public void An_unknown_field_is_refused_with_the_nearest_name(string field, string? hint)
    {
        var violation = Assert.Single(Step(field).Violations);
        Assert.Equal(("unknown field", hint, 3), (violation.Text, violation.Hint, violation.Line));
        Assert.Equal("lanes[0].steps[0]." + field.Split(':')[0], violation.Path);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once() => Approved.Text(
        string.Join("\n", PlanText.Parse(
            """
            apiVersion: ota/v2
            kind: Rollout
            nmae: x
            lanes:
            - target: api
              release: [a]
              window: 5
              steps:
              - { share: 5, bakeMin: 5 }
              - { share: 5%, share: 6%, pause: perhaps, requestsMin: many }
              - nothing
              checks: { name: errors }
              ratePerMinuteMax: 99999999999
            judge: { noData: rolback, falseAbortMax: 1 % }
            rollback: { shares: [0.1, x] }
            """).Violations), "all-violations.txt");

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("# nothing", "is empty")]
    [InlineData("null", "is empty")]
    [InlineData("a: 1\n---\nb: 2", "one plan")]
    [InlineData("a: &a [1]\nb: *a", "anchors")]
    [InlineData("a: !!binary aGk=", "tags")]
    [InlineData("just text", "not a set of fields")]
    [InlineData("[1]", "not a set of fields")]
    [InlineData("? [a]\n: b", "a field's name is a text")]
    [InlineData("a: [", "")]
    [InlineData("{a/b\nc: d", "")]
    public void What_is_no_plan_at_all_is_refused(string text, string said)
    {
        var reading = PlanText.Parse(text);
        Assert.Null(reading.Plan);
        Assert.Contains(reading.Violations, violation => violation.Path == "plan" && violation.Text.Contains(said));
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    [InlineData("[[],")]
    public void Hostile_nesting_costs_neither_time_nor_the_stack(string unit)
    {
        var watch = Stopwatch.StartNew();
        var reading = PlanText.Parse(string.Concat(Enumerable.Repeat(unit, PlanText.LengthMax / unit.Length)));
        Assert.Contains("nests deeper", Assert.Single(reading.Violations).Text);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}");
    }

    [Fact]
    public void An_alias_bomb_is_refused_at_its_first_anchor()
    {
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 30).Select(i => $"a{i}: &a{i} [{string.Join(",", Enumerable.Repeat($"*a{i - 1}", 9))}]\n"));
        Assert.Equal((1, "anchors and aliases are not known here"), (Assert.Single(PlanText.Parse(bomb).Violations).Line, PlanText.Parse(bomb).Violations[0].Text));
    }

    [Fact]
    public void Sizes_are_limited()
    {
        Assert.Contains("at most 256", Assert.Single(PlanText.Parse(new string('#', PlanText.LengthMax + 1)).Violations).Text);
        var lanes = "lanes:\n" + string.Concat(Enumerable.Repeat("- { target: a, release: a@1 }\n", PlanText.LanesMax + 1));
        Assert.Equal("lanes: has 21 entries, at most 20", Assert.Single(PlanText.Parse(lanes).Violations) with { Line = 0 } is var violation ? violation.ToString() : "");
        var steps = $"lanes:\n- {{ target: a, release: a@1, steps: [{string.Join(", ", Enumerable.Repeat("{ share: 1 }", PlanText.StepsMax + 1))}] }}";
        Assert.Equal("lanes[0].steps", Assert.Single(PlanText.Parse(steps).Violations).Path);
        var name = $"lanes:\n- {{ target: {new string('a', 10_000)}, release: a@1 }}";
        Assert.Equal("lanes[0].target", Assert.Single(PlanText.Parse(name).Violations).Path);
    }

    [Fact]
    public void Thousands_of_violations_are_counted_and_the_first_are_listed()
    {
        var reading = PlanText.Parse("lanes: [ { target: a, release: a@1 } ]\n" + string.Concat(Enumerable.Range(0, 20_000).Select(i => $"x{i}: 1\n")));
        Assert.Equal(PlanViolation.ListedMax + 1, reading.Violations.Length);
        Assert.Equal("plan: and 19900 more", reading.Violations[^1].ToString());
    }

    [Fact]
    public void The_short_form_is_a_lane_for_each()
    {
        var plan = PlanText.FromShorthand(["thermostat-api=thermostat-api@5.1.0", "thermostats=thermostat-fw@2.4.0"]).Plan!;
        Assert.Equal("thermostat-api", plan.Name);
        Assert.Equal(["thermostat-api@5.1.0", "thermostat-fw@2.4.0"], plan.Lanes.Select(lane => lane.Release));
    }

    [Theory]
    [InlineData("thermostats")]
    [InlineData("=thermostat-fw@2.4.0")]
    [InlineData("thermostats=thermostat-fw")]
    [InlineData("../etc=thermostat-fw@2.4.0")]
    [InlineData("thermostats=thermostat-fw@v2")]
    public void A_short_form_that_names_no_target_or_release_is_refused(string text)
    {
        var reading = PlanText.FromShorthand([text, "thermostats=thermostat-fw@2.4.0"]);
        Assert.Null(reading.Plan);
        Assert.Equal(text, Assert.Single(reading.Violations).Path);
    }

    [Fact]
    public void A_violation_found_later_gets_the_line_of_its_value()
    {
        var reading = PlanText.Parse(SamplePlans.Complete);
        var located = reading.Locate([new("lanes[1].steps[1].share", "x"), new("lanes[1].steps[2].bakeMax", "x"), new("lanes[1].needs[0]", "x"), new("rollback.undoWait", "x"), new("nowhere", "x")]);
        Assert.Equal([26, 27, 20, 32, 0], located.Select(violation => violation.Line));
    }

    private static PlanReading Step(string fields) => PlanText.Parse($"lanes:\n- target: api\n  steps: [ {{ {fields} }} ]\n  release: api@1");
}
