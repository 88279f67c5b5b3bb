using System.Collections.Concurrent;
using System.Globalization;
using Amazon.IoT;
using Amazon.IoT.Model;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Aws.S3;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>
/// Fleets on AWS IoT Jobs, named shadows and fleet indexing, or on whatever speaks the same. An order's target is the name of the fleet's thing group.
/// One instance serves every fleet of an account; it keeps no state but the fences it has seen. README.md tells the life of a rollout.
/// </summary>
public sealed class IotFleet : ITarget
{
    /// <summary>AWS's limit on a job document, characters.</summary>
    public const int DocumentCharsMax = 32_768;

    private readonly IAmazonIoT _iot;
    private readonly IotFleetOptions _options;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _startedAt;
    private readonly long _startedStamp;
    private readonly FleetIndex _index;
    private readonly FleetJobs _jobs;
    private readonly ConcurrentDictionary<string, string> _groupArns = new(StringComparer.Ordinal);
    private readonly Fences _fences = new();

    private readonly FirmwareBucket? _firmware;
    private readonly FirmwareEdge? _edge;

    /// <param name="firmware">Where devices fetch images from; null where the service that they are registered with has them already.</param>
    /// <param name="edge">What hands them out from there; null where devices fetch from the bucket itself.</param>
    public IotFleet(IAmazonIoT iot, IotFleetOptions options, TimeProvider time, FirmwareBucket? firmware = null, FirmwareEdge? edge = null)
    {
        _iot = iot;
        (_firmware, _edge) = (firmware, edge);
        _options = options;
        _time = time;
        (_startedAt, _startedStamp) = (time.GetUtcNow(), time.GetTimestamp());
        _index = new FleetIndex(iot);
        _jobs = new FleetJobs(iot, options, edge, time);
    }

    public Capabilities Capabilities { get; } = new()
    {
        ShareStep = 1.0 / Cohorts.Count,
        Groups = true,
        Restore = RestoreKind.Redeploy,
        PerVariantMetrics = true,
        Features = new HashSet<string>(StringComparer.Ordinal) { PlanFeatures.RatePerMinuteMax },
    };

    /// <summary>What the ids of all jobs begin with that this lane ever makes; a check tells others' jobs by it.</summary>
    public static string JobPrefix(TargetOrder order) => new JobNames(order).OfLane;

    /// <summary>The lane's, and those of the lanes that it took over.</summary>
    public static IReadOnlyList<string> JobPrefixes(TargetOrder order) => [JobPrefix(order), .. order.Predecessors.Select(before => new JobNames(order, before).OfLane)];

    /// <summary>
    /// Seconds since the epoch, to compare devices' own times with. Read from the wall once and counted on from there: a clock that is set, here, must make no device silent,
    /// or a good rollout would be taken back, and a return be done while devices that can be reached still run the candidate.
    /// </summary>
    private long Now => (_startedAt + _time.GetElapsedTime(_startedStamp)).ToUnixTimeSeconds();

    public Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException(async () =>
    {
        List<StepForecast> steps = [];
        for (var step = 0; step < order.Steps.Count; step++)
        {
            var groups = Waves.Added(order, step);
            var wave = Waves.Of(order, step, groups);
            var names = groups.Select(group => group[(order.Target.Length + 1)..]).ToList();
            var who = order.Steps[step].Group is { } lab ? $"group {lab}"
                : names.Count == 0 ? "nobody"
                : $"{names.Count} {(names.Count == 1 ? "cohort" : "cohorts")}: {string.Join(' ', names.Take(10))}{(names.Count > 10 ? " ..." : "")}";
            steps.Add(new StepForecast(groups.Count == 0 ? 0 : await _index.CountAsync(FleetQuery.Within(wave, "*"), cancellation), who));
        }

        return new Forecast(await _index.CountAsync(FleetQuery.InGroup(order.Target), cancellation), steps);
    });

