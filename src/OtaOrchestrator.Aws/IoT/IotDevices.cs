using Amazon.IoT;
using Amazon.IoT.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>One device as the fleet index shows it.</summary>
/// <param name="Revoked">Its certificates were taken away, and it has not enrolled again since.</param>
/// <param name="ShadowJson">The index's <c>shadow</c> member, <c>{"name":{"ota":{"reported":…}}}</c>; empty when the device has said nothing yet.</param>
public sealed record IndexedDevice(string Thing, IReadOnlyList<string> Groups, bool Connected, bool Revoked, string ShadowJson)
{
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();
}

/// <summary>The devices of an account, found and counted by the fleet index's own query language.</summary>
public sealed class IotDevices(IAmazonIoT iot)
{
    private const int BucketsMax = 100;

    /// <summary>The index shows no certificates, so a revocation is also written down as an attribute. Enrolling again replaces the attributes.</summary>
    public const string RevokedAttribute = "revoked";

    /// <exception cref="TargetException">The query or the token is refused.</exception>
    public async Task<(IReadOnlyList<IndexedDevice> Devices, string NextToken)> SearchAsync(string query, int most, string token, CancellationToken cancellation)
    {
        try
        {
            return await Search(query, most, token, cancellation);
        }
        catch (AmazonIoTException refusal) when (refusal is InvalidRequestException or InvalidQueryException)
        {
            throw new TargetException(refusal.Message, refusal);
        }
    }

    private async Task<(IReadOnlyList<IndexedDevice> Devices, string NextToken)> Search(string query, int most, string token, CancellationToken cancellation)
    {
        var answer = await iot.SearchIndexAsync(new SearchIndexRequest { QueryString = query, MaxResults = most, NextToken = token.Length > 0 ? token : null }, cancellation);
        return ([.. (answer.Things ?? []).Select(thing => new IndexedDevice(thing.ThingName, thing.ThingGroupNames ?? [], thing.Connectivity?.Connected ?? false, thing.Attributes?.ContainsKey(RevokedAttribute) ?? false, thing.Shadow ?? "") { Attributes = thing.Attributes ?? [] })], answer.NextToken ?? "");
    }

    public async Task<long> CountAsync(string query, CancellationToken cancellation) =>
        (await iot.GetStatisticsAsync(new GetStatisticsRequest { QueryString = query }, cancellation)).Statistics?.Count ?? 0;

    /// <summary>Devices by the value of a field; at most the 100 most frequent values.</summary>
    public async Task<IReadOnlyDictionary<string, long>> CountByAsync(string query, string field, CancellationToken cancellation)
    {
        var request = new GetBucketsAggregationRequest
        {
            QueryString = query,
            AggregationField = field,
            BucketsAggregationType = new BucketsAggregationType { TermsAggregation = new TermsAggregation { MaxBuckets = BucketsMax } },
        };
        var answer = await iot.GetBucketsAggregationAsync(request, cancellation);
        return (answer.Buckets ?? []).ToDictionary(bucket => bucket.KeyValue, bucket => (long)(bucket.Count ?? 0), StringComparer.Ordinal);
    }

    /// <summary>Takes the thing's certificates away: its connection ends and it can't come back with them. Repeating changes nothing.</summary>
    public async Task RevokeAsync(string thing, DateTimeOffset now, CancellationToken cancellation)
    {
        var principals = await iot.ListThingPrincipalsAsync(new ListThingPrincipalsRequest { ThingName = thing }, cancellation);
        foreach (var certificate in (principals.Principals ?? []).Where(arn => arn.Contains(":cert/", StringComparison.Ordinal)))
        {
            await iot.UpdateCertificateAsync(new UpdateCertificateRequest { CertificateId = certificate[(certificate.IndexOf(":cert/", StringComparison.Ordinal) + 6)..], NewStatus = CertificateStatus.REVOKED }, cancellation);
        }
        await iot.UpdateThingAsync(
            new UpdateThingRequest { ThingName = thing, AttributePayload = new AttributePayload { Merge = true, Attributes = new() { [RevokedAttribute] = now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture) } } },
            cancellation);
    }

    /// <exception cref="TargetException">There is no such thing or group, or the name is refused.</exception>
    public async Task<long> AddToGroupAsync(string fleet, string group, IReadOnlyList<string> things, CancellationToken cancellation)
    {
        try
        {
            return await AddToGroup(fleet, group, things, cancellation);
        }
        catch (AmazonIoTException refusal) when (refusal is InvalidRequestException or ResourceNotFoundException or LimitExceededException)
        {
            throw new TargetException(refusal.Message, refusal);
        }
    }

    /// <summary>Makes <c>{fleet}-{group}</c> when it is not there and puts the things into it. Things that are in it already stay.</summary>
    private async Task<long> AddToGroup(string fleet, string group, IReadOnlyList<string> things, CancellationToken cancellation)
    {
        var name = $"{fleet}-{group}";
        try
        {
            await iot.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = name }, cancellation);
        }
        catch (ResourceAlreadyExistsException)
        {
            // It is there; that is all that was wanted.
        }
        foreach (var thing in things)
        {
            await iot.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingGroupName = name, ThingName = thing }, cancellation);
        }
        return things.Count;
    }
}
