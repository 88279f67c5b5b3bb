using System.Text.Json;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Server.Tests.Scenes;

/// <summary>What a traffic target holds, in a file: it outlives the process that wrote it, as a real target does.</summary>
public sealed record FileTargetState
{
    public string Runs { get; init; } = "";
    public string? Candidate { get; init; }
    public double Share { get; init; }
    public long Epoch { get; init; }
    public long Revision { get; init; }

    /// <summary>Every write that changed something, oldest first.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];
}

/// <summary>A traffic target of a file, with the fence and the absolute writes that the port asks for. Tests break it where they need to.</summary>
public sealed class FileTarget(string file, string runs) : ITarget
{
    private readonly Lock _gate = new();
    private long _requests;
    private long _beside;
    private long _errors;

    public Capabilities Capabilities { get; init; } = new() { PerVariantMetrics = true, CompareAndSwap = true, Features = new HashSet<string>(StringComparer.Ordinal) { PlanFeatures.Test } };

    /// <summary>Called before each method, with its name.</summary>
    public Func<string, TargetOrder, CancellationToken, Task>? Before { get; set; }

    /// <summary>Share of the candidate's requests that fail.</summary>
    public double ErrorRate { get; set; }

    /// <summary>A write is accepted but does not hold, as on a target that takes its time.</summary>
    public bool Sluggish { get; set; }

    public int Calls { get; private set; }

    public FileTargetState State
    {
        get
        {
            lock (_gate)
            {
                return File.Exists(file) ? JsonSerializer.Deserialize<FileTargetState>(File.ReadAllText(file))! : new FileTargetState { Runs = runs };
            }
        }
    }

    public async Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation)
    {
        await Begin(nameof(PrepareAsync), order, cancellation);
        return new Preparation(0, order.Fallback.ToString() == State.Runs ? null : $"runs {State.Runs}, not {order.Fallback}");
    }

    public Task ExposeAsync(TargetOrder order, CancellationToken cancellation) =>
        Write(nameof(ExposeAsync), order, now => now.Candidate == order.Candidate.ToString() && now.Share >= order.Share ? now : now with { Candidate = order.Candidate.ToString(), Share = order.Share }, cancellation);

    public async Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation)
    {
        await Begin(nameof(ReadAsync), order, cancellation);
        var now = State;
        bool promoted = now.Runs == order.Candidate.ToString() && now.Candidate is null;
        bool agrees = promoted || (now.Candidate == order.Candidate.ToString() && now.Share >= order.Share);
        // As on a router: whose configuration holds is told by the fence.
        agrees &= (now.Epoch, now.Revision) == (order.Fence.Epoch, order.Fence.Revision);
        return new Reading(agrees, promoted ? 1 : now.Share, $"{now.Share:P0} on {now.Candidate ?? now.Runs}");
    }

    public Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Forecast(0, [.. order.Steps.Select(step => new StepForecast(0, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{step.Share:P0}")))]));

    public Task RenewAsync(TargetOrder order, CancellationToken cancellation) => Before?.Invoke(nameof(RenewAsync), order, cancellation) ?? Task.CompletedTask;

    public async Task HoldAsync(TargetOrder order, CancellationToken cancellation) => await Begin(nameof(HoldAsync), order, cancellation);

    public Task PromoteAsync(TargetOrder order, CancellationToken cancellation) =>
        Write(nameof(PromoteAsync), order, now => now with { Runs = order.Candidate.ToString(), Candidate = null, Share = 0 }, cancellation);

    public Task RestoreAsync(TargetOrder order, CancellationToken cancellation) =>
        Write(nameof(RestoreAsync), order, now => now with { Runs = order.Fallback.ToString(), Candidate = null, Share = 0 }, cancellation);

    public async Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation)
    {
        await Begin(nameof(ReadRestorationAsync), order, cancellation);
        var now = State;
        return new Restoration(now.Candidate is null && now.Runs == order.Fallback.ToString(), $"{now.Share:P0} on {now.Candidate ?? now.Runs}");
    }

    public async Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation)
    {
        await Begin(nameof(ObserveAsync), order, cancellation);
        long requests = Interlocked.Add(ref _requests, 1000);
        // The split is as configured: the judge would see it if it were not.
        double share = State.Share;
        long beside = Interlocked.Add(ref _beside, share > 0 ? (long)(1000 * (1 - share) / share) : 1000);
        return new TrafficObservation("one", new SideCounters(requests, Interlocked.Add(ref _errors, (long)(1000 * ErrorRate))), new SideCounters(beside, 0));
    }

    /// <summary>Somebody else's hand.</summary>
    public void Tamper(Func<FileTargetState, FileTargetState> change)
    {
        lock (_gate)
        {
            Save(change(State));
        }
    }

    private async Task Begin(string method, TargetOrder order, CancellationToken cancellation)
    {
        Calls++;
        if (Before is { } before)
        {
            await before(method, order, cancellation);
        }
    }

    private async Task Write(string method, TargetOrder order, Func<FileTargetState, FileTargetState> change, CancellationToken cancellation)
    {
        await Begin(method, order, cancellation);
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var now = State;
            if ((order.Fence.Epoch, order.Fence.Revision).CompareTo((now.Epoch, now.Revision)) < 0)
            {
                throw new TargetException($"fence {order.Fence} is behind {now.Epoch}/{now.Revision}");
            }
            if (Sluggish)
            {
                return;
            }
            var next = change(now);
            bool changed = next != now;
            next = next with { Epoch = order.Fence.Epoch, Revision = order.Fence.Revision };
            if (next == now)
            {
                return;
            }
            Save(changed ? next with { Changes = [.. now.Changes, $"{method} {next.Runs} {next.Candidate} {next.Share}"] } : next);
        }
    }

    private void Save(FileTargetState state)
    {
        var temporary = file + ".new";
        File.WriteAllText(temporary, JsonSerializer.Serialize(state));
        File.Move(temporary, file, overwrite: true);
    }
}