    public Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException(async () =>
    {
        if (Problem(order) is { } problem)
        {
            return new Preparation(0, problem);
        }

        await WithdrawPredecessors(order, cancellation);

        var indexing = (await _iot.GetIndexingConfigurationAsync(new GetIndexingConfigurationRequest(), cancellation)).ThingIndexingConfiguration;
        if (indexing?.ThingIndexingMode != ThingIndexingMode.REGISTRY_AND_SHADOW || indexing.NamedShadowIndexingMode != NamedShadowIndexingMode.ON)
        {
            return new Preparation(0, "fleet indexing does not cover the registry and named shadows, so what devices run could not be seen");
        }

        foreach (var group in order.Steps.Select(s => s.Group).OfType<string>().Select(g => Waves.Group(order.Target, g)).Prepend(order.Target))
        {
            if (await TryGroupArn(group, cancellation) is null)
            {
                return new Preparation(0, $"there is no thing group {group}");
            }
        }

        var missing = await MissingCohorts(order.Target, cancellation);
        if (missing > 0)
        {
            return new Preparation(0, $"{missing} of the {Cohorts.Count} cohorts of {order.Target} are missing");
        }

        var members = await _index.CountAsync(FleetQuery.InGroup(order.Target), cancellation);
        // The way back first: what is exposed must be able to return.
        foreach (var release in _firmware is null ? [] : new[] { order.Fallback, order.Candidate })
        {
            var sha256 = release.Image?.Sha256 ?? release.Digest["sha256:".Length..];
            if (await _firmware!.PutAsync(sha256, cancellation) is { } progress)
            {
                return new Preparation(members, Pending: progress);
            }

            if (_edge is not null && await _edge.RefreshAsync(sha256, cancellation) is { } waiting)
            {
                return new Preparation(members, Pending: waiting);
            }
        }

        return new Preparation(members);
    });

    public Task ExposeAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException(async () =>
    {
        _fences.Pass(order);
        await WithdrawPredecessors(order, cancellation);
        var names = new JobNames(order);
        for (var step = 0; step <= order.Step; step++)
        {
            if (Waves.Added(order, step) is not { Count: > 0 } groups)
            {
                continue;
            }

            var description = $"{order.Candidate} for {order.Target}: rollout {order.Rollout}, lane {order.Lane}, step {step + 1}, attempt {order.Attempt}";
            var request = _jobs.Request(names.Update(step, order.Attempt), await Arns(order.Target, groups, cancellation), description, order.RatePerMinuteMax);
            // Continuous: a device that is enrolled into an exposed cohort later is offered the same as its neighbours.
            request.TargetSelection = TargetSelection.CONTINUOUS;
            request.AbortConfig = new AbortConfig
            {
                CriteriaList =
                [
                    new AbortCriteria
                    {
                        Action = AbortAction.CANCEL,
                        FailureType = JobExecutionFailureType.ALL,
                        ThresholdPercentage = _options.AbortPercent,
                        MinNumberOfExecutedThings = _options.AbortAfterDevices,
                    },
                ],
            };
            _fences.Pass(order);
            await _jobs.EnsureAsync(request, order.Candidate, cancellation);
        }

        return true;
    });

    public Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException(async () =>
    {
        var names = new JobNames(order);
        long offered = 0, eligible = 0;
        var agrees = true;
        double share = 0;
        var detail = "";
        for (var step = 0; step <= order.Step; step++)
        {
            if (Waves.Added(order, step) is not { Count: > 0 } groups)
            {
                continue;
            }

            var wave = Waves.Of(order, step, groups);
            var members = await _index.CountAsync(FleetQuery.Within(wave, "*"), cancellation);
            var job = await _jobs.FindAsync(names.Update(step, order.Attempt), cancellation);
            var has = job is null ? 0 : FleetJobs.Offered(job);
            (offered, eligible) = (offered + has, eligible + members);
            if (job is null || (job.Status != JobStatus.IN_PROGRESS && job.Status != JobStatus.COMPLETED) || has < members)
            {
                agrees = false;
                detail = job is null ? $"step {step + 1} has no job yet"
                    : job.Status == JobStatus.CANCELED ? $"the job {job.JobId} is withdrawn ({job.ReasonCode ?? "no reason given"})"
                    : $"step {step + 1}: {has} of {members} devices are offered it";
            }
            else if (agrees)
            {
                share = Math.Max(share, order.Steps[step].Share);
            }
        }

        if (agrees && await _jobs.OffersAsync(JobNames.PredecessorsUpdates(order), [], cancellation) is { None: false } others)
        {
            (agrees, detail) = (false, others.Say(string.Join(" or ", order.Predecessors.Select(before => before.Release))));
        }

        return new Reading(agrees, share, agrees ? $"{offered} devices are offered {order.Candidate}" : detail, offered, eligible);
    });

