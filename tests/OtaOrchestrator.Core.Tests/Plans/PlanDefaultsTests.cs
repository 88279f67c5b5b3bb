using CsCheck;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Plans;

public sealed class PlanDefaultsTests
{
    [Fact]
    public void The_smallest_plan_is_filled_with_the_products_defaults_and_says_so()
    {
        var (plan, filled) = PlanDefaults.Fill(SamplePlans.Read(SamplePlans.Smallest), new EnvironmentPolicy(), Kinds);
        Approved.Text(string.Join("\n", filled.Select(value => $"{value.Path} = {value.Value}  ({value.Origin})")), "smallest-plan-defaults.txt");
        Assert.Empty(PlanValidator.Validate(plan, PlanContext.Offline(Kinds)));
    }

    [Fact]
    public void The_environment_comes_before_the_product()
    {
        var environment = new EnvironmentPolicy
        {
            FleetSteps = [new StepPlan { Share = 0.2 }, new StepPlan { Share = 1 }],
            Judge = new JudgePlan { NoData = OnVerdict.Rollback },
            Rollback = new RollbackPlan { UntilAfter = TimeSpan.FromHours(1) },
        };
        var (plan, filled) = PlanDefaults.Fill(SamplePlans.Read(SamplePlans.Smallest), environment, Kinds);
        Assert.Equal([0.2, 1], plan.Lanes[0].Steps.Select(step => step.Share!.Value));
        Assert.Equal((OnVerdict.Rollback, OnVerdict.Rollback, TimeSpan.FromHours(1)), (plan.Judge.NoData, plan.Judge.Unhealthy, plan.Rollback.UntilAfter));
        Assert.Equal("environment", filled.Single(value => value.Path == "lanes[0].steps").Origin);
        Assert.Equal("20%, 100%", filled.Single(value => value.Path == "lanes[0].steps").Value);
        Assert.Equal("product", filled.Single(value => value.Path == "judge.unhealthy").Origin);
    }

    [Fact]
    public void What_the_plan_says_is_kept_and_not_listed()
    {
        var given = SamplePlans.Read(SamplePlans.Complete);
        var (plan, filled) = PlanDefaults.Fill(given, EnvironmentPolicy.Default, Kinds);
        Assert.Equal(given.Lanes[1].Steps[1] with { BakeMax = null, Reach = null }, plan.Lanes[1].Steps[1] with { BakeMax = null, Reach = null });
        Assert.DoesNotContain(filled, value => value.Path is "rollback.untilAfter" or "judge.noData" or "lanes[0].guardAfter" or "lanes[1].steps[0].bakeMin");
        Assert.Equal(TimeSpan.FromHours(48), plan.Lanes[1].Steps[1].BakeMax);
        Assert.Equal(TimeSpan.FromMinutes(120), plan.Lanes[0].Steps[1].BakeMax);
    }

    [Theory]
    [InlineData("1s", 0.25)]
    [InlineData("10s", 1)]
    [InlineData("30m", 60)]
    public void The_judge_looks_ten_times_in_the_shortest_bake(string bake, double seconds)
    {
        var plan = SamplePlans.Read($"lanes:\n- {{ target: api, release: api@1, steps: [ {{ share: 10%, bakeMin: {bake} }}, {{ share: 100%, bakeMin: 1h }} ] }}");
        Assert.Equal(TimeSpan.FromSeconds(seconds), PlanDefaults.Fill(plan, new EnvironmentPolicy(), Kinds).Plan.Lanes[0].Checks[0].Interval);
    }

    [Fact]
    public void After_filling_nothing_is_left_out_and_filling_again_adds_nothing() =>
        SamplePlans.Any.Sample(given =>
        {
            var (plan, _) = PlanDefaults.Fill(given, new EnvironmentPolicy(), Kinds);
            var (again, filled) = PlanDefaults.Fill(plan, new EnvironmentPolicy(), Kinds);
            Assert.Empty(filled);
            Assert.Equal(SamplePlans.Dump(plan), SamplePlans.Dump(again));
            Assert.DoesNotContain(null, (object?[])[plan.Judge.FalseAbortMax, plan.Judge.NoData, plan.Judge.Unhealthy, plan.Rollback.UntilAfter, plan.Rollback.IgnoreWindow, plan.Rollback.FailuresMax, plan.Rollback.UndoWait]);
            Assert.NotEmpty(plan.Rollback.Shares);
            Assert.All(plan.Lanes, lane =>
            {
                Assert.NotNull(lane.GuardAfter);
                Assert.NotNull(lane.ObserveFor);
                Assert.All(lane.Steps, step => Assert.True(step is { BakeMin: not null, BakeMax: not null }));
                Assert.NotEmpty(lane.Steps);
                Assert.All(lane.Checks, check => Assert.NotNull(check.Interval));
            });
            PlanValidator.Validate(plan, PlanContext.Offline(Kinds));
        }, iter: 300);

    internal static TargetKind Kinds(string target) => target.StartsWith("thermostats", StringComparison.Ordinal) ? TargetKind.Fleet : TargetKind.Traffic;
}
