using System.Collections.Concurrent;
using Amazon;
using Amazon.AccessAnalyzer;
using Amazon.APIGateway;
using Amazon.CloudFront;
using Amazon.CloudTrail;
using Amazon.CloudWatch;
using Amazon.CodeDeploy;
using Amazon.IdentityManagement;
using Amazon.IoT;
using Amazon.Lambda;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3Control;
using Amazon.SecurityHub;
using Amazon.SecurityToken;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Clients;

/// <summary>
/// Clients of AWS, one for each service and region. Credentials, regions, FIPS, partitions and endpoints are the SDK's business: its chain, its profiles, its environment
/// variables (<c>AWS_ENDPOINT_URL</c>, <c>AWS_ENDPOINT_URL_LAMBDA</c> …). Retries adapt to throttling, and each service has a budget.
/// </summary>
/// <param name="tailor">Tells each client what is otherwise left to the chain; for tests, which have many accounts in one process.</param>
public sealed class AwsClients(AwsClientsOptions options, TimeProvider time, Action<ClientConfig>? tailor = null) : IDisposable
{
    private readonly ConcurrentDictionary<(System.Type Service, string Region), AmazonServiceClient> _clients = new();
    private readonly ConcurrentDictionary<string, CallBudget> _budgets = new(StringComparer.Ordinal);

    /// <param name="region">Empty for the region of the SDK's chain.</param>
    public IAmazonLambda Lambda(string region) => Client<AmazonLambdaClient, AmazonLambdaConfig>(region, config => new AmazonLambdaClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonCloudWatch CloudWatch(string region) => Client<AmazonCloudWatchClient, AmazonCloudWatchConfig>(region, config => new AmazonCloudWatchClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonCloudTrail CloudTrail(string region) => Client<AmazonCloudTrailClient, AmazonCloudTrailConfig>(region, config => new AmazonCloudTrailClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonCodeDeploy CodeDeploy(string region) => Client<AmazonCodeDeployClient, AmazonCodeDeployConfig>(region, config => new AmazonCodeDeployClient(config));

    /// <summary>CloudFront is in no region; the endpoint follows from the partition of the chain's.</summary>
    public IAmazonCloudFront CloudFront() => Client<AmazonCloudFrontClient, AmazonCloudFrontConfig>("", config => new AmazonCloudFrontClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonAPIGateway ApiGateway(string region) => Client<AmazonAPIGatewayClient, AmazonAPIGatewayConfig>(region, config => new AmazonAPIGatewayClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonIoT IoT(string region) => Client<AmazonIoTClient, AmazonIoTConfig>(region, config => new AmazonIoTClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonS3 S3(string region) => Client<AmazonS3Client, AmazonS3Config>(region, config => new AmazonS3Client(config), options.TransferTimeout);

    /// <inheritdoc cref="Lambda"/>
    public IAmazonS3Control S3Control(string region) => Client<AmazonS3ControlClient, AmazonS3ControlConfig>(region, config => new AmazonS3ControlClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonSecurityHub SecurityHub(string region) => Client<AmazonSecurityHubClient, AmazonSecurityHubConfig>(region, config => new AmazonSecurityHubClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonAccessAnalyzer AccessAnalyzer(string region) => Client<AmazonAccessAnalyzerClient, AmazonAccessAnalyzerConfig>(region, config => new AmazonAccessAnalyzerClient(config));

    /// <inheritdoc cref="Lambda"/>
    public IAmazonSecurityTokenService SecurityToken(string region) => Client<AmazonSecurityTokenServiceClient, AmazonSecurityTokenServiceConfig>(region, config => new AmazonSecurityTokenServiceClient(config));

    /// <summary>IAM is in no region, as CloudFront.</summary>
    public IAmazonIdentityManagementService IdentityManagement() =>
        Client<AmazonIdentityManagementServiceClient, AmazonIdentityManagementServiceConfig>("", config => new AmazonIdentityManagementServiceClient(config));

    /// <summary>The region of the SDK's chain; empty where there is none.</summary>
    public string Region => SecurityToken("").Config is { } config ? config.RegionEndpoint?.SystemName ?? config.AuthenticationRegion ?? "" : "";

    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }

        foreach (var budget in _budgets.Values)
        {
            budget.Dispose();
        }
    }

    private TClient Client<TClient, TConfig>(string region, Func<TConfig, TClient> create, TimeSpan? attemptMax = null)
        where TClient : AmazonServiceClient
        where TConfig : ClientConfig, new() => (TClient)_clients.GetOrAdd((typeof(TClient), region), _ =>
    {
        var config = new TConfig
        {
            RetryMode = RequestRetryMode.Adaptive,
            MaxErrorRetry = options.RetriesMax,
        };
        if (region.Length > 0)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        config.HttpClientFactory = new BudgetedHttpClients(_budgets.GetOrAdd($"{typeof(TClient).Name}/{region}", _ => new CallBudget(options.CallsPerSecond, time)), attemptMax ?? options.CallTimeout, time);
        tailor?.Invoke(config);
        try
        {
            return create(config);
        }
        catch (AmazonClientException unusable)
        {
            throw new TargetException($"AWS can't be called from here: {unusable.Message}; name a region with the target, or set AWS_REGION", unusable);
        }
    });
}
