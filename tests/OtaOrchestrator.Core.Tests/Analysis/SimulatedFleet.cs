using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Core.Tests.Analysis;

/// <summary>A wave of devices that start at different times, report success soon and are silent late; looked at every ten seconds.</summary>
internal sealed class SimulatedFleet(int seed, int devices, double failing, double silent, long silentAfter = 1800)
{
    public const long Interval = 10;

    private readonly Random _random = new(seed);
    private readonly List<(long Start, long Resolved, char Outcome)> _devices = [];

    /// <returns>The first verdict that condemns or promotes with the seconds it took, or none within the time.</returns>
    public (Verdict Verdict, long After)? Run(double falseAbortMax = 0.01, bool promotes = true, long within = 6 * 3600)
    {
        for (int i = 0; i < devices; i++)
        {
            long start = 1 + (long)(_random.NextDouble() * 300);
            double fate = _random.NextDouble();
            _devices.Add(fate < silent ? (start, start + silentAfter, 's') : (start, start + 20 + (long)(_random.NextDouble() * 200), fate < silent + failing ? 'f' : 'h'));
        }
        _devices.Sort();
        var step = new StepPlan { Share = 1, Reach = 0.9 };
        var lane = new LanePlan { Steps = [step], Checks = [new CheckPlan { Name = "install", Source = "devices", FailuresMax = 0.02 }] };
        for (long now = Interval; now <= within; now += Interval)
        {
            var judgement = Judge.Of(new Look(lane, step, null, See(now), falseAbortMax));
            if (judgement.Verdict == Verdict.Unhealthy)
            {
                return (Verdict.Unhealthy, now);
            }
            // A bake of five minutes after the last possible start, as in the simulation that the rule comes from.
            if (promotes && now >= 600 && judgement is { Verdict: Verdict.Healthy, Complete: true })
            {
                return (Verdict.Healthy, now);
            }
        }
        return null;
    }

    private FleetObservation See(long now)
    {
        List<StartBucket> buckets = [];
        long started = 0;
        foreach (var (start, resolved, outcome) in _devices)
        {
            if (start > now)
            {
                break;
            }
            started++;
            var bucket = buckets.Count > 0 && buckets[^1].StartedAt == start ? buckets[^1] : new StartBucket(start, 0, 0, 0, 0);
            bool known = resolved <= now;
            bucket = new StartBucket(
                start, bucket.Started + 1, bucket.Healthy + (known && outcome == 'h' ? 1 : 0), bucket.Failed + (known && outcome == 'f' ? 1 : 0), bucket.Silent + (known && outcome == 's' ? 1 : 0));
            if (bucket.Started > 1)
            {
                buckets[^1] = bucket;
            }
            else
            {
                buckets.Add(bucket);
            }
        }
        return new FleetObservation(devices, devices, devices - started, buckets, 0, 0, []);
    }
}

public sealed class FleetSimulation
{
    [Theory]
    [InlineData(20)]
    [InlineData(100)]
    [InlineData(400)]
    public void Firmware_that_kills_two_devices_of_five_silently_is_never_promoted(int devices)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Assert.NotEqual(Verdict.Healthy, new SimulatedFleet(seed, devices, failing: 0, silent: 0.4).Run()?.Verdict);
        }
    }

    [Fact]
    public void Neither_is_firmware_whose_silent_devices_hide_behind_the_reach()
    {
        // 9 % are dead: nine of ten resolve, all of them well, long before anybody is known to be silent.
        int condemned = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            var result = new SimulatedFleet(seed, 200, failing: 0, silent: 0.09).Run();
            Assert.NotEqual(Verdict.Healthy, result?.Verdict);
            condemned += result?.Verdict == Verdict.Unhealthy ? 1 : 0;
        }
        Assert.True(condemned > 150, $"{condemned} of 200 condemned");
    }

    [Theory]
    [InlineData(50, 0.9)]
    [InlineData(50, 0.5)]
    [InlineData(200, 0.2)]
    public void Firmware_that_fails_is_condemned_while_its_first_wave_still_starts(int devices, double failing)
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var (verdict, after) = new SimulatedFleet(seed, devices, failing, silent: 0).Run()!.Value;
            Assert.Equal(Verdict.Unhealthy, verdict);
            Assert.True(after <= 300, $"seed {seed}: after {after} s");
        }
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.2)]
    public void Firmware_at_the_limit_is_condemned_no_oftener_than_allowed_however_often_it_is_looked_at(double falseAbortMax)
    {
        const int Runs = 500;
        int condemned = 0;
        for (int seed = 0; seed < Runs; seed++)
        {
            condemned += new SimulatedFleet(seed, 300, failing: 0.015, silent: 0.005, silentAfter: 900).Run(falseAbortMax, promotes: false, within: 1500) is null ? 0 : 1;
        }
        // Three standard deviations of a count with that mean.
        Assert.True(condemned <= (falseAbortMax * Runs) + (3 * Math.Sqrt(falseAbortMax * Runs)), $"{condemned} of {Runs}");
        // And the test has teeth: without them the bound would hold for a judge that never condemns.
        Assert.True(condemned > 0, "none condemned");
    }

    [Fact]
    public void Good_firmware_is_promoted_as_soon_as_its_bake_is_over()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Assert.Equal((Verdict.Healthy, 600), new SimulatedFleet(seed, 300, failing: 0, silent: 0).Run());
        }
    }

    [Theory]
    [InlineData(0.02, 228)]
    [InlineData(0.088, 50)]
    public void An_upper_bound_needs_this_many_devices_without_a_failure(double limit, long devices) => Assert.Equal(devices, EProcess.SamplesToBound(limit));

    [Fact]
    public void The_e_value_is_one_on_average_at_the_limit()
    {
        // E[E_n] = 1 under the limit: the sum over all counts of failures, weighted with their probability.
        foreach (int n in (int[])[1, 10, 100])
        {
            double mean = 0;
            double probability = Math.Pow(0.98, n);
            for (int k = 0; k <= n; k++)
            {
                mean += probability * EProcess.Of(k, n, 0.02);
                probability *= (n - k) / (k + 1.0) * 0.02 / 0.98;
            }
            Assert.Equal(1, mean, 6);
        }
    }
}
