using System.Diagnostics;
using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>
/// Kills the server at points of a rollout of two lanes, and of taking it back, over real parts. Each time it is started again on the same files, whoever asked asks again,
/// and at the end router, devices, journal and checker agree that nothing happened but the rollout.
/// </summary>
[Collection(Site.OneAtATime)]
public sealed class ServerCrashTests
{
    private const int Devices = 8;

    /// <summary>Points whose number of passages is the clock's to say are tried where they come first.</summary>
    private const int OrdinalMax = 2;
    private static readonly TimeSpan RolloutMax = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan FullBudget = TimeSpan.FromMinutes(9);

    [Fact]
    public async Task A_server_that_dies_in_a_rollout_and_in_its_rollback_loses_nothing()
    {
        await using var site = await Site.StartAsync(Devices);
        var cycles = new Cycles(site);
        // A reply that is lost, and a commit that nobody acted upon yet; forward and back.
        await cycles.PlayAsync([new(Point: "Expose.firmware.acted:1")], new(Point: "Restore.firmware.acted:1"));
        await cycles.PlayAsync([new(Point: "commit.after/ExposureReached.api.Exposing-Baking:2")], new(Point: "commit.before/RestorationRead.firmware.RollingBack-RolledBack:1"));
        Assert.Equal(4, cycles.Covered.Count);
        cycles.AllRequestsWereAnswered();
    }

    [Fact]
    [Trait("Gate", "Full")]
    public async Task A_server_that_dies_anywhere_in_a_rollout_or_its_rollback_loses_nothing()
    {
        long began = Stopwatch.GetTimestamp();
        await using var site = await Site.StartAsync(Devices);
        var cycles = new Cycles(site);
        var (forward, back, forwardTook, backTook) = await cycles.RecordAsync();
        var random = new Random(20261123);
        var (forwardTurns, backTurns) = (Spread(forward), Spread(back));
        var once = forward.Where(point => point.EndsWith(":1", StringComparison.Ordinal) && !forward.Contains(point[..^1] + "2")).ToHashSet();
        int kills = 0;
        for (int turn = 0; (turn < Math.Max(forwardTurns.Count, backTurns.Count)) && Stopwatch.GetElapsedTime(began) < FullBudget; turn++)
        {
            // When one list is at its end, and in every fifth turn, the moment is chance's.
            bool chance = turn % 5 == 4;
            Death At(List<string> points, TimeSpan took)
            {
                if (!chance && points.Count > 0)
                {
                    var point = points[0];
                    points.RemoveAt(0);
                    return new(Point: point);
                }
                kills++;
                return new(After: took * random.NextDouble());
            }
            List<Death> deaths = [At(forwardTurns, forwardTook)];
            // A second death of the same rollout, at a point that comes once only and later: the restarted server counts anew.
            if (deaths[0].Point is { } first && forwardTurns.Find(point => once.Contains(point) && forward.IndexOf(point) > forward.IndexOf(first)) is { } second)
            {
                forwardTurns.Remove(second);
                deaths.Add(new(Point: second));
            }
            await cycles.PlayAsync(deaths, At(backTurns, backTook));
        }
        var (forwardCovered, backCovered) = (cycles.Covered.Intersect(forward).Count(), cycles.Covered.Intersect(back).Count());
        Console.WriteLine($"  covered {forwardCovered + backCovered} of {forward.Count + back.Count} points (forward {forwardCovered} of {forward.Count}, back {backCovered} of {back.Count}), {kills} kills at random times, "
            + $"{site.Load().Requests} requests, {site.Load().Failed} failed{(cycles.Missed.Count == 0 ? "" : "; never passed: " + string.Join(", ", cycles.Missed))}");
        Assert.True(forwardCovered >= 10 && backCovered >= 10, "too few points for the time");
        Assert.True(cycles.Missed.Count <= (forwardCovered + backCovered) / 10, "too many points were not passed");
        cycles.AllRequestsWereAnswered();
    }

    /// <summary>In an order in which the first few are spread over the whole.</summary>
    private static List<string> Spread(IReadOnlyList<string> points)
    {
        var order = new List<string>();
        for (int stride = 16; stride >= 1; stride /= 2)
        {
            order.AddRange(points.Where((_, index) => index % stride == 0).Except(order).ToList());
        }
        return order;
    }

    /// <summary>When the server dies: at a point, or some time after the request. Neither: it lives.</summary>
    private sealed record Death(string? Point = null, TimeSpan? After = null);

    /// <summary>A rollout forward and back, again and again on one site.</summary>
    private sealed class Cycles(Site site)
    {
        private int _count;

        public List<string> Covered { get; } = [];
        public List<string> Missed { get; } = [];

        /// <summary>The points of a cycle without a death, in their order, and how long each way took.</summary>
        public async Task<(List<string> Forward, List<string> Back, TimeSpan ForwardTook, TimeSpan BackTook)> RecordAsync()
        {
            await RestartAsync("--points", site.PointsFile);
            int setup = Lines().Count;
            long began = Stopwatch.GetTimestamp();
            var rollout = await ForwardAsync([new()]);
            var forwardTook = Stopwatch.GetElapsedTime(began);
            int turned = Lines().Count;
            began = Stopwatch.GetTimestamp();
            await BackAsync(rollout, new());
            var backTook = Stopwatch.GetElapsedTime(began);
            var lines = Lines();
            await site.UnholdAsync();
            var forward = lines.Take(turned).Skip(setup).Where(IsStable).ToList();
            return (forward, lines.Skip(turned).Where(IsStable).Where(point => !forward.Contains(point) && Ordinal(point) == 1).ToList(), forwardTook, backTook);
        }

