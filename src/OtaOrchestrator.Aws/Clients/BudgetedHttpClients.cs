using Amazon.Runtime;

namespace OtaOrchestrator.Aws.Clients;

/// <summary>HTTP clients of the SDK whose every attempt, retries too, waits for its turn in a budget.</summary>
internal sealed class BudgetedHttpClients(CallBudget budget) : HttpClientFactory
{
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) =>
        new(new Turns(budget) { InnerHandler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2), AllowAutoRedirect = false } }) { Timeout = Timeout.InfiniteTimeSpan };

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => true;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public override string GetConfigUniqueString(IClientConfig clientConfig) => $"ota-{budget.GetHashCode()}";

    private sealed class Turns(CallBudget budget) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await budget.TakeAsync(cancellationToken);
            return await base.SendAsync(request, cancellationToken);
        }
    }
}
