using System.Globalization;
using System.Net;
using System.Text.Json;
using Amazon.CloudFront;
using Amazon.CloudFront.Model;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.CloudFront;

/// <summary>
/// A CloudFront distribution as a target of rollouts, by continuous deployment. A rollout changes the origin of the default behaviour and nothing else. Every write is conditional
/// on the ETag of a read of what was last seen; README.md tells the life of a rollout. One instance serves one distribution.
/// </summary>
/// <param name="changes">Who changed the distribution; null where nobody can be asked.</param>
public sealed class CloudFrontTarget(IAmazonCloudFront cloudFront, string distribution, TrailedChanges? changes, TimeProvider time) : ITarget
{
    /// <summary>CloudFront's own limit on what a staging distribution gets.</summary>
    public const double ShareMax = 0.15;
    private const int ConflictsMax = 5;
    private const int LooksMax = 4;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);
    private readonly StagingPairs _pairs = new(cloudFront, distribution);
    private readonly Fences _fences = new();

    /// <summary>The last epoch in which this process has written a return.</summary>
    private long _returned;

    public Capabilities Capabilities { get; } = new()
    {
        PartialShareMax = ShareMax,
        CompareAndSwap = true,
        // The pair of another rollout would have to change while users are on it.
        CanBeTakenOver = false,
    };

    public Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Forecast(0, [.. order.Steps.Select(step => new StepForecast(0, step.Share == 0
        ? "nobody; testers by a header"
        : string.Create(CultureInfo.InvariantCulture, $"{step.Share:0.##%} of the requests of {distribution}")))]));

    /// <summary>Makes the staging distribution with the candidate's origin, and its policy, which nothing names yet: users and the primary distribution are untouched.</summary>
    public Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        if (order.Steps.Any(step => step.Group is not null))
        {
            return new Preparation(0, "a distribution has no groups");
        }

        var (candidate, fallback) = (EdgeOrigin.Of(order.Candidate), EdgeOrigin.Of(order.Fallback));
        var primary = await PrimaryAsync(cancellation);
        if (Problem(primary.Distribution.DistributionConfig, order, candidate, fallback) is { } problem)
        {
            return new Preparation(0, problem);
        }

        _fences.Pass(order);
        var (pair, deployed) = await _pairs.EnsureAsync(order, primary, cancellation);
        var now = StateOf(primary, "", "", pair);
        return deployed ? new Preparation(0, Before: now.ToJson(), Seen: now.ToJson()) : new Preparation(0, Pending: $"the staging distribution {pair.Staging} is on its way to the edges");
    });

    public Task ExposeAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        await WriteAsync(order, cancellation);
        return true;
    });

    public Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var (now, primary, _) = await StateAsync(order, cancellation);
        var reached = Agrees(now, order);
        var agrees = reached && primary.Distribution.Status == "Deployed";
        now = EdgeState.Parse(order.Seen) is { } seen && seen.Serves(now) ? now with { Since = seen.Since } : now;
        return new Reading(agrees, ShareOf(now, order), $"{distribution} sends {now}{(reached && !agrees ? ", on its way to the edges" : "")}", Seen: agrees ? now.ToJson() : null);
    });

    public Task RenewAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        if (EdgeState.Parse(order.Seen) is { } seen && await ChangedAsync(order, seen, cancellation) is { } drift)
        {
            throw new DriftException(drift);
        }

        return true;
    });

    /// <summary>Does nothing: a distribution has nothing queued, and shares stay as they are.</summary>
    public Task HoldAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>The candidate's origin for everybody; the pair has done its work.</summary>
    public Task PromoteAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var all = order with { Step = IndexOfAll(order) };
        await WriteAsync(all, cancellation);
        var (_, primary, _) = await StateAsync(order, cancellation);
        if (Pair(order) is { } pair && primary.Distribution.DistributionConfig.ContinuousDeploymentPolicyId == pair.Policy)
        {
            _fences.Pass(order);
            await PutAsync(primary, config => config.ContinuousDeploymentPolicyId = "", cancellation);
            await _pairs.RetireAsync(pair.Staging, pair.Domain, cancellation);
        }

        return true;
    });

    public Task RestoreAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        _fences.Pass(order);
        var pair = Pair(order);
        // The shortest way for users first; it is void where everybody has the candidate already, and then the next write is theirs.
        await OffAsync(pair, cancellation);
        var origin = Origin(order);
        for (int conflicts = 0; ; conflicts++)
        {
            var primary = await PrimaryAsync(cancellation);
            var config = primary.Distribution.DistributionConfig;
            var back = EdgeOrigin.Of(config) == origin && config.ContinuousDeploymentPolicyId != pair?.Policy;
            if (back && Volatile.Read(ref _returned) == order.Fence.Epoch)
            {
                break;
            }

            try
            {
                // Once also where it changes nothing: a read may be older than a promotion, and one still under way must find another ETag.
                await PutAsync(primary, put =>
                {
                    origin.ApplyTo(put);
                    put.ContinuousDeploymentPolicyId = put.ContinuousDeploymentPolicyId == pair?.Policy ? "" : put.ContinuousDeploymentPolicyId;
                }, cancellation);
                Volatile.Write(ref _returned, order.Fence.Epoch);
                break;
            }
            catch (AmazonCloudFrontException conflict) when (IsConflict(conflict) && conflicts < ConflictsMax)
            {
                // Somebody writes at the same time, or the read was old. Whatever it was, users go back.
            }
        }

        if (pair is not null)
        {
            await _pairs.RetireAsync(pair.Staging, pair.Domain, cancellation);
        }

        return true;
    });

    public Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var (now, primary, _) = await StateAsync(order, cancellation);
        var config = primary.Distribution.DistributionConfig;
        // The return wrote, so the ETag from before the rollout is that of a read which is older than all of it, and looks like a return that is done.
        var agrees = EdgeOrigin.Of(config) == Origin(order) && now.Traffic.Length == 0 && config.ContinuousDeploymentPolicyId != Pair(order)?.Policy && primary.ETag != EdgeState.Parse(order.Before)?.Tag;
        return new Restoration(agrees && primary.Distribution.Status == "Deployed", $"{distribution} sends {now}{(agrees && primary.Distribution.Status != "Deployed" ? ", on its way to the edges" : "")}");
    });

    /// <summary>Nothing: CloudFront's own numbers are minutes behind. Alarms and metrics of CloudWatch are checks of the plan.</summary>
    public Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult<Observation?>(null);

    public async Task<string> AuthorAsync(TargetOrder order, Drift drift, CancellationToken cancellation)
    {
        if (changes is null || EdgeState.Parse(drift.Seen) is not { } now || EdgeState.Parse(order.Seen) is not { } seen)
        {
            return "";
        }

        var (operation, id) = now.Traffic != seen.Traffic && Pair(order) is { } pair ? ("UpdateContinuousDeploymentPolicy", pair.Policy) : ("UpdateDistribution", now.Staged != seen.Staged ? Pair(order)?.Staging ?? "" : distribution);
        var word = now.Traffic != seen.Traffic ? now.Traffic : new Uri(now.Origin).Host;
        return await changes.AuthorAsync(
            operation,
            request => request.TryGetProperty("id", out var named) && named.ValueEquals(id) && request.GetRawText().Contains(word, StringComparison.Ordinal),
            DateTimeOffset.FromUnixTimeSeconds(now.Since),
            cancellation);
    }

    private static string? Problem(DistributionConfig config, TargetOrder order, EdgeOrigin candidate, EdgeOrigin fallback) => config switch
    {
        { Staging: true } => "it is a staging distribution itself",
        { Enabled: false } => "it is disabled",
        _ when config.HttpVersion?.Value.Contains('3', StringComparison.Ordinal) == true => "it speaks HTTP/3, which continuous deployment does not know",
        { ContinuousDeploymentPolicyId.Length: > 0 } => $"it has the continuous deployment policy {config.ContinuousDeploymentPolicyId} already, which is somebody else's",
        _ when EdgeOrigin.Of(config) is not { } origin => "its default behaviour has a group of origins",
        _ when EdgeOrigin.Of(config) != fallback => $"it sends to {EdgeOrigin.Of(config)}, not to the fallback {order.Fallback} ({fallback})",
        _ when candidate == fallback => $"{order.Candidate} and {order.Fallback} have the same origin {candidate}",
        _ => null,
    };

    /// <summary>Writes unless it holds already, and only over what was last seen.</summary>
    private async Task WriteAsync(TargetOrder order, CancellationToken cancellation)
    {
        _fences.Pass(order);
        var pair = Pair(order) ?? throw new TargetException($"nothing says which staging distribution belongs to rollout {order.Rollout}");
        for (int conflicts = 0; ; conflicts++)
        {
            var (now, primary, policy) = await StateAsync(order, cancellation);
            if (Agrees(now, order))
            {
                return;
            }

            if (EdgeState.Parse(order.Seen) is { } seen && !now.Serves(seen) && await ChangedAsync(order, seen, cancellation) is { } drift)
            {
                throw new DriftException(drift);
            }

            try
            {
                _fences.Pass(order);
                await PutAsync(order, pair, primary, policy, cancellation);
            }
            catch (AmazonCloudFrontException conflict) when (IsConflict(conflict) && conflicts < ConflictsMax)
            {
                // Read again: what made it fail is either the same content or a change to stop at.
                continue;
            }

            return;
        }
    }

    private async Task PutAsync(TargetOrder order, EdgePair pair, GetDistributionResponse primary, GetContinuousDeploymentPolicyResponse? policy, CancellationToken cancellation)
    {
        var attached = primary.Distribution.DistributionConfig.ContinuousDeploymentPolicyId == pair.Policy;
        if (order.Share >= 1 && !await _pairs.SyncAsync(pair.Staging, primary.Distribution.DistributionConfig, EdgeOrigin.Of(order.Candidate), cancellation))
        {
            // Somebody's change of the primary distribution that was accepted would be undone by what was copied before it.
            throw new IOException($"the staging distribution {pair.Staging} is on its way to the edges");
        }

        if (order.Share < 1)
        {
            // What it says first, then that it holds: nobody gets an earlier step's share.
            policy ??= await cloudFront.GetContinuousDeploymentPolicyAsync(new GetContinuousDeploymentPolicyRequest { Id = pair.Policy }, cancellation);
            var wanted = StagingPairs.Policy(pair.Domain, order, enabled: true);
            if (StagingPairs.TrafficOf(policy.ContinuousDeploymentPolicy.ContinuousDeploymentPolicyConfig) != StagingPairs.TrafficOf(wanted))
            {
                await cloudFront.UpdateContinuousDeploymentPolicyAsync(new UpdateContinuousDeploymentPolicyRequest { Id = pair.Policy, ContinuousDeploymentPolicyConfig = wanted, IfMatch = policy.ETag }, cancellation);
            }
        }

        if (!attached)
        {
            primary = new GetDistributionResponse { ETag = await PutAsync(primary, config => config.ContinuousDeploymentPolicyId = pair.Policy, cancellation), Distribution = primary.Distribution };
        }

        if (order.Share >= 1)
        {
            var staging = await cloudFront.GetDistributionAsync(new GetDistributionRequest { Id = pair.Staging }, cancellation);
            await cloudFront.UpdateDistributionWithStagingConfigAsync(
                new UpdateDistributionWithStagingConfigRequest { Id = distribution, StagingDistributionId = pair.Staging, IfMatch = $"{primary.ETag}, {staging.ETag}" }, cancellation);
        }
    }

    /// <returns>The new ETag.</returns>
    private async Task<string> PutAsync(GetDistributionResponse primary, Action<DistributionConfig> change, CancellationToken cancellation)
    {
        var config = primary.Distribution.DistributionConfig;
        change(config);
        return (await cloudFront.UpdateDistributionAsync(new UpdateDistributionRequest { Id = distribution, DistributionConfig = config, IfMatch = primary.ETag }, cancellation)).ETag;
    }

    /// <summary>Nobody gets the staging distribution any more.</summary>
    private async Task OffAsync(EdgePair? pair, CancellationToken cancellation)
    {
        for (int conflicts = 0; pair is not null; conflicts++)
        {
            try
            {
                var policy = await cloudFront.GetContinuousDeploymentPolicyAsync(new GetContinuousDeploymentPolicyRequest { Id = pair.Policy }, cancellation);
                var config = policy.ContinuousDeploymentPolicy.ContinuousDeploymentPolicyConfig;
                if (config.Enabled == true)
                {
                    config.Enabled = false;
                    await cloudFront.UpdateContinuousDeploymentPolicyAsync(new UpdateContinuousDeploymentPolicyRequest { Id = pair.Policy, ContinuousDeploymentPolicyConfig = config, IfMatch = policy.ETag }, cancellation);
                }

                return;
            }
            catch (NoSuchContinuousDeploymentPolicyException)
            {
                return;
            }
            catch (AmazonCloudFrontException conflict) when (IsConflict(conflict) && conflicts < ConflictsMax)
            {
                // Somebody writes at the same time; read again.
            }
        }
    }

    /// <summary>What somebody else has changed; null when nothing. A read may be older than our last write, so one alone proves nothing.</summary>
    private async Task<Drift?> ChangedAsync(TargetOrder order, EdgeState seen, CancellationToken cancellation)
    {
        for (int looks = 0; ; looks++)
        {
            var (now, _, _) = await StateAsync(order, cancellation);
            // The same, or the lane's own exposure under way, or one whose answer was lost.
            if (now.Serves(seen) || (order.Step >= 0 && Agrees(now, order) && now.Rest == seen.Rest && now.Staged is "" or EdgeState.Own))
            {
                return null;
            }

            if (looks + 1 >= LooksMax)
            {
                var what = now.Rest != seen.Rest ? "; its configuration was changed" : now.Staged != seen.Staged && now.Traffic == seen.Traffic ? "; the staging distribution was changed" : "";
                return new Drift($"{distribution} sends {now}; it was {seen}{what}", ShareOf(now, order), now.ToJson());
            }

            await Task.Delay(BetweenLooks, time, cancellation);
        }
    }

    private async Task<(EdgeState Now, GetDistributionResponse Primary, GetContinuousDeploymentPolicyResponse? Policy)> StateAsync(TargetOrder order, CancellationToken cancellation)
    {
        var primary = await PrimaryAsync(cancellation);
        var pair = Pair(order);
        if (pair is null || primary.Distribution.DistributionConfig.ContinuousDeploymentPolicyId != pair.Policy)
        {
            return (StateOf(primary, "", "", pair), primary, null);
        }

        var policy = await cloudFront.GetContinuousDeploymentPolicyAsync(new GetContinuousDeploymentPolicyRequest { Id = pair.Policy }, cancellation);
        var traffic = StagingPairs.TrafficOf(policy.ContinuousDeploymentPolicy.ContinuousDeploymentPolicyConfig);
        if (traffic.Length == 0)
        {
            return (StateOf(primary, "", "", pair), primary, policy);
        }

        var staging = (await cloudFront.GetDistributionAsync(new GetDistributionRequest { Id = pair.Staging }, cancellation)).Distribution.DistributionConfig;
        var own = EdgeOrigin.Of(staging) == EdgeOrigin.Of(order.Candidate) && EdgeState.DigestOf(staging) == EdgeState.DigestOf(primary.Distribution.DistributionConfig);
        return (StateOf(primary, traffic, own ? EdgeState.Own : EdgeState.DigestOf(staging, withOrigin: true), pair), primary, policy);
    }

    private EdgeState StateOf(GetDistributionResponse primary, string traffic, string staged, EdgePair? pair)
    {
        var config = primary.Distribution.DistributionConfig;
        var policy = config.ContinuousDeploymentPolicyId ?? "";
        var origin = EdgeOrigin.Of(config)?.ToString() ?? "a group of origins";
        return new EdgeState(origin, EdgeState.DigestOf(config), policy == pair?.Policy ? "" : policy, traffic, staged, primary.ETag, time.GetUtcNow().ToUnixTimeSeconds()) { Pair = pair };
    }

    private Task<GetDistributionResponse> PrimaryAsync(CancellationToken cancellation) => cloudFront.GetDistributionAsync(new GetDistributionRequest { Id = distribution }, cancellation);

    /// <summary>Users get what the order's step asks for.</summary>
    private static bool Agrees(EdgeState now, TargetOrder order) => now.Foreign.Length == 0 && (order.Share >= 1
        ? now.Origin == EdgeOrigin.Of(order.Candidate).ToString() && now.Traffic.Length == 0
        : now.Origin == Origin(order).ToString() && now.Traffic == StagingPairs.TrafficOf(StagingPairs.Policy("", order, enabled: true)));

    private static double ShareOf(EdgeState now, TargetOrder order) => now.Origin == EdgeOrigin.Of(order.Candidate).ToString() ? 1 : now.Weight;

    private static EdgePair? Pair(TargetOrder order) => EdgeState.Parse(order.Before)?.Pair;

    /// <summary>Exactly as it was before; where nobody knows, the fallback's.</summary>
    private static EdgeOrigin Origin(TargetOrder order) => EdgeState.Parse(order.Before) is { } before && Uri.TryCreate(before.Origin, UriKind.Absolute, out var was) ? new EdgeOrigin(was.Host, was.AbsolutePath.TrimEnd('/')) : EdgeOrigin.Of(order.Fallback);

    private static int IndexOfAll(TargetOrder order)
    {
        int all = order.Steps.ToList().FindIndex(step => step.Share >= 1);
        return all >= 0 ? all : throw new TargetException("the plan has no step for everybody");
    }

    private static bool IsConflict(AmazonCloudFrontException error) => error is PreconditionFailedException or InvalidIfMatchVersionException;

    /// <summary>What the service refuses for good is the target's refusal; throttling, outages, conflicts and the network stay what they are.</summary>
    private async Task<T> Refused<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (NoSuchContinuousDeploymentPolicyException notYet)
        {
            // A read may be older than its making.
            throw new IOException(notYet.Message, notYet);
        }
        catch (AmazonCloudFrontException refusal) when (refusal.StatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests
            && !IsConflict(refusal) && refusal.ErrorCode?.Contains("hrottl", StringComparison.Ordinal) != true)
        {
            throw new TargetException(refusal.Message, refusal);
        }
        catch (JsonException unreadable)
        {
            throw new TargetException($"what was kept of {distribution} can't be read", unreadable);
        }
    }
}
