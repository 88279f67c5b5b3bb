using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Endpoints.StandardLibrary;

namespace Amazon.Runtime.StandIn;

/// <summary>Resolves the endpoint of each request from the configuration of its client.</summary>
internal sealed class ServiceEndpointResolver : BaseEndpointResolver
{
    protected override EndpointParameters MapEndpointsParameters(IRequestContext requestContext) =>
        ServiceEndpointParameters.Of(requestContext.ClientConfig, requestContext.Request.AlternateEndpoint);

    protected override void ServiceSpecificHandler(IExecutionContext executionContext, EndpointParameters parameters) =>
        InjectHostPrefix(executionContext.RequestContext);
}

/// <summary>What an endpoint depends on. An explicit address wins over everything else.</summary>
internal sealed class ServiceEndpointParameters : EndpointParameters
{
    public string? Address { get; private init; }

    public string? Region { get; private init; }

    public bool UseFips { get; private init; }

    public bool UseDualStack { get; private init; }

    public static ServiceEndpointParameters Of(IClientConfig config, RegionEndpoint? alternate) => new()
    {
        Address = config.ServiceURL,
        Region = alternate?.SystemName ?? config.RegionEndpoint?.SystemName ?? config.AuthenticationRegion,
        UseFips = config.UseFIPSEndpoint,
        UseDualStack = config.UseDualstackEndpoint,
    };
}

/// <summary>Endpoints of a regional service: <c>https://{prefix}[-fips].{region}.{DNS suffix of the partition}</c>.</summary>
internal sealed class RegionalEndpoints(string prefix, string signingName) : IEndpointProvider
{
    public Endpoint ResolveEndpoint(EndpointParameters parameters)
    {
        var place = parameters as ServiceEndpointParameters
            ?? throw new ArgumentException($"expected {nameof(ServiceEndpointParameters)}", nameof(parameters));
        if (!string.IsNullOrEmpty(place.Address))
        {
            if (place.UseFips || place.UseDualStack)
            {
                throw new AmazonClientException("Invalid Configuration: FIPS and dual-stack cannot be combined with a custom endpoint");
            }

            return new Endpoint(place.Address, Attributes(place.Region), "{}");
        }

        if (string.IsNullOrEmpty(place.Region))
        {
            throw new AmazonClientException("Invalid Configuration: Missing Region");
        }

        var partition = Fn.Partition(place.Region);
        var suffix = place.UseDualStack ? partition.dualStackDnsSuffix : partition.dnsSuffix;
        return new Endpoint($"https://{prefix}{(place.UseFips ? "-fips" : "")}.{place.Region}.{suffix}", Attributes(place.Region), "{}");
    }

    private string Attributes(string? region) => string.IsNullOrEmpty(region)
        ? "{}"
        : $$"""{"authSchemes":[{"name":"sigv4","signingName":"{{signingName}}","signingRegion":"{{region}}"}]}""";
}

/// <summary>Endpoints of a service that has one in each partition, whatever the region.</summary>
internal sealed class PartitionEndpoints(string prefix, string signingName, params (string Partition, string Host, string Region)[] places) : IEndpointProvider
{
    private readonly RegionalEndpoints _otherwise = new(prefix, signingName);

    public Endpoint ResolveEndpoint(EndpointParameters parameters)
    {
        if (parameters is not ServiceEndpointParameters { Region: { Length: > 0 } region } place || !string.IsNullOrEmpty(place.Address) || place.UseFips || place.UseDualStack
            || Array.Find(places, known => known.Partition == Fn.Partition(region).name) is not { Host: { } host } found)
        {
            return _otherwise.ResolveEndpoint(parameters);
        }

        return new Endpoint($"https://{host}", $$"""{"authSchemes":[{"name":"sigv4","signingName":"{{signingName}}","signingRegion":"{{found.Region}}"}]}""", "{}");
    }
}
