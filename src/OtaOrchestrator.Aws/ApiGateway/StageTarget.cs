using System.Globalization;
using Amazon.APIGateway;
using Amazon.APIGateway.Model;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.ApiGateway;

/// <summary>
/// A stage of a REST API of API Gateway as a target of rollouts, by its canary. API Gateway knows no revisions, so a write can't be conditional: each is preceded by a read of what
/// was last seen, and followed by one. README.md tells the life of a rollout. One instance serves one stage.
/// </summary>
/// <param name="changes">Who changed the stage; null where nobody can be asked.</param>
public sealed class StageTarget(IAmazonAPIGateway gateway, string api, string stage, TrailedChanges? changes, TimeProvider time) : ITarget
{
    public const string Artifact = "apigateway";
    private const int LooksMax = 4;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);
    private readonly Fences _fences = new();

    public Capabilities Capabilities { get; } = new();

    /// <exception cref="TargetException">The release does not say which deployment it is.</exception>
    public static string DeploymentOf(TargetRelease release) =>
        release.Artifacts.TryGetValue(Artifact, out var artifact) && artifact.Split(':') is ["deployment", { Length: > 0 } id] && id.All(char.IsAsciiLetterOrDigit) ? id
            : throw new TargetException($"{release} has no artifact {Artifact} of the form deployment:ID");

    public Task<Forecast> ForecastAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult(new Forecast(0, [.. order.Steps.Select(step => new StepForecast(0, step.Share == 0
        ? "nobody; the canary is there and gets nothing"
        : string.Create(CultureInfo.InvariantCulture, $"{step.Share:0.##%} of the requests of {api}/{stage}")))]));

    /// <summary>Changes nothing: both deployments are there already, and never change.</summary>
    public Task<Preparation> PrepareAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        if (order.Steps.Any(step => step.Group is not null))
        {
            return new Preparation(0, "a stage has no groups");
        }

        var (candidate, fallback) = (DeploymentOf(order.Candidate), DeploymentOf(order.Fallback));
        foreach (var deployment in (string[])[candidate, fallback])
        {
            await gateway.GetDeploymentAsync(new GetDeploymentRequest { RestApiId = api, DeploymentId = deployment }, cancellation);
        }

        var now = await StateAsync(cancellation);
        var seen = StageState.Parse(order.Seen);
        return candidate == fallback ? new Preparation(0, $"{order.Candidate} and {order.Fallback} are the same deployment {candidate}")
            : now.Serves(new StageState(fallback, null, 0, "", 0)) || (seen is not null && now.Serves(seen)) ? new Preparation(0, Before: now.ToJson(), Seen: now.ToJson())
            : new Preparation(0, $"{api}/{stage} sends {now}, not everything to the fallback {order.Fallback} (deployment {fallback})");
    });

    public Task ExposeAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        await WriteAsync(order, Wanted(order), cancellation);
        return true;
    });

    public Task<Reading> ReadAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var now = await StateAsync(cancellation);
        var agrees = now.Serves(Wanted(order));
        now = StageState.Parse(order.Seen) is { } seen && seen.Serves(now) ? now with { Since = seen.Since } : now;
        return new Reading(agrees, now.ShareOf(DeploymentOf(order.Candidate)), $"{api}/{stage} sends {now}", Seen: agrees ? now.ToJson() : null);
    });

    public Task RenewAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        if (StageState.Parse(order.Seen) is { } seen && await ChangedAsync(order, seen, cancellation) is { } drift)
        {
            throw new DriftException(drift);
        }

        return true;
    });

    /// <summary>Does nothing: a stage has nothing queued, and shares stay as they are.</summary>
    public Task HoldAsync(TargetOrder order, CancellationToken cancellation) => Task.CompletedTask;

    public Task PromoteAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        await WriteAsync(order, new StageState(DeploymentOf(order.Candidate), null, 0, "", 0), cancellation);
        return true;
    });

    /// <summary>Writes also where a read says that it is so already: the read may be older than the exposure.</summary>
    public Task RestoreAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        _fences.Pass(order);
        await PutAsync(Restored(order), cancellation);
        return true;
    });

    public Task<Restoration> ReadRestorationAsync(TargetOrder order, CancellationToken cancellation) => Refused(async () =>
    {
        var now = await StateAsync(cancellation);
        return new Restoration(now.Serves(Restored(order)), $"{api}/{stage} sends {now}");
    });

    /// <summary>Nothing: API Gateway does not count a canary's requests apart. Alarms and metrics of CloudWatch are checks of the plan.</summary>
    public Task<Observation?> ObserveAsync(TargetOrder order, CancellationToken cancellation) => Task.FromResult<Observation?>(null);

    public async Task<string> AuthorAsync(TargetOrder order, Drift drift, CancellationToken cancellation) => changes is null || StageState.Parse(drift.Seen) is not { } seen ? ""
        : await changes.AuthorAsync(
            "UpdateStage",
            request =>
            {
                var text = request.GetRawText();
                return text.Contains(api, StringComparison.Ordinal) && text.Contains(seen.Canary is null ? seen.Deployment : seen.Percent.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
            },
            DateTimeOffset.FromUnixTimeSeconds(seen.Since),
            cancellation);

    /// <summary>Writes unless it holds already, and only over what was last seen.</summary>
    private async Task WriteAsync(TargetOrder order, StageState wanted, CancellationToken cancellation)
    {
        _fences.Pass(order);
        var now = await StateAsync(cancellation);
        if (now.Serves(wanted))
        {
            return;
        }

        if (StageState.Parse(order.Seen) is { } seen && !now.Serves(seen) && await ChangedAsync(order, seen, cancellation) is { } drift)
        {
            throw new DriftException(drift);
        }

        _fences.Pass(order);
        await PutAsync(wanted, cancellation);
    }

    /// <summary>What somebody else has changed; null when nothing. A read may be older than our last write, so one alone proves nothing.</summary>
    private async Task<Drift?> ChangedAsync(TargetOrder order, StageState seen, CancellationToken cancellation)
    {
        for (int looks = 0; ; looks++)
        {
            var now = await StateAsync(cancellation);
            if (now.Serves(seen) || (order.Step >= 0 && now.Serves(Wanted(order))))
            {
                return null;
            }

            if (looks + 1 >= LooksMax)
            {
                return new Drift($"{api}/{stage} sends {now}; it was {seen}", now.ShareOf(DeploymentOf(order.Candidate)), now.ToJson());
            }

            await Task.Delay(BetweenLooks, time, cancellation);
        }
    }

    /// <summary>The whole of it in one patch, which API Gateway does as a whole or not at all.</summary>
    private async Task PutAsync(StageState wanted, CancellationToken cancellation)
    {
        static PatchOperation Replace(string path, string value) => new() { Op = Op.Replace, Path = path, Value = value };

        List<PatchOperation> patch = [Replace("/deploymentId", wanted.Deployment)];
        var canary = (await gateway.GetStageAsync(new GetStageRequest { RestApiId = api, StageName = stage }, cancellation)).CanarySettings;
        if (wanted.Canary is { } other)
        {
            patch.Add(Replace("/canarySettings/deploymentId", other));
            patch.Add(Replace("/canarySettings/percentTraffic", wanted.Percent.ToString(CultureInfo.InvariantCulture)));
            patch.AddRange((canary?.StageVariableOverrides ?? []).Keys.Select(name => new PatchOperation { Op = Op.Remove, Path = $"/canarySettings/stageVariableOverrides/{name}" }));
        }
        else if (canary is not null)
        {
            patch.Add(new PatchOperation { Op = Op.Remove, Path = "/canarySettings" });
        }

        await gateway.UpdateStageAsync(new UpdateStageRequest { RestApiId = api, StageName = stage, PatchOperations = patch }, cancellation);
    }

    private async Task<StageState> StateAsync(CancellationToken cancellation) =>
        StageState.Of(await gateway.GetStageAsync(new GetStageRequest { RestApiId = api, StageName = stage }, cancellation), time.GetUtcNow());

    private static StageState Wanted(TargetOrder order)
    {
        var (candidate, fallback) = (DeploymentOf(order.Candidate), DeploymentOf(order.Fallback));
        return order.Share >= 1 ? new StageState(candidate, null, 0, "", 0) : new StageState(fallback, candidate, Math.Round(Math.Max(0, order.Share) * 100, 4), "", 0);
    }

    /// <summary>Exactly as it was before; where nobody knows, everything to the fallback.</summary>
    private static StageState Restored(TargetOrder order) => StageState.Parse(order.Before) ?? new StageState(DeploymentOf(order.Fallback), null, 0, "", 0);

    /// <summary>What the service refuses for good is the target's refusal; throttling, outages, conflicts and the network stay what they are.</summary>
    private static async Task<T> Refused<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonAPIGatewayException refusal) when (refusal is NotFoundException or BadRequestException or UnauthorizedException)
        {
            throw new TargetException(refusal.Message, refusal);
        }
    }
}
