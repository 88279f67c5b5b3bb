using Amazon.CloudFront;
using Amazon.CloudFront.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.CloudFront;

/// <summary>
/// The staging distribution and the policy that a rollout makes beside a primary distribution. The one is found again by its caller reference, the other by the one, so that a
/// lost answer makes no second.
/// </summary>
internal sealed class StagingPairs(IAmazonCloudFront cloudFront, string primary)
{
    private readonly string _stem = $"ota-{primary}-";

    /// <summary>Makes the pair, or what is missing of it; nobody gets it yet.</summary>
    /// <param name="there">The primary distribution as it was read.</param>
    /// <returns>The pair, and whether the staging distribution has reached the edges.</returns>
    public async Task<(EdgePair Pair, bool Deployed)> EnsureAsync(TargetOrder order, GetDistributionResponse there, CancellationToken cancellation)
    {
        var reference = $"{_stem}{order.Environment}-{order.Rollout}-{order.Lane}-{order.Fence.Epoch}";
        await RetireOthersAsync(reference, cancellation);
        var id = await FindAsync(reference, cancellation) ?? await CopyAsync(reference, there.ETag, cancellation);
        var deployed = await SyncAsync(id, there.Distribution.DistributionConfig, EdgeOrigin.Of(order.Candidate), cancellation);
        var domain = (await cloudFront.GetDistributionAsync(new GetDistributionRequest { Id = id }, cancellation)).Distribution.DomainName;
        var policy = await PolicyOfAsync(domain, cancellation) ?? (await cloudFront.CreateContinuousDeploymentPolicyAsync(
            new CreateContinuousDeploymentPolicyRequest { ContinuousDeploymentPolicyConfig = Policy(domain, order, enabled: false) }, cancellation)).ContinuousDeploymentPolicy.Id;
        return (new EdgePair(id, domain, policy), deployed);
    }

    /// <summary>Makes the staging distribution what the primary one is, but for the candidate's origin. Nothing is written when it is.</summary>
    /// <param name="like">The primary distribution's configuration.</param>
    /// <returns>It is so, and has reached the edges.</returns>
    public async Task<bool> SyncAsync(string staging, DistributionConfig like, EdgeOrigin origin, CancellationToken cancellation)
    {
        var there = await cloudFront.GetDistributionAsync(new GetDistributionRequest { Id = staging }, cancellation);
        var own = there.Distribution.DistributionConfig;
        if (EdgeOrigin.Of(own) == origin && own.Enabled == true && EdgeState.DigestOf(own) == EdgeState.DigestOf(like))
        {
            return there.Distribution.Status == "Deployed";
        }

        // A copy of its own, for it is changed.
        var wanted = (await cloudFront.GetDistributionConfigAsync(new GetDistributionConfigRequest { Id = primary }, cancellation)).DistributionConfig;
        (wanted.CallerReference, wanted.Staging, wanted.Enabled) = (own.CallerReference, true, true);
        (wanted.Aliases, wanted.ContinuousDeploymentPolicyId) = (own.Aliases, own.ContinuousDeploymentPolicyId);
        origin.ApplyTo(wanted);
        await cloudFront.UpdateDistributionAsync(new UpdateDistributionRequest { Id = staging, DistributionConfig = wanted, IfMatch = there.ETag }, cancellation);
        return false;
    }

    /// <summary>Who gets the staging distribution at a share; at none, who sends the header.</summary>
    public static ContinuousDeploymentPolicyConfig Policy(string domain, TargetOrder order, bool enabled) => new()
    {
        Enabled = enabled,
        StagingDistributionDnsNames = new StagingDistributionDnsNames { Quantity = 1, Items = [domain] },
        TrafficConfig = order.Share is > 0 and < 1
            ? new TrafficConfig { Type = ContinuousDeploymentPolicyType.SingleWeight, SingleWeightConfig = new ContinuousDeploymentSingleWeightConfig { Weight = (float)order.Share, SessionStickinessConfig = Sticky(order) } }
            : new TrafficConfig { Type = ContinuousDeploymentPolicyType.SingleHeader, SingleHeaderConfig = new ContinuousDeploymentSingleHeaderConfig { Header = Header, Value = order.Rollout } },
    };

    /// <summary>What a policy does, in an <see cref="EdgeState"/>'s words.</summary>
    public static string TrafficOf(ContinuousDeploymentPolicyConfig policy) => policy.Enabled != true ? "" : policy.TrafficConfig switch
    {
        { SingleWeightConfig: { } weight } => Share(weight.Weight ?? 0),
        { SingleHeaderConfig: { } header } => $"header {header.Header}={header.Value}",
        _ => "",
    };

