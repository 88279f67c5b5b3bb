using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.IoT;

public sealed class NamesTests
{
    [Theory]
    [InlineData("r1")]
    [InlineData("../../etc/passwd")]
    [InlineData("🚀 emoji and spaces")]
    [InlineData("a-name-that-is-far-too-long-to-stand-in-a-job-id-as-a-whole-and-then-some-more")]
    public void Job_names_are_what_AWS_allows_whatever_the_rollout_is_called(string rollout)
    {
        var names = new JobNames(FleetFixture.Order(0, rollout: rollout));
        string[] all = [names.Update(0, 1), names.Update(99, 999), names.Return(101, 0), names.Return(101, 1)];
        Assert.All(all, name => Assert.Matches("^[a-zA-Z0-9_-]{1,64}$", name));
        Assert.Equal(all.Length, all.Distinct().Count());
    }

    [Fact]
    public void Job_names_differ_where_anything_of_the_order_differs()
    {
        var order = FleetFixture.Order(0);
        TargetOrder[] orders = [order, order with { Rollout = "s" }, order with { Lane = "l" }, order with { Target = "t" }, order with { Environment = "e" }];
        Assert.Equal(orders.Length, orders.Select(o => new JobNames(o).Update(0, 1)).Distinct().Count());
        Assert.False(new JobNames(order).Update(1, 1) == new JobNames(order).Update(11, 1));
    }

    [Fact]
    public void Waves_are_disjoint_and_end_with_the_whole_fleet()
    {
        var order = FleetFixture.Order(0) with { Steps = [new TargetStep(0, "lab"), new TargetStep(0.05, null), new TargetStep(0.3, null), new TargetStep(1, null)], Step = 3 };
        var waves = Enumerable.Range(0, 4).Select(s => Waves.Added(order, s)).ToList();
        Assert.Equal([1, 5, 25, 70], waves.Select(w => w.Count));
        Assert.Equal(101, waves.SelectMany(w => w).Distinct().Count());
        Assert.Equal(["thermostats-lab"], Waves.Exposed(order).First(0.001).Groups);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.01, 1)]
    [InlineData(0.7, 7)]
    [InlineData(0.71, 8)]
    [InlineData(1, 10)]
    public void Part_of_a_return_takes_whole_groups(double share, int expected)
    {
        Assert.Equal(expected, Waves.Exposed(FleetFixture.Order(0)).First(share).Count);
    }

    [Fact]
    public void Queries_stay_within_the_limit_and_name_every_cohort_once()
    {
        var fleet = new string('f', 60);
        var order = FleetFixture.Order(1) with { Target = fleet, Steps = [new TargetStep(0, "lab"), new TargetStep(0.99, null)] };
        var condition = FleetQuery.All(FleetQuery.Runs(FleetFixture.Digest('a')), FleetQuery.HeardSince(1_732_345_678));
        var queries = FleetQuery.Within(Waves.Exposed(order), condition).ToList();

        Assert.All(queries, q => Assert.True(q.Length <= FleetQuery.CharsMax, $"{q.Length}"));
        Assert.Equal(99, queries.Skip(1).Sum(q => q.Split($"\"{fleet}-c").Length - 1));
    }

    [Fact]
    public void Queries_stay_within_the_limit_however_long_the_names_are()
    {
        for (var letters = 1; letters <= 60; letters++)
        {
            var order = FleetFixture.Order(1) with { Target = new string('f', letters), Steps = [new TargetStep(0.1, null), new TargetStep(0.5, null)] };
            for (var rollout = 1; rollout <= 40; rollout++)
            {
                var condition = FleetQuery.All(FleetQuery.Runs(FleetFixture.Digest('a')), FleetQuery.LatestJobOf(new string('r', rollout)));
                Assert.All(FleetQuery.Within(Waves.Exposed(order), condition), q => Assert.True(q.Length <= FleetQuery.CharsMax, $"{letters} {rollout}: {q.Length}"));
            }
        }
    }

    [Fact]
    public void Every_question_about_a_return_fits_a_query_whatever_was_taken_over()
    {
        var fleet = new string('f', 60);
        var order = FleetFixture.Fix(1, 1) with { Target = fleet, Rollout = new string('r', 60), Steps = [new TargetStep(0.1, null), new TargetStep(0.5, null)] };
        order = order with { Predecessors = [.. order.Predecessors, new Predecessor(new string('s', 60), new string('l', 60), "a@1", FleetFixture.Digest('d'), 0.2, [new string('g', 60)])] };
        foreach (var condition in new ReturnOutcomes(order, 1_732_345_678).All)
        {
            Assert.All(FleetQuery.Within(Waves.Exposed(order), condition), q => Assert.True(q.Length <= FleetQuery.CharsMax, $"{q.Length}: {q}"));
        }
    }

    [Fact]
    public void Every_outcome_fits_one_query()
    {
        var order = FleetFixture.Order(0, rollout: new string('r', 100));
        var outcomes = new FleetOutcomes(new JobNames(order).OfUpdates, order, 1_732_345_678);
        string[] all = [outcomes.Started, outcomes.Healthy, outcomes.Failed, outcomes.Silent, outcomes.Dark];
        Assert.All(all, q => Assert.True(FleetQuery.All(q, FleetQuery.StartedIn(0, long.MaxValue)).Length <= FleetQuery.CharsMax, q));
    }
}
