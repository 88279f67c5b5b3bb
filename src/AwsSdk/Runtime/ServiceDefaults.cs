using Amazon.Runtime.Internal;

namespace Amazon.Runtime.StandIn;

/// <summary>Names the service to the pipeline.</summary>
internal sealed class StandInMetadata(string serviceId) : IServiceMetadata
{
    public string ServiceId => serviceId;

    public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>();
}

/// <summary>The default configurations that AWS publishes for its SDKs ("sdk-default-configuration"), as far as they concern .NET.</summary>
internal static class StandInDefaults
{
    private static readonly DefaultConfiguration[] Modes =
    [
        Mode(DefaultConfigurationMode.Standard, TimeSpan.FromMilliseconds(3100)),
        Mode(DefaultConfigurationMode.InRegion, TimeSpan.FromMilliseconds(1100)),
        Mode(DefaultConfigurationMode.CrossRegion, TimeSpan.FromMilliseconds(3100)),
        Mode(DefaultConfigurationMode.Mobile, TimeSpan.FromMilliseconds(30000)),
    ];

    public static IDefaultConfigurationProvider Provider { get; } = new DefaultConfigurationProvider(Modes);

    private static DefaultConfiguration Mode(DefaultConfigurationMode name, TimeSpan connect) => new()
    {
        Name = name,
        RetryMode = RequestRetryMode.Standard,
        S3UsEast1RegionalEndpoint = S3UsEast1RegionalEndpointValue.Regional,
        ConnectTimeout = connect,
        TlsNegotiationTimeout = connect,
    };
}
