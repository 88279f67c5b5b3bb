using System.Globalization;
using Amazon.CodeDeploy;
using Amazon.CodeDeploy.Model;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.CodeDeploy;

/// <summary>
/// A deployment group of CodeDeploy as a target of rollouts: everybody or nobody is on the candidate, and how the traffic moves in between is CodeDeploy's own configuration. Every
/// deployment is known by its description, for a create has no token; README.md tells the life of a rollout. One instance serves one group.
/// </summary>
public sealed class CodeDeployTarget(IAmazonCodeDeploy deploy, string application, string group, TimeProvider time) : ITarget
{
    private const int BatchMax = 25;
    private const int ReturnsMax = 3;

    /// <summary>How far the service's clock may be behind ours.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(10);
    private readonly Fences _fences = new();

    public Capabilities Capabilities { get; } = new()
    {
        PartialShareMax = 0,
        CanPause = false,
        CanBeTakenOver = false,
        Restore = RestoreKind.Redeploy,
        Features = new HashSet<string>(StringComparer.Ordinal) { PlanFeatures.Test },
    };

    private string Name => $"{application}/{group}";

    public Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation) =>
        Task.FromResult(new Forecast(0, [.. order.Steps.Select(step => new StepForecast(0, step.Share == 0 ? "nobody" : $"everybody behind {Name}, as its configuration moves the traffic"))]));

    public Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        if (order.Steps.Any(step => step.Group is not null || step.Share is not (0 or 1)))
        {
            return new Preparation(0, "CodeDeploy knows everybody and nobody: steps of 0 and 1");
        }

        var now = await GroupAsync(cancellation);
        _ = Revision.Of(now.ComputePlatform, order.Fallback, order.Candidate);
        if (now.LastAttemptedDeployment is { } last && IsActive(last.Status))
        {
            return new Preparation(0, $"deployment {last.DeploymentId} of {Name} is under way");
        }

        if (now.LastSuccessfulDeployment is { } good && !Revision.Brings((await DeploymentAsync(good.DeploymentId, cancellation)).Revision, now.ComputePlatform, order.Fallback))
        {
            return new Preparation(0, $"{Name} runs what deployment {good.DeploymentId} brought, not the fallback {order.Fallback}");
        }

        if (now.LastSuccessfulDeployment is null && now.ComputePlatform != ComputePlatform.Lambda)
        {
            return new Preparation(0, $"nothing was ever deployed to {Name}, so there would be no way back");
        }

        var state = State(now).ToJson();
        return new Preparation(0, Before: state, Seen: state);
    });

    public Task ExposeAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        _fences.Pass(order);
        var now = await GroupAsync(cancellation);
        if (order.Share <= 0 && !WaitsWhenReady(now))
        {
            return true;
        }

        var last = now.LastAttemptedDeployment?.DeploymentId ?? "";
        var ours = await NewestAsync(order, "forward", cancellation);
        // The group and the list may each be older than our last write: who knows of ours is believed.
        var newest = last.Length == 0 || last == ours?.DeploymentId ? ours : await DeploymentAsync(last, cancellation);
        if (ours is not null && newest?.RollbackInfo?.RollbackTriggeringDeploymentId == ours.DeploymentId)
        {
            // CodeDeploy took it back itself.
            Unfailed(ours);
        }

        ours = IsOurs(newest, order, "forward") || ours?.CreateTime < newest?.CreateTime ? newest : ours;
        if (ours is null || !IsOurs(ours, order, "forward"))
        {
            if (GroupState.Parse(order.Seen) is { } seen && last != seen.Last)
            {
                throw await IsNewerAsync(newest, seen, cancellation) ? new DriftException(Drifted(newest!)) : new IOException($"what CodeDeploy says of {Name} is older than what was seen of it");
            }

            await CreateAsync(order, "forward", order.Attempt, Revision.Of(now.ComputePlatform, order.Fallback, order.Candidate), cancellation);
            return true;
        }

        Unfailed(ours);
        if (order.Share >= 1 && ours.Status == DeploymentStatus.Ready)
        {
            await ContinueAsync(ours.DeploymentId, DeploymentWaitType.READY_WAIT, cancellation);
        }

        return true;
    });

    public Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var now = await GroupAsync(cancellation);
        var ours = await NewestAsync(order, "forward", cancellation);
        if (order.Share <= 0 && !WaitsWhenReady(now))
        {
            return new Reading(true, 0, $"nothing is deployed to {Name} yet", Seen: State(now).ToJson());
        }

        if (ours is null)
        {
            return new Reading(false, 0, $"{Name} has no deployment yet");
        }

        Unfailed(ours);
        var moved = ours.Status == DeploymentStatus.Succeeded || ours.Status == DeploymentStatus.Baking;
        var agrees = order.Share <= 0 ? ours.Status == DeploymentStatus.Ready : moved;
        return new Reading(agrees, moved ? 1 : 0, $"deployment {ours.DeploymentId} is {ours.Status}", Seen: agrees ? new GroupState(ours.DeploymentId, time.GetUtcNow().ToUnixTimeSeconds()).ToJson() : null);
    });

    public Task RenewAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var last = (await GroupAsync(cancellation)).LastAttemptedDeployment?.DeploymentId ?? "";
        if (GroupState.Parse(order.Seen) is { } seen && last.Length > 0 && last != seen.Last && await DeploymentAsync(last, cancellation) is var theirs
            && !IsOurs(theirs, order, "forward") && await IsNewerAsync(theirs, seen, cancellation))
        {
            throw new DriftException(Drifted(theirs));
        }

        return true;
    });

    /// <summary>Does nothing: CodeDeploy has no pause of ours.</summary>
    public Task HoldAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Lets CodeDeploy end the old side, where it waits for that.</summary>
    public Task PromoteAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        _fences.Pass(order);
        if (await NewestAsync(order, "forward", cancellation) is { } ours && ours.Status == DeploymentStatus.Baking)
        {
            await ContinueAsync(ours.DeploymentId, DeploymentWaitType.TERMINATION_WAIT, cancellation);
        }

        return true;
    });

    public Task RestoreAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        _fences.Pass(order);
        var forward = await ForwardAsync(order, cancellation);
        if (forward is null)
        {
            return true;
        }

        if (IsActive(forward.Status))
        {
            try
            {
                await deploy.StopDeploymentAsync(new StopDeploymentRequest { DeploymentId = forward.DeploymentId, AutoRollbackEnabled = true }, cancellation);
            }
            catch (DeploymentAlreadyCompletedException)
            {
                // It ended a moment ago: the next look says how.
            }

            return true;
        }

        if (forward.Status != DeploymentStatus.Succeeded && (Rollback(forward) is not { } by || !IsBad(await DeploymentAsync(by, cancellation))))
        {
            return true;
        }

        var returns = await OursAsync(order, "return", cancellation);
        if (returns.Count > 0 && !IsBad(returns[^1]))
        {
            // A group that waits on the way there waits on the way back too.
            if (returns[^1].Status == DeploymentStatus.Ready || returns[^1].Status == DeploymentStatus.Baking)
            {
                await ContinueAsync(returns[^1].DeploymentId, returns[^1].Status == DeploymentStatus.Ready ? DeploymentWaitType.READY_WAIT : DeploymentWaitType.TERMINATION_WAIT, cancellation);
            }

            return true;
        }

        if (returns.Count >= ReturnsMax)
        {
            throw new TargetException($"{returns.Count} deployments back failed, {returns[^1].DeploymentId} at last: {returns[^1].ErrorInformation?.Message}");
        }

        var platform = (await GroupAsync(cancellation)).ComputePlatform;
        await CreateAsync(order, "return", returns.Count + 1, Revision.Of(platform, order.Candidate, order.Fallback), cancellation);
        return true;
    });

    public Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var forward = await ForwardAsync(order, cancellation);
        if (forward is null)
        {
            return new Restoration(true, $"nothing was deployed to {Name}");
        }

        if (IsActive(forward.Status))
        {
            return new Restoration(false, $"deployment {forward.DeploymentId} is {forward.Status}");
        }

        if (await NewestAsync(order, "return", cancellation) is { } back)
        {
            return new Restoration(back.Status == DeploymentStatus.Succeeded, $"deployment {back.DeploymentId} back is {back.Status}");
        }

        if (forward.Status == DeploymentStatus.Succeeded)
        {
            return new Restoration(false, $"deployment {forward.DeploymentId} succeeded and is not undone yet");
        }

        // That a deployment has stopped does not mean that anything is as it was.
        if (Rollback(forward) is { } by)
        {
            var undoing = await DeploymentAsync(by, cancellation);
            return new Restoration(undoing.Status == DeploymentStatus.Succeeded, $"deployment {forward.DeploymentId} is {forward.Status}, its rollback {by} is {undoing.Status}");
        }

        // Neither does it while CodeDeploy says nothing of a rollback: that may come a moment later.
        return forward.RollbackInfo?.RollbackMessage is { Length: > 0 } said
            ? new Restoration(true, $"deployment {forward.DeploymentId} is {forward.Status}: {said}")
            : new Restoration(false, $"deployment {forward.DeploymentId} is {forward.Status}, and CodeDeploy says nothing of its rollback yet");
    });

    /// <summary>CodeDeploy counts no requests: checks ask others.</summary>
    public Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult<Observation?>(null);

    private static bool IsActive(DeploymentStatus? status) => status?.Value is "Created" or "Queued" or "InProgress" or "Baking" or "Ready";

    private static bool IsBad(DeploymentInfo deployment) => deployment.Status == DeploymentStatus.Failed || deployment.Status == DeploymentStatus.Stopped;

    private static string? Rollback(DeploymentInfo deployment) => deployment.RollbackInfo?.RollbackDeploymentId is { Length: > 0 } id ? id : null;

    private static bool WaitsWhenReady(DeploymentGroupInfo now) =>
        now.BlueGreenDeploymentConfiguration?.DeploymentReadyOption?.ActionOnTimeout == DeploymentReadyAction.STOP_DEPLOYMENT;

    private static void Unfailed(DeploymentInfo deployment)
    {
        if (IsBad(deployment))
        {
            throw new TargetException($"deployment {deployment.DeploymentId} is {deployment.Status}: {deployment.ErrorInformation?.Message ?? "no reason was given"}");
        }
    }

    private static string Mark(TargetOrder order, string direction) => $"ota {order.Environment}/{order.Rollout}/{order.Lane} {direction} ";

    private static bool IsOurs(DeploymentInfo? deployment, TargetOrder order, string direction) => deployment?.Description?.StartsWith(Mark(order, direction), StringComparison.Ordinal) == true;

    private GroupState State(DeploymentGroupInfo now) => new(now.LastAttemptedDeployment?.DeploymentId ?? "", time.GetUtcNow().ToUnixTimeSeconds());

    private async Task CreateAsync(TargetOrder order, string direction, int number, RevisionLocation revision, CancellationToken cancellation)
    {
        _fences.Pass(order);
        try
        {
            await deploy.CreateDeploymentAsync(
                new CreateDeploymentRequest
                {
                    ApplicationName = application,
                    DeploymentGroupName = group,
                    Description = Mark(order, direction) + number.ToString(CultureInfo.InvariantCulture),
                    Revision = revision,
                    // What stops half way must not stay there, also when nobody of ours is left to see it.
                    AutoRollbackConfiguration = new AutoRollbackConfiguration { Enabled = true, Events = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"] },
                },
                cancellation);
        }
        catch (DeploymentLimitExceededException busy)
        {
            // Ours, whose answer was lost and which is not listed yet, or somebody else's: the next look says which.
            throw new IOException(busy.Message, busy);
        }
    }

    private async Task ContinueAsync(string deployment, DeploymentWaitType wait, CancellationToken cancellation)
    {
        try
        {
            await deploy.ContinueDeploymentAsync(new ContinueDeploymentRequest { DeploymentId = deployment, DeploymentWaitType = wait }, cancellation);
        }
        catch (Exception over) when (over is DeploymentIsNotInReadyStateException or DeploymentAlreadyCompletedException)
        {
            // Continued already.
        }
    }

    private async Task<DeploymentInfo?> NewestAsync(TargetOrder order, string direction, CancellationToken cancellation) =>
        await OursAsync(order, direction, cancellation) is [.., var newest] ? newest : null;

    /// <summary>
    /// The deployment to take back. A list that is older than it would look as if there were nothing to do, so the group and what was seen last are asked too.
    /// </summary>
    private async Task<DeploymentInfo?> ForwardAsync(TargetOrder order, CancellationToken cancellation)
    {
        if (await NewestAsync(order, "forward", cancellation) is { } listed)
        {
            return listed;
        }

        foreach (var id in new[] { (await GroupAsync(cancellation)).LastAttemptedDeployment?.DeploymentId, GroupState.Parse(order.Seen)?.Last })
        {
            if (id is { Length: > 0 } && await DeploymentAsync(id, cancellation) is var known && IsOurs(known, order, "forward"))
            {
                return known;
            }
        }

        return null;
    }

    /// <summary>The deployments that this lane made, the newest last.</summary>
    private async Task<IReadOnlyList<DeploymentInfo>> OursAsync(TargetOrder order, string direction, CancellationToken cancellation)
    {
        var since = DateTimeOffset.FromUnixTimeSeconds(GroupState.Parse(order.Before)?.At ?? 0) - (order.Before is null ? TimeSpan.Zero : Skew);
        List<string> ids = [];
        string? next = null;
        do
        {
            var page = await deploy.ListDeploymentsAsync(
                new ListDeploymentsRequest { ApplicationName = application, DeploymentGroupName = group, CreateTimeRange = new TimeRange { Start = since.UtcDateTime }, NextToken = next }, cancellation);
            ids.AddRange(page.Deployments ?? []);
            next = page.NextToken;
        }
        while (!string.IsNullOrEmpty(next));

        List<DeploymentInfo> ours = [];
        foreach (var batch in ids.Chunk(BatchMax))
        {
            var found = await deploy.BatchGetDeploymentsAsync(new BatchGetDeploymentsRequest { DeploymentIds = [.. batch] }, cancellation);
            ours.AddRange((found.DeploymentsInfo ?? []).Where(one => IsOurs(one, order, direction)));
        }

        return [.. ours.OrderBy(one => one.CreateTime)];
    }

    private Drift Drifted(DeploymentInfo theirs) => new(
        theirs.RollbackInfo?.RollbackTriggeringDeploymentId is { Length: > 0 } taken ? $"CodeDeploy itself took deployment {taken} of {Name} back, by {theirs.DeploymentId}"
            : $"deployment {theirs.DeploymentId} of {Name} was started outside the rollout ({theirs.Creator}{(theirs.Description is { Length: > 0 } said ? ", " + said : "")})",
        0,
        new GroupState(theirs.DeploymentId, time.GetUtcNow().ToUnixTimeSeconds()).ToJson());

    /// <summary>A deployment that is older than the one seen last means that the read is.</summary>
    private async Task<bool> IsNewerAsync(DeploymentInfo? one, GroupState seen, CancellationToken cancellation) =>
        one is not null && (seen.Last.Length == 0 || one.CreateTime > (await DeploymentAsync(seen.Last, cancellation)).CreateTime);

    private async Task<DeploymentGroupInfo> GroupAsync(CancellationToken cancellation) =>
        (await deploy.GetDeploymentGroupAsync(new GetDeploymentGroupRequest { ApplicationName = application, DeploymentGroupName = group }, cancellation)).DeploymentGroupInfo;

    private async Task<DeploymentInfo> DeploymentAsync(string id, CancellationToken cancellation) =>
        (await deploy.GetDeploymentAsync(new GetDeploymentRequest { DeploymentId = id }, cancellation)).DeploymentInfo;

    /// <summary>What the service refuses for good is the target's refusal; throttling, outages and the network stay what they are.</summary>
    private static async Task<T> Refused<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonCodeDeployException refusal) when (refusal is ApplicationDoesNotExistException or DeploymentGroupDoesNotExistException or InvalidRevisionException or RevisionRequiredException
            or RevisionDoesNotExistException or InvalidDeploymentConfigNameException or DeploymentConfigDoesNotExistException)
        {
            throw new TargetException(refusal.Message, refusal);
        }
    }
}
