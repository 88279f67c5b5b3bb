using Amazon.Runtime;

namespace OtaOrchestrator.DevicePlane.ControlPlane;

/// <summary>Takes an AWS SDK client to the control plane in this process. Give it to the client's <c>ClientConfig.HttpClientFactory</c>.</summary>
internal sealed class ControlPlaneClientFactory(InMemoryTransport transport) : HttpClientFactory, IDisposable
{
    private readonly SocketsHttpHandler _handler = new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectCallback = (_, cancellationToken) => transport.ConnectAsync(cancellationToken),
    };

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(_handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;

    public override string? GetConfigUniqueString(IClientConfig clientConfig) => null;

    public void Dispose() => _handler.Dispose();
}
