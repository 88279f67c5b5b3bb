using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OtaOrchestrator.Router.Admin;
using OtaOrchestrator.Router.Forwarding;
using OtaOrchestrator.Router.State;
using OtaOrchestrator.Router.Statistics;

namespace OtaOrchestrator.Router.Routes;

/// <summary>Why a write was not accepted.</summary>
internal enum PutRefusal { LowerFence, FenceReused, TooManyRoutes, MatchTaken, NotStored, UnknownRoute, LeaseLost, HandedOver }

/// <summary>Either the route as it is now, or why it was not changed.</summary>
internal sealed record PutResult(Route? Route, PutRefusal? Refusal = null, Fence? Fence = null, string? Detail = null);

/// <summary>
/// All routes. Readers take a snapshot without a lock; writers go one after the other: fence, store, swap, and only then close what is no longer used.
/// </summary>
internal sealed partial class RouteTable : IDisposable
{
    private const int RemovedShownMax = 16;
    private readonly StateFile _state;
    private readonly DestinationClients _clients;
    private readonly IReadOnlyDictionary<string, RouteMatch> _matches;
    private readonly byte[]? _previewToken;
    private readonly TimeProvider _time;
    private readonly ILogger<RouteTable> _log;
    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly Dictionary<string, long> _leaseRenewed = new(StringComparer.Ordinal);
    private bool _handedOver;
    private volatile Snapshot _snapshot = new(ImmutableSortedDictionary<string, Route>.Empty.WithComparers(StringComparer.Ordinal), []);
    private volatile ImmutableDictionary<string, ImmutableList<Destination>> _retired = ImmutableDictionary<string, ImmutableList<Destination>>.Empty;

    public RouteTable(StateFile state, DestinationClients clients, IReadOnlyDictionary<string, RouteMatch> matches, string? previewToken, TimeProvider time, ILogger<RouteTable> log)
    {
        (_state, _clients, _matches, _time, _log) = (state, clients, matches, time, log);
        _previewToken = previewToken is null ? null : Encoding.UTF8.GetBytes(previewToken);
        var routes = _snapshot.Routes;
        foreach (var stored in state.Load())
        {
            routes = routes.SetItem(stored.Name, Build(stored.Name, stored.Spec, null, stored.StickyKey) with { LeaseLost = stored.LeaseLost });
            // The router can't know how long it was away, so the holder gets its whole time again.
            _leaseRenewed[stored.Name] = time.GetTimestamp();
        }
        _snapshot = Snapshot.Of(routes);
    }

    /// <summary>After which the last requests of a destination that is going are told of. They are never cut off.</summary>
    public TimeSpan DrainPatience { get; init; } = TimeSpan.FromMinutes(5);

    public IReadOnlyDictionary<string, Route> Routes => _snapshot.Routes;

    public Route? Match(string host, PathString path)
    {
        foreach (var route in _snapshot.ByPrecision)
        {
            if (route.Match.Accepts(host, path))
            {
                return route;
            }
        }
        return null;
    }

    /// <summary>Destinations that the route no longer uses: those that still have requests, and the last few that are gone.</summary>
    public IReadOnlyList<Destination> Retired(string name) => _retired.GetValueOrDefault(name) ?? [];

    public TimeSpan? LeaseLeft(Route route)
    {
        if (route.Spec.Lease is not { } lease)
        {
            return null;
        }
        lock (_leaseRenewed)
        {
            var left = TimeSpan.FromSeconds(lease.Seconds) - _time.GetElapsedTime(_leaseRenewed.GetValueOrDefault(route.Name));
            return left < TimeSpan.Zero ? TimeSpan.Zero : left;
        }
    }

