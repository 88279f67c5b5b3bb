using Amazon.Lambda;
using Amazon.Lambda.Model;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Lambda;

/// <summary>
/// An alias of a Lambda function as a target of rollouts. Every write is conditional on the alias's revision and on what was last seen of it; README.md tells the life of a
/// rollout. One instance serves one alias; it keeps the highest fence it has seen and the versions that it has found.
/// </summary>
/// <param name="metrics">Requests and errors by version; null where nobody asks for them.</param>
/// <param name="changes">Who changed the alias; null where nobody can be asked.</param>
public sealed class LambdaAliasTarget(IAmazonLambda lambda, string function, string alias, LambdaMetrics? metrics, TrailedChanges? changes, TimeProvider time) : ITarget
{
    private const int ConflictsMax = 5;
    private const int LooksMax = 4;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);
    private readonly LambdaVersions _versions = new(lambda, function, time);
    private readonly Fences _fences = new();

    /// <summary>The last epoch in which this process has written a return.</summary>
    private long _returned;

    public Capabilities Capabilities { get; } = new()
    {
        PerVariantMetrics = metrics is not null,
        CompareAndSwap = true,
        Features = new HashSet<string>(StringComparer.Ordinal) { PlanFeatures.Test },
    };

    public Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Forecast(0, [.. order.Steps.Select(step => new StepForecast(0, step.Share == 0
        ? "nobody; the version by its number only"
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{step.Share:0.##%} of the requests of {function}:{alias}")))]));

    /// <summary>Publishes the candidate as a version. <exception cref="IOException">Lambda is not done yet.</exception></summary>
    public Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        if (order.Steps.Any(step => step.Group is not null))
        {
            return new Preparation(0, "an alias has no groups");
        }

        if (await _versions.FindAsync(order.Fallback, cancellation) is not { } fallback)
        {
            return new Preparation(0, $"no version of {function} is {order.Fallback}: there would be no way back");
        }

        var now = await StateAsync(cancellation);
        // What users have now must be known, or returning to the fallback would move them.
        HashSet<string> known = [fallback];
        foreach (var before in order.Predecessors)
        {
            if (await _versions.MarkedAsync(before.Release, before.Digest, cancellation) is { } version)
            {
                known.Add(version);
            }
        }

        if (known.Sum(now.ShareOf) < 1 - 1e-9 && AliasState.Parse(order.Seen)?.Serves(now) != true)
        {
            return new Preparation(0, $"{function}:{alias} sends {now}, not everything to the fallback {order.Fallback} (version {fallback})");
        }

        _fences.Pass(order);
        var candidate = await _versions.PublishAsync(order.Candidate, cancellation);
        if (candidate == fallback)
        {
            return new Preparation(0, $"{order.Candidate} and {order.Fallback} are the same version {candidate} of {function}");
        }

        var (old, young) = (await _versions.SettledAsync(fallback, cancellation), await _versions.SettledAsync(candidate, cancellation));
        if (old.Role != young.Role || old.DeadLetterConfig?.TargetArn != young.DeadLetterConfig?.TargetArn)
        {
            return new Preparation(0, $"versions {fallback} and {candidate} of {function} differ in role or dead-letter queue, so that no alias can split requests between them");
        }

        return new Preparation(0, Before: now.ToJson(), Seen: now.ToJson());
    });

    public Task ExposeAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        await WriteAsync(order, await WantedAsync(order, cancellation), cancellation);
        return true;
    });

    public Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var (wanted, now) = (await WantedAsync(order, cancellation), await StateAsync(cancellation));
        var agrees = now.Serves(wanted);
        // What is counted from when it holds must not begin anew because somebody looked.
        now = AliasState.Parse(order.Seen) is { } seen && seen.Serves(now) ? now with { Since = seen.Since } : now;
        return new Reading(agrees, now.ShareOf(await CandidateAsync(order, cancellation)), $"{function}:{alias} sends {now}", Seen: agrees ? now.ToJson() : null);
    });

    public Task RenewAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        if (AliasState.Parse(order.Seen) is { } seen && await ChangedAsync(order, seen, cancellation) is { } drift)
        {
            throw new DriftException(drift);
        }

        return true;
    });

    /// <summary>Does nothing: an alias has nothing queued, and weights stay as they are.</summary>
    public Task HoldAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>All requests to the candidate; the fallback's version stays published.</summary>
    public Task PromoteAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        await WriteAsync(order, new AliasState(await CandidateAsync(order, cancellation), null, 0, "", 0), cancellation);
        return true;
    });

    public Task RestoreAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        _fences.Pass(order);
        var wanted = await RestoredAsync(order, cancellation);
        for (int conflicts = 0; ; conflicts++)
        {
            var now = await StateAsync(cancellation);
            if (now.Serves(wanted) && Volatile.Read(ref _returned) == order.Fence.Epoch)
            {
                return true;
            }

            try
            {
                // Once also where it changes nothing: a read may be older than the exposure, and an exposure still under way must find another revision.
                await PutAsync(wanted, now.RevisionId, cancellation);
                Volatile.Write(ref _returned, order.Fence.Epoch);
                return true;
            }
            catch (PreconditionFailedException) when (conflicts < ConflictsMax)
            {
                // Somebody writes at the same time, or the read was old. Whatever it was, users go back.
            }
        }
    });

    public Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var (wanted, now) = (await RestoredAsync(order, cancellation), await StateAsync(cancellation));
        // The return wrote, so the revision from before the rollout is that of a read which is older than all of it, and looks like a return that is done.
        return new Restoration(now.Serves(wanted) && now.RevisionId != AliasState.Parse(order.Before)?.RevisionId, $"{function}:{alias} sends {now}");
    });

    public async Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation) => metrics is null || AliasState.Parse(order.Before) is not { } before
        ? null
        : await metrics.ReadAsync(function, alias, await CandidateAsync(order, cancellation), await FallbackAsync(order, cancellation), before, AliasState.Parse(order.Seen), cancellation);

    public async Task<string> AuthorAsync(TargetOrder order, Drift drift, CancellationToken cancellation) => changes is null || AliasState.Parse(drift.Seen) is not { } seen
        ? ""
        : await changes.AuthorAsync("UpdateAlias20150331", request => seen.IsMadeBy(request, function, alias), DateTimeOffset.FromUnixTimeSeconds(seen.Since), cancellation);

    /// <summary>
    /// Writes unless it holds already, and only over what was last seen. The revision is that of a read of the same content: a write that changes nothing, by somebody else, is
    /// no reason to stop, and one that does is met by a conflict.
    /// </summary>
    private async Task WriteAsync(TargetOrder order, AliasState wanted, CancellationToken cancellation)
    {
        _fences.Pass(order);
        for (int conflicts = 0; ; conflicts++)
        {
            var now = await StateAsync(cancellation);
            if (now.Serves(wanted))
            {
                return;
            }

            if (AliasState.Parse(order.Seen) is { } seen && !now.Serves(seen))
            {
                if (await ChangedAsync(order, seen, cancellation) is { } drift)
                {
                    throw new DriftException(drift);
                }

                // The read was old; the next one is compared anew.
                if (conflicts >= ConflictsMax)
                {
                    throw new IOException($"what AWS says of {function}:{alias} is older than what was seen of it");
                }

                continue;
            }

            try
            {
                _fences.Pass(order);
                await PutAsync(wanted, now.RevisionId, cancellation);
                return;
            }
            catch (PreconditionFailedException) when (conflicts < ConflictsMax)
            {
                // Read again: what made it fail is either the same content or a change to stop at.
            }
        }
    }

    /// <summary>What somebody else has changed; null when nothing. A read may be older than our last write, so one alone proves nothing.</summary>
    private async Task<Drift?> ChangedAsync(TargetOrder order, AliasState seen, CancellationToken cancellation)
    {
        for (int looks = 0; ; looks++)
        {
            var now = await StateAsync(cancellation);
            if (now.Serves(seen))
            {
                return null;
            }

            // The lane's own exposure under way, or one whose answer was lost.
            if (order.Step >= 0 && now.Serves(await WantedAsync(order, cancellation)))
            {
                return null;
            }

            if (looks + 1 >= LooksMax)
            {
                return new Drift($"{function}:{alias} sends {now}; it was {seen}", now.ShareOf(await CandidateAsync(order, cancellation)), now.ToJson());
            }

            await Task.Delay(BetweenLooks, time, cancellation);
        }
    }

    private Task PutAsync(AliasState wanted, string revisionId, CancellationToken cancellation) => lambda.UpdateAliasAsync(
        new UpdateAliasRequest
        {
            FunctionName = function,
            Name = alias,
            FunctionVersion = wanted.Version,
            RevisionId = revisionId,
            // Sent also when it is empty: left out, the weights would stay.
            RoutingConfig = new AliasRoutingConfiguration { AdditionalVersionWeights = wanted.Added is { } added ? new() { [added] = wanted.Weight } : [] },
        },
        cancellation);

    private async Task<AliasState> StateAsync(CancellationToken cancellation) =>
        AliasState.Of(await lambda.GetAliasAsync(new GetAliasRequest { FunctionName = function, Name = alias }, cancellation), time.GetUtcNow());

    /// <summary>What the order's step asks for.</summary>
    private async Task<AliasState> WantedAsync(TargetOrder order, CancellationToken cancellation)
    {
        var (candidate, fallback) = (await CandidateAsync(order, cancellation), await FallbackAsync(order, cancellation));
        return order.Share switch
        {
            >= 1 => new AliasState(candidate, null, 0, "", 0),
            <= 0 => new AliasState(fallback, null, 0, "", 0),
            var share => new AliasState(fallback, candidate, share, "", 0),
        };
    }

    /// <summary>Exactly as it was before; where nobody knows, everything to the fallback.</summary>
    private async Task<AliasState> RestoredAsync(TargetOrder order, CancellationToken cancellation) =>
        AliasState.Parse(order.Before) ?? new AliasState(await FallbackAsync(order, cancellation), null, 0, "", 0);

    private async Task<string> CandidateAsync(TargetOrder order, CancellationToken cancellation) =>
        await _versions.FindAsync(order.Candidate, cancellation) ?? throw new TargetException($"no version of {function} is {order.Candidate} any more");

    private async Task<string> FallbackAsync(TargetOrder order, CancellationToken cancellation) =>
        await _versions.FindAsync(order.Fallback, cancellation) ?? throw new TargetException($"no version of {function} is {order.Fallback} any more");

    /// <summary>What the service refuses for good is the target's refusal; throttling, outages, conflicts and the network stay what they are.</summary>
    private static async Task<T> Refused<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonLambdaException refusal) when (refusal is ResourceNotFoundException or InvalidParameterValueException or CodeStorageExceededException
            or CodeSigningConfigNotFoundException or CodeVerificationFailedException or InvalidCodeSignatureException)
        {
            throw new TargetException(refusal.Message, refusal);
        }
    }
}
