using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;

namespace OtaOrchestrator.Aws.Clients;

/// <summary>
/// HTTP clients of the SDK whose every attempt, retries too, waits for its turn in a budget, and from then on is given up after a time: the SDK's own setting for that does not
/// reach clients that it did not make.
/// </summary>
internal sealed class BudgetedHttpClients(CallBudget budget, TimeSpan attemptMax, TimeProvider time) : HttpClientFactory
{
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) =>
        new(new Turns(budget, attemptMax, time) { InnerHandler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2), AllowAutoRedirect = false, ConnectCallback = ConnectAsync } }) { Timeout = Timeout.InfiniteTimeSpan };

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => true;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public override string GetConfigUniqueString(IClientConfig clientConfig) => $"ota-{budget.GetHashCode()}";

    /// <summary>
    /// Names under <c>localhost</c> are this machine's (RFC 6761), which many resolvers do not know, and S3's control plane has the account's number before the host: an emulator here
    /// is asked at <c>111122223333.localhost</c>.
    /// </summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var place = context.DnsEndPoint;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(place.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) ? new DnsEndPoint("localhost", place.Port) : place, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class Turns(CallBudget budget, TimeSpan attemptMax, TimeProvider time) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await budget.TakeAsync(cancellationToken);
            using var deadline = new CancellationTokenSource(attemptMax, time);
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            try
            {
                return await base.SendAsync(request, limited.Token);
            }
            catch (OperationCanceledException late) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new HttpRequestException($"no answer within {attemptMax.TotalSeconds:0.#} s", late);
            }
        }
    }
}