    /// <summary>Does nothing: devices keep what they have, and queued executions stay queued.</summary>
    public Task RenewAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

    public Task HoldAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException(async () =>
    {
        _fences.Pass(order);
        var names = new JobNames(order);
        var offers = await _jobs.OffersAsync([names.OfUpdates], names.Updates(order), cancellation);
        await _jobs.WithdrawAsync(offers, "HELD", $"rollout {order.Rollout} is paused", cancellation);
        // Whoever asked for the hold asks again until there is nothing left to take back.
        return offers.Coming == 0 ? true : throw new IOException(offers.Say(order.Candidate.ToString()));
    });

    public Task PromoteAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException(async () =>
    {
        _fences.Pass(order);
        var names = new JobNames(order);
        // What earlier rollouts still offer to devices that were away would take these back.
        var offers = await _jobs.OffersAsync(names.OfFleetWhateverAgent, [], cancellation);
        await _jobs.WithdrawAsync(offers with { Jobs = [.. offers.Jobs.Where(id => !id.StartsWith(names.OfLane, StringComparison.Ordinal))] }, "SUPERSEDED", $"superseded by rollout {order.Rollout}", cancellation);
        return true;
    });

    public Task RestoreAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException(async () =>
    {
        _fences.Pass(order);
        var names = new JobNames(order);
        // First nobody new, then back: a device that begins now would only have to return.
        var updates = JobNames.AllUpdates(order);
        await _jobs.WithdrawAsync(await _jobs.OffersAsync(updates, names.Updates(order), cancellation), "ROLLED_BACK", $"rollout {order.Rollout} is taken back", cancellation);
        var returning = Waves.Exposed(order).First(order.RestoreShare);
        if (returning.Count > 0)
        {
            var description = $"return from {order.Candidate} to {order.Fallback} for {order.Target}: rollout {order.Rollout}, lane {order.Lane}";
            // Each part of a return names everything that is to be back by then. For who is back already there is nothing to do,
            // and who failed tries once more. A snapshot, for a return must not meet devices enrolled after it.
            foreach (var (part, groups) in returning.Groups.Chunk(TargetsMax).Index())
            {
                var request = _jobs.Request(names.Return(returning.Count, part), await Arns(order.Target, groups, cancellation), description, order.RatePerMinuteMax);
                request.TargetSelection = TargetSelection.SNAPSHOT;
                await _jobs.EnsureAsync(request, order.Fallback, cancellation);
            }
        }

        await _jobs.EndStragglersAsync(updates, cancellation);
        return true;
    });

    public Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException(async () =>
    {
        var names = new JobNames(order);
        var exposed = Waves.Exposed(order).First(order.RestoreShare);
        var offering = await _jobs.OffersAsync(JobNames.AllUpdates(order), names.Updates(order), cancellation);
        if (exposed.Count == 0)
        {
            return new Restoration(offering.None, offering.None ? "nothing was exposed" : offering.Say(order.Candidate.ToString()));
        }

        // The parts are created in order, so the last one stands for all.
        var told = await _jobs.FindAsync(names.Return(exposed.Count, (exposed.Count - 1) / TargetsMax), cancellation) is not null;
        var outcomes = new ReturnOutcomes(order, Now);
        var candidate = await Count(outcomes.Candidate);
        var back = await Count(outcomes.Returned);
        var failed = await Count(outcomes.Failed);
        var silent = await Count(outcomes.Silent);
        var detail = !offering.None ? offering.Say(order.Candidate.ToString())
            : !told ? "the return is not ordered yet"
            : candidate > 0 ? $"{candidate} reachable devices still run {order.Candidate} or install it"
            : $"{back} devices are back on {order.Fallback}";
        return new Restoration(offering.None && told && candidate == 0, detail, candidate, back, failed, silent + failed);

        Task<long> Count(string condition) => _index.CountAsync(FleetQuery.Within(exposed, condition), cancellation);
    });