    public async Task<PutResult> PutAsync(string name, RouteSpec spec, CancellationToken cancellation)
    {
        await _writer.WaitAsync(cancellation);
        try
        {
            if (_handedOver)
            {
                return new(null, PutRefusal.HandedOver, Detail: "another process of this router takes over; ask again");
            }
            var routes = _snapshot.Routes;
            routes.TryGetValue(name, out var current);
            if (current is not null && spec.Fence < current.Spec.Fence)
            {
                return new(null, PutRefusal.LowerFence, current.Spec.Fence, $"fence {spec.Fence} is lower than the stored {current.Spec.Fence}");
            }
            if (current is not null && spec.Fence == current.Spec.Fence)
            {
                if (!Same(spec, current.Spec))
                {
                    return new(null, PutRefusal.FenceReused, current.Spec.Fence, $"fence {spec.Fence} was used for another configuration");
                }
                Renew(name);
                return new(current);
            }
            if (current is null && routes.Count >= RouteValidator.RoutesMax)
            {
                return new(null, PutRefusal.TooManyRoutes, Detail: $"the router has {RouteValidator.RoutesMax} routes already");
            }
            var next = Build(name, spec, current);
            if (routes.Values.FirstOrDefault(other => other.Name != name && other.Match == next.Match) is { } other)
            {
                Discard(next, current);
                return new(null, PutRefusal.MatchTaken, Detail: $"route '{other.Name}' takes the same requests; give one of them a --match");
            }
            if (!TryStore(routes.SetItem(name, next), out string? problem))
            {
                Discard(next, current);
                return new(null, PutRefusal.NotStored, current?.Spec.Fence, problem);
            }
            Renew(name);
            _snapshot = Snapshot.Of(routes.SetItem(name, next));
            Retire(name, current, next);
            RouteChanged(_log, name, spec.Fence.Epoch, spec.Fence.Revision, spec.Baseline.Release, spec.Candidate?.Release ?? "none", spec.CandidateWeight);
            return new(next);
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Gives the lease its whole time again, for the rollout that holds the route. Once lost it stays lost: the baseline has everything already.</summary>
    public async Task<PutResult> RenewAsync(string name, long epoch, CancellationToken cancellation)
    {
        await _writer.WaitAsync(cancellation);
        try
        {
            if (!_snapshot.Routes.TryGetValue(name, out var route))
            {
                return new(null, PutRefusal.UnknownRoute, Detail: "there is no such route");
            }
            if (route.Spec.Fence.Epoch != epoch)
            {
                return new(null, PutRefusal.LowerFence, route.Spec.Fence, $"epoch {epoch} does not hold the route, {route.Spec.Fence.Epoch} does");
            }
            if (route.LeaseLost)
            {
                return new(null, PutRefusal.LeaseLost, route.Spec.Fence, "the lease ran out and everything went to the baseline; only a new decision exposes the candidate again");
            }
            if (_handedOver)
            {
                return new(null, PutRefusal.HandedOver, Detail: "another process of this router takes over; ask again");
            }
            Renew(name);
            return new(route);
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>No write is accepted from here on, and the state is another process's to hold.</summary>
    public async Task HandOverAsync(CancellationToken cancellation)
    {
        await _writer.WaitAsync(cancellation);
        try
        {
            _handedOver = true;
            _state.Unlock();
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>The other process did not come to serve: the state is held again, with what it may have accepted. <exception cref="StateFileException">It holds the state still.</exception></summary>
    public async Task TakeBackAsync(CancellationToken cancellation)
    {
        await _writer.WaitAsync(cancellation);
        try
        {
            _state.Lock();
            foreach (var stored in _state.Load())
            {
                _snapshot.Routes.TryGetValue(stored.Name, out var current);
                if (current is null || stored.Spec.Fence > current.Spec.Fence)
                {
                    var next = Build(stored.Name, stored.Spec, current, stored.StickyKey) with { LeaseLost = stored.LeaseLost };
                    _snapshot = Snapshot.Of(_snapshot.Routes.SetItem(stored.Name, next));
                    Retire(stored.Name, current, next);
                }
            }
            _handedOver = false;
        }
        finally
        {
            _writer.Release();
        }
    }

    public bool IsOverdue(Destination destination) =>
        destination is { State: DestinationState.Draining, ClosedAt: { } closed } && _time.GetElapsedTime(closed) >= DrainPatience;

    /// <summary>Says once of each destination that its last requests don't end.</summary>
    public void TellOverdue()
    {
        foreach (var (name, destinations) in _retired)
        {
            foreach (var destination in destinations.Where(destination => !destination.OverdueTold && IsOverdue(destination)))
            {
                destination.OverdueTold = true;
                DrainOverdue(_log, name, destination.ConcurrentRequests, destination.Release, destination.Address);
            }
        }
    }

    /// <summary>Requests and streams that are under way.</summary>
    public long UnderWay => _snapshot.Routes.Values.SelectMany(route => route.Destinations).Concat(_retired.Values.SelectMany(all => all))
        .Where(destination => destination.State != DestinationState.Removed).Sum(destination => destination.ConcurrentRequests);

    /// <summary>Takes back the exposure of each route whose lease ran out and says return.</summary>
    public async Task ReturnLostAsync(CancellationToken cancellation)
    {
        if (!_snapshot.Routes.Values.Any(IsLost))
        {
            return;
        }
        await _writer.WaitAsync(cancellation);
        try
        {
            foreach (var route in _snapshot.Routes.Values.Where(IsLost))
            {
                var routes = _snapshot.Routes.SetItem(route.Name, route with { LeaseLost = true });
                // Traffic goes back even when the disk refuses: after a restart the lease runs out once more.
                _snapshot = Snapshot.Of(routes);
                if (!_handedOver && !TryStore(routes, out _))
                {
                    StateNotWritten(_log, route.Name);
                }
                LeaseRanOut(_log, route.Name, route.Spec.Fence.Epoch, route.Spec.Fence.Revision);
            }
        }
        finally
        {
            _writer.Release();
        }
    }

    public void Dispose()
    {
        foreach (var destination in _snapshot.Routes.Values.SelectMany(route => route.Destinations))
        {
            destination.Close();
        }
        _writer.Dispose();
    }

    private bool IsLost(Route route) =>
        !route.LeaseLost && route.Spec is { Lease.OnLoss: OnLoss.Return, CandidateWeight: > 0 } && LeaseLeft(route) == TimeSpan.Zero;

    private Route Build(string name, RouteSpec spec, Route? current, byte[]? storedKey = null)
    {
        var match = _matches.GetValueOrDefault(name) ?? RouteMatch.Everything;
        byte[]? key = current?.StickyKey ?? storedKey ?? (spec.StickySeconds is null ? null : RandomNumberGenerator.GetBytes(StickyCookie.KeyBytes));
        var statistics = current?.Statistics ?? new RouteStatistics();
        return new Route(name, match, spec)
        {
            Baseline = Destinations(spec.Baseline),
            Candidate = spec.Candidate is { } candidate ? Destinations(candidate) : [],
            Statistics = statistics,
            StickyKey = key,
            Sticky = spec.StickySeconds is { } seconds ? new StickyCookie(key!, name, spec.Fence.Epoch, match.Path, TimeSpan.FromSeconds(seconds)) : null,
            PreviewToken = spec.PreviewToken is { } token ? Encoding.UTF8.GetBytes(token) : _previewToken,
        };

        // A destination that stays keeps its connections and its count, also when it changes sides.
        List<Destination> Destinations(Variant variant) =>
            [.. variant.Addresses.Select(RouteValidator.Canonical).Select(address =>
                current?.Destinations.FirstOrDefault(known => known.Release == variant.Release && known.Address == address)
                ?? new Destination(variant.Release, address, _clients.Create()))];
    }

    private void Retire(string name, Route? before, Route after)
    {
        after.Statistics.Forget(after.Destinations.Select(destination => destination.Release).ToHashSet(StringComparer.Ordinal));
        var leaving = before?.Destinations.Except(after.Destinations).ToList() ?? [];
        foreach (var destination in leaving)
        {
            destination.ClosedAt = _time.GetTimestamp();
            destination.Close();
        }
        var all = (_retired.GetValueOrDefault(name) ?? []).AddRange(leaving);
        var removed = all.Where(destination => destination.State == DestinationState.Removed).SkipLast(RemovedShownMax);
        _retired = _retired.SetItem(name, all.RemoveRange(removed));
    }

    private static void Discard(Route next, Route? current)
    {
        foreach (var destination in next.Destinations.Except(current?.Destinations ?? []))
        {
            destination.Close();
        }
    }

    private bool TryStore(ImmutableSortedDictionary<string, Route> routes, out string? problem)
    {
        try
        {
            _state.Save(routes.Values.Select(route => new StoredRoute(route.Name, route.Spec, route.LeaseLost, route.StickyKey)));
            problem = null;
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            StoreFailed(_log, error);
            problem = "the configuration could not be stored, so it was not applied";
            return false;
        }
    }

    private void Renew(string name)
    {
        lock (_leaseRenewed)
        {
            _leaseRenewed[name] = _time.GetTimestamp();
        }
    }

    private static bool Same(RouteSpec left, RouteSpec right) =>
        JsonSerializer.SerializeToUtf8Bytes(left, RouterJson.Options).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(right, RouterJson.Options));

    [LoggerMessage(Level = LogLevel.Information, Message = "route {Route} at ({Epoch}, {Revision}): {Baseline}, candidate {Candidate} at {Weight}")]
    private static partial void RouteChanged(ILogger log, string route, long epoch, long revision, string baseline, string candidate, double weight);

    [LoggerMessage(Level = LogLevel.Warning, Message = "route {Route} at ({Epoch}, {Revision}): the lease ran out, everything goes to the baseline")]
    private static partial void LeaseRanOut(ILogger log, string route, long epoch, long revision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "route {Route}: {Requests} requests or streams still keep {Release} at {Address}; it is not drained")]
    private static partial void DrainOverdue(ILogger log, string route, long requests, string release, string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "the state file can't be written")]
    private static partial void StoreFailed(ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "route {Route}: the lost lease could not be stored")]
    private static partial void StateNotWritten(ILogger log, string route);

    private sealed record Snapshot(ImmutableSortedDictionary<string, Route> Routes, IReadOnlyList<Route> ByPrecision)
    {
        public static Snapshot Of(ImmutableSortedDictionary<string, Route> routes) => new(routes, [.. routes.Values.OrderByDescending(route => route.Match.Precision)]);
    }
}