        public async Task PlayAsync(IReadOnlyList<Death> forward, Death back)
        {
            await RestartAsync(Arguments(forward[0]));
            int starts = site.Starts;
            // Whoever finds it dead starts it with what comes next.
            foreach (var death in forward.Skip(1).Append(back))
            {
                site.Next.Enqueue(Arguments(death));
            }
            var rollout = await ForwardAsync(forward);
            await site.AliveAsync();
            int died = site.Starts - starts;
            Count(forward, died);
            if (died < forward.Count)
            {
                await RestartAsync(Arguments(back));
            }
            starts = site.Starts;
            await BackAsync(rollout, back);
            await site.AliveAsync();
            Count([back], site.Starts - starts);
            await site.UnholdAsync();
        }

        public void AllRequestsWereAnswered()
        {
            var (requests, failed, text) = site.Load();
            Assert.True(requests > 0 && failed == 0, text);
            Assert.True(text.Contains($"\"{Site.ApiOld}\"", StringComparison.Ordinal) && text.Contains($"\"{Site.ApiNew}\"", StringComparison.Ordinal), text);
        }

        private static string[] Arguments(Death death) => death.Point is { } point ? ["--crash-at", point] : [];

        private static int Ordinal(string point) => int.Parse(point.AsSpan(point.LastIndexOf(':') + 1), System.Globalization.CultureInfo.InvariantCulture);

        /// <summary>Not what is stored for show, now and then; of what comes again and again, the first.</summary>
        private static bool IsStable(string point)
        {
            var name = point[..point.LastIndexOf(':')];
            var move = name[(name.LastIndexOf('.') + 1)..].Split('-');
            bool clock = name.StartsWith("Look.", StringComparison.Ordinal) || (move.Length == 2 && move[0] == move[1]);
            return Ordinal(point) <= (clock ? 1 : OrdinalMax) && !name.EndsWith("/other", StringComparison.Ordinal) && !name.Contains("/progress.", StringComparison.Ordinal);
        }

        private List<string> Lines() => File.Exists(site.PointsFile) ? [.. File.ReadAllLines(site.PointsFile)] : [];

        private async Task RestartAsync(params string[] arguments)
        {
            site.Server.Kill();
            site.Next.Clear();
            site.Next.Enqueue(arguments);
            await site.AliveAsync();
        }

        private void Count(IReadOnlyList<Death> deaths, int died)
        {
            foreach (var (index, death) in deaths.Index())
            {
                if (death.Point is { } point)
                {
                    (index < died ? Covered : Missed).Add(point);
                }
            }
        }

        private async Task<string> ForwardAsync(IReadOnlyList<Death> deaths)
        {
            var request = new CreateRolloutRequest { Parent = Site.Environment, RolloutId = $"cycle-{++_count}", Plan = Site.Plan("cycle", TimeSpan.FromSeconds(0.4)), RequestId = Guid.NewGuid().ToString() };
            var killed = KillAsync(deaths[0]);
            var created = await site.CallAsync(c => c.Rollouts.CreateRolloutAsync(request));
            await killed;
            await EndsAsync(created.Name, RolloutState.Succeeded, Site.ApiNew, Site.FirmwareNew, deaths);
            return created.Name;
        }

        private async Task BackAsync(string rollout, Death death)
        {
            var request = new RollbackRolloutRequest { Name = rollout, Reason = "it is time", RequestId = Guid.NewGuid().ToString() };
            var killed = KillAsync(death);
            await site.CallAsync(c => c.Rollouts.RollbackRolloutAsync(request));
            await killed;
            await EndsAsync(rollout, RolloutState.RolledBack, Site.ApiOld, Site.FirmwareOld, [death]);
        }

        private async Task KillAsync(Death death)
        {
            if (death.After is { } after)
            {
                // The moment itself is what is tried.
                await Task.Delay(after, TimeProvider.System);
                site.Server.Kill();
            }
        }

        /// <summary>The rollout comes to its end, and everything that can be asked tells the same story.</summary>
        private async Task EndsAsync(string name, RolloutState state, string api, string firmware, IReadOnlyList<Death> deaths)
        {
            string Where(string what) => $"{name}, {string.Join(", ", deaths)}: {what}\n{site.Server.Output}";
            Rollout? last = null;
            await Wait.UntilAsync(async () =>
            {
                last = await site.CallAsync(c => c.Rollouts.GetRolloutAsync(new() { Name = name }));
                Assert.False(last.State != state && last.State is RolloutState.Refused or RolloutState.Cancelled or RolloutState.Superseded or RolloutState.RollbackStuck
                    || (state == RolloutState.Succeeded && last.State is RolloutState.RollingBack or RolloutState.RolledBack), Where($"{last.State}: {last.Cause}"));
                return last.State == state;
            }, RolloutMax, () => Where($"it is {last}"));

            await site.AllRunAsync(firmware, RolloutMax, () => Where(""));
            var (release, route) = await site.ServesAsync();
            Assert.True(release == $"{Site.Api}@{api}", Where(route));
            var entries = (await site.CallAsync(c => c.Rollouts.ListJournalAsync(new() { Name = name, PageSize = 1000 }))).Entries;
            Assert.True(entries.Select(entry => entry.Revision).SequenceEqual(Enumerable.Range(1, entries.Count).Select(revision => (long)revision)) && entries.Count == last!.Revision, Where("the journal has gaps"));
            await site.AgreesAsync(() => Where(""));
            var (_, failed, text) = site.Load();
            Assert.True(failed == 0, Where(text));
        }
    }
}