    public Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation) => RefusedAsTargetException<Observation?>(async () =>
    {
        if (order.Step < 0)
        {
            return null;
        }

        var names = new JobNames(order);
        var now = Now;
        var outcomes = new FleetOutcomes(names.OfUpdates, order, now);
        var starts = await _index.ByStartAsync(outcomes.Started, 0, now + FleetOutcomes.ClockSkewSeconds, cancellation);
        var (first, last) = starts.Count == 0 ? (0L, 0L) : (starts.Keys.First(), starts.Keys.Last());
        var healthy = await By(outcomes.Healthy);
        var failed = await By(outcomes.Failed);
        var silent = await By(outcomes.Silent);
        var dark = starts.Count == 0 ? 0 : await _index.CountAsync(outcomes.Dark, cancellation);
        var refused = starts.Count == 0 ? 0 : await _index.CountAsync(outcomes.Refused, cancellation);

        var (offered, queued) = await Offered(order, names, cancellation);
        var reachable = await _index.CountAsync(
            FleetQuery.Within(Waves.Exposed(order), FleetQuery.HeardSince(now - (long)_options.ReachableWithin.TotalSeconds)), cancellation);
        return new FleetObservation(
            offered,
            Math.Min(reachable, offered),
            queued,
            // A device that started between the first count and a later one is left out of it: no bucket may end more than it started.
            [.. starts.Select(s => Bucket(s.Key, s.Value))],
            dark,
            refused,
            failed.Count + silent.Count == 0 ? [] : await Causes(outcomes, silent.Values.Sum(), cancellation));

        async Task<SortedDictionary<long, long>> By(string condition) =>
            starts.Count == 0 ? [] : await _index.ByStartAsync(condition, first, last, cancellation);

        StartBucket Bucket(long second, long started)
        {
            var bad = Math.Min(started, failed.GetValueOrDefault(second));
            var lost = Math.Min(started - bad, silent.GetValueOrDefault(second));
            return new StartBucket(second, started, Math.Min(started - bad - lost, healthy.GetValueOrDefault(second)), bad, lost);
        }
    });

    private const int TargetsMax = 100;

    /// <summary>What a rollout that was taken over still offers would meet what this one brings. Again with each exposure, for one of its last calls may have been under way.</summary>
    private async Task WithdrawPredecessors(TargetOrder order, CancellationToken cancellation)
    {
        if (order.Predecessors.Count > 0)
        {
            _fences.Pass(order);
            await _jobs.WithdrawAsync(await _jobs.OffersAsync(JobNames.PredecessorsUpdates(order), [], cancellation), "SUPERSEDED", $"superseded by rollout {order.Rollout}", cancellation);
        }
    }

    private string? Problem(TargetOrder order)
    {
        if ((order.Candidate.Image is null ? Documents(order) : Images(order)) is { } unfit)
        {
            return unfit;
        }

        foreach (var step in order.Steps.Where(s => s.Group is null))
        {
            var cohorts = step.Share * Cohorts.Count;
            if (double.IsNaN(cohorts) || cohorts is < 0 or > Cohorts.Count || Math.Abs(cohorts - Math.Round(cohorts)) > 1e-6)
            {
                return string.Create(CultureInfo.InvariantCulture, $"a share of {step.Share} is not a number of cohorts: a fleet is exposed in hundredths");
            }
        }

        return null;
    }

    private string? Documents(TargetOrder order) =>
        !Fits(order.Candidate.Document) ? $"{order.Candidate} needs a signed update document of at most {DocumentCharsMax} characters"
        : !Fits(order.Fallback.Document) ? $"{order.Fallback} needs a signed return document of at most {DocumentCharsMax} characters"
        : null;

    /// <summary>FreeRTOS's agent takes what is higher than what it runs, also on the way back.</summary>
    private static string? Images(TargetOrder order) => order.Fallback.Image is { } twin && ReleaseVersion.Compare(twin.Version, order.Candidate.Image!.Version) > 0 ? null
        : $"devices with FreeRTOS's OTA agent refuse {order.Fallback} after {order.Candidate}, for it is lower: publish its code under a higher version, as its twin";

    private bool Fits(string? document) => document is { Length: > 0 } && (_edge?.Linked(document) ?? document).Length <= DocumentCharsMax;

    private async Task<(long Offered, long Queued)> Offered(TargetOrder order, JobNames names, CancellationToken cancellation)
    {
        long offered = 0, queued = 0;
        for (var step = 0; step <= order.Step; step++)
        {
            long most = 0;
            for (var attempt = 1; attempt <= order.Attempt; attempt++)
            {
                if (await _jobs.FindAsync(names.Update(step, attempt), cancellation) is { } job)
                {
                    most = Math.Max(most, FleetJobs.Offered(job));
                    queued += job.JobProcessDetails?.NumberOfQueuedThings ?? 0;
                }
            }

            offered += most;
        }

        return (offered, queued);
    }

    private async Task<IReadOnlyList<CauseCount>> Causes(FleetOutcomes outcomes, long silent, CancellationToken cancellation)
    {
        const int ReasonsMax = 20;
        var causes = (await _index.BucketsAsync(outcomes.FailedToInstall, FleetQuery.Reason, ReasonsMax, cancellation)).Select(b => new CauseCount(b.Key, b.Count)).ToList();
        var unhealthy = await _index.CountAsync(outcomes.Unhealthy, cancellation);
        if (unhealthy > 0)
        {
            causes.Add(new CauseCount("UNHEALTHY", unhealthy));
        }

        if (silent > 0)
        {
            causes.Add(new CauseCount("SILENT", silent));
        }

        return causes;
    }

    private async Task<int> MissingCohorts(string fleet, CancellationToken cancellation)
    {
        var missing = Enumerable.Range(0, Cohorts.Count).Select(c => Waves.Cohort(fleet, c)).ToHashSet(StringComparer.Ordinal);
        string? next = null;
        do
        {
            var page = await _iot.ListThingGroupsAsync(
                new ListThingGroupsRequest { NamePrefixFilter = fleet + "-c", Recursive = true, MaxResults = 250, NextToken = next }, cancellation);
            missing.ExceptWith((page.ThingGroups ?? []).Select(g => g.GroupName));
            next = page.NextToken;
        }
        while (!string.IsNullOrEmpty(next) && missing.Count > 0);
        return missing.Count;
    }

    /// <summary>The ARNs of groups follow from the fleet's own, so that no wave needs a call per cohort.</summary>
    private async Task<IReadOnlyList<string>> Arns(string fleet, IReadOnlyList<string> groups, CancellationToken cancellation)
    {
        var arn = await TryGroupArn(fleet, cancellation) ?? throw new TargetException($"there is no thing group {fleet}");
        var stem = arn[..(arn.LastIndexOf('/') + 1)];
        return [.. groups.Select(g => stem + g)];
    }

    private async Task<string?> TryGroupArn(string group, CancellationToken cancellation)
    {
        if (_groupArns.TryGetValue(group, out var known))
        {
            return known;
        }

        try
        {
            var arn = (await _iot.DescribeThingGroupAsync(new DescribeThingGroupRequest { ThingGroupName = group }, cancellation)).ThingGroupArn;
            return _groupArns[group] = arn;
        }
        catch (ResourceNotFoundException)
        {
            return null;
        }
    }

    /// <summary>What the service refuses for good is the target's refusal; throttling, outages and the network stay what they are.</summary>
    private static async Task<T> RefusedAsTargetException<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonIoTException refusal) when (refusal is InvalidRequestException or ResourceNotFoundException or LimitExceededException
            or InvalidQueryException or InvalidAggregationException or UnauthorizedException or InvalidStateTransitionException)
        {
            throw new TargetException(refusal.Message, refusal);
        }
    }
}