    /// <summary>Shares are floats there and doubles here.</summary>
    public static string Share(double share) => ((float)share).ToString("0.####", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Takes the pair away, as far as CloudFront lets it at once; what it does not yet, the next rollout's preparation does.</summary>
    public async Task RetireAsync(string staging, string domain, CancellationToken cancellation)
    {
        try
        {
            if (await PolicyOfAsync(domain, cancellation) is { } policy)
            {
                var tag = (await cloudFront.GetContinuousDeploymentPolicyAsync(new GetContinuousDeploymentPolicyRequest { Id = policy }, cancellation)).ETag;
                await cloudFront.DeleteContinuousDeploymentPolicyAsync(new DeleteContinuousDeploymentPolicyRequest { Id = policy, IfMatch = tag }, cancellation);
            }

            var there = await cloudFront.GetDistributionAsync(new GetDistributionRequest { Id = staging }, cancellation);
            if (there.Distribution.DistributionConfig.Enabled == true)
            {
                there.Distribution.DistributionConfig.Enabled = false;
                await cloudFront.UpdateDistributionAsync(new UpdateDistributionRequest { Id = staging, DistributionConfig = there.Distribution.DistributionConfig, IfMatch = there.ETag }, cancellation);
            }
            else if (there.Distribution.Status == "Deployed")
            {
                await cloudFront.DeleteDistributionAsync(new DeleteDistributionRequest { Id = staging, IfMatch = there.ETag }, cancellation);
            }
        }
        catch (AmazonCloudFrontException notYet) when (notYet is NoSuchDistributionException or NoSuchContinuousDeploymentPolicyException or DistributionNotDisabledException
            or StagingDistributionInUseException or ContinuousDeploymentPolicyInUseException or PreconditionFailedException or InvalidIfMatchVersionException)
        {
            // It is gone, or CloudFront is not done with it.
        }
    }

    private const string Header = "aws-cf-cd-ota";
    private const int StickyLeast = 300;
    private const int StickyMost = 3600;

    private static SessionStickinessConfig? Sticky(TargetOrder order) => order.StickyFor is { } sticky
        ? new SessionStickinessConfig { IdleTTL = StickyLeast, MaximumTTL = (int)Math.Clamp(sticky.TotalSeconds, StickyLeast, StickyMost) } : null;

    private async Task<string> CopyAsync(string reference, string tag, CancellationToken cancellation)
    {
        try
        {
            return (await cloudFront.CopyDistributionAsync(
                new CopyDistributionRequest { PrimaryDistributionId = primary, Staging = true, Enabled = true, CallerReference = reference, IfMatch = tag }, cancellation)).Distribution.Id;
        }
        catch (DistributionAlreadyExistsException)
        {
            return await FindAsync(reference, cancellation) ?? throw new IOException($"CloudFront says that there is a copy of {primary} for {reference}, and does not show it yet");
        }
    }

    private async Task RetireOthersAsync(string reference, CancellationToken cancellation)
    {
        foreach (var (id, domain, other) in await OursAsync(cancellation))
        {
            if (other != reference)
            {
                await RetireAsync(id, domain, cancellation);
            }
        }
    }

    private async Task<string?> FindAsync(string reference, CancellationToken cancellation) =>
        (await OursAsync(cancellation)).Where(one => one.Reference == reference).Select(one => one.Id).FirstOrDefault();

    /// <summary>Staging distributions that rollouts made beside this primary one. A summary does not say what for, so each is asked.</summary>
    private async Task<List<(string Id, string Domain, string Reference)>> OursAsync(CancellationToken cancellation)
    {
        List<(string, string, string)> found = [];
        string? next = null;
        do
        {
            var page = (await cloudFront.ListDistributionsAsync(new ListDistributionsRequest { Marker = next }, cancellation)).DistributionList;
            foreach (var one in (page.Items ?? []).Where(one => one.Staging == true))
            {
                var reference = (await cloudFront.GetDistributionConfigAsync(new GetDistributionConfigRequest { Id = one.Id }, cancellation)).DistributionConfig.CallerReference;
                if (reference.StartsWith(_stem, StringComparison.Ordinal))
                {
                    found.Add((one.Id, one.DomainName, reference));
                }
            }

            next = page.IsTruncated == true ? page.NextMarker : null;
        }
        while (!string.IsNullOrEmpty(next));
        return found;
    }

    private async Task<string?> PolicyOfAsync(string domain, CancellationToken cancellation)
    {
        string? next = null;
        do
        {
            var page = (await cloudFront.ListContinuousDeploymentPoliciesAsync(new ListContinuousDeploymentPoliciesRequest { Marker = next }, cancellation)).ContinuousDeploymentPolicyList;
            if ((page.Items ?? []).Find(one => one.ContinuousDeploymentPolicy.ContinuousDeploymentPolicyConfig.StagingDistributionDnsNames.Items?.Contains(domain) == true) is { } policy)
            {
                return policy.ContinuousDeploymentPolicy.Id;
            }

            next = page.NextMarker;
        }
        while (!string.IsNullOrEmpty(next));
        return null;
    }
}
