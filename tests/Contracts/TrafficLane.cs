using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Contracts;

/// <summary>A traffic target under test, and what a rollout keeps of it between two orders.</summary>
public abstract class TrafficLane : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private long _revision;
    private string? _before;
    private string? _seen;

    public abstract ITarget Adapter { get; }

    /// <summary>Whoever writes to the target shows a fence: somebody else's change is a later rollout's.</summary>
    public virtual bool Fenced => false;

    /// <summary>The rollout's order, but for what changes from one call to the next.</summary>
    protected abstract TargetOrder Template { get; }

    /// <summary>What serves users, and how many of them; the same text for the same.</summary>
    public abstract Task<string> ServesAsync();

    /// <summary>Somebody else sends users elsewhere.</summary>
    public abstract Task MoveAsync();

    /// <summary>The process starts again: what it held in memory is gone.</summary>
    public abstract void Restart();

    public abstract ValueTask DisposeAsync();

    /// <summary>The next order of the rollout: what was read last is the condition of what is written next.</summary>
    public TargetOrder Order(int step) => Template with { Fence = new Fence(1, ++_revision), Step = step, Before = _before, Seen = _seen };

    public void Keep(Preparation prepared) => (_before, _seen) = (_before ?? prepared.Before, prepared.Seen);

    public void Keep(Reading reading) => _seen = reading.Seen ?? _seen;

    /// <summary>What a person has seen of a change, and takes.</summary>
    public void Take(Drift drift) => _seen = drift.Seen;

    /// <summary>What was seen last counts for nothing.</summary>
    public void Forget() => _seen = null;

    /// <summary>Asks until it is ready, as the product does.</summary>
    public Task PrepareAsync() => UntilAsync(async () =>
    {
        var prepared = await Adapter.PrepareAsync(Order(-1), default);
        Assert.Null(prepared.Problem);
        if (prepared.Pending is null)
        {
            Keep(prepared);
        }

        return prepared.Pending;
    });

    public async Task<TargetOrder> ExposeAsync(int step)
    {
        var order = Order(step);
        await ReachAsync(order);
        return order;
    }

    /// <summary>Writes and reads until it holds, as the product does.</summary>
    public async Task ReachAsync(TargetOrder order)
    {
        double share = 0;
        await UntilAsync(async () =>
        {
            try
            {
                await Adapter.ExposeAsync(order, default);
            }
            catch (IOException)
            {
                // Not yet: the next one.
            }

            var reading = await Adapter.ReadAsync(order, default);
            Keep(reading);
            share = reading.Share;
            return reading.Agrees ? null : reading.Detail;
        });
        Assert.Equal(order.Share, share, 6);
    }

    /// <summary>The candidate becomes what the target runs.</summary>
    public Task PromoteAsync()
    {
        var order = Order(Template.Steps.Count - 1);
        return UntilAsync(async () =>
        {
            await Adapter.PromoteAsync(order, default);
            var reading = await Adapter.ReadAsync(order, default);
            Keep(reading);
            return reading.Agrees ? null : reading.Detail;
        });
    }

    public Task RestoreAsync(int step) => RestoreAsync(Order(step));

    public Task RestoreAsync(TargetOrder order) => UntilAsync(async () =>
    {
        await Adapter.RestoreAsync(order, default);
        var restoration = await Adapter.ReadRestorationAsync(order, default);
        return restoration.Agrees ? null : restoration.Detail;
    });

    /// <param name="missing">What is still missing; null when nothing is.</param>
    protected static async Task UntilAsync(Func<Task<string?>> missing)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (await missing() is { } still)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, still);
            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
