using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Connection;

/// <summary>
/// gRPC over mutual TLS; the server must show a certificate of its own authority, no other is believed.
/// Calls go through <see cref="Call{T}"/>, which repeats them when the way there fails.
/// </summary>
internal sealed class Api(ServerAddress address, TimeProvider time, Report report) : IDisposable
{
    private const int AttemptsMax = 5;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan OverloadDelayMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CallTimeMax = TimeSpan.FromSeconds(30);

    private GrpcChannel? _channel;
    private Uri? _connectedTo;

    public string ActorName => address.ActorName;
    public Rollouts.RolloutsClient Rollouts => new(Channel());
    public Releases.ReleasesClient Releases => new(Channel());
    public Environments.EnvironmentsClient Environments => new(Channel());
    public Devices.DevicesClient Devices => new(Channel());
    public Audit.AuditClient Audit => new(Channel());
    public Health.HealthClient Health => new(Channel());

    /// <summary>
    /// One call, repeated when the transport fails or the server is overloaded. A mutation carries its request id in the request, so
    /// the repetition is the same request. <paramref name="send"/> gets the per-attempt options.
    /// </summary>
    public async Task<T> Call<T>(Func<Api, CallOptions, AsyncUnaryCall<T>> send, CancellationToken cancellation, TimeSpan? timeMax = null)
    {
        var delay = FirstDelay;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var deadline = time.GetUtcNow().UtcDateTime + (timeMax ?? CallTimeMax);
                using var call = send(this, new CallOptions(deadline: deadline, cancellationToken: cancellation));
                return await call.ResponseAsync;
            }
            catch (RpcException failure) when (attempt < AttemptsMax && RpcFailure.MayRepeat(failure) && !cancellation.IsCancellationRequested)
            {
                var wait = RpcFailure.RetryDelay(failure) is { } asked ? Min(asked, OverloadDelayMax) : delay;
                if (attempt == 2)
                {
                    report.Note($"the server does not answer ({failure.StatusCode}), trying again ...");
                }
                await Task.Delay(wait, time, cancellation);
                delay = Min(delay * 2, DelayMax);
                Forget();
            }
        }
    }

    /// <summary>Publishes an image, once. <paramref name="sent"/> is told the bytes that were sent so far.</summary>
    public Task<Release> PublishImage(PublishReleaseRequest.Types.Head head, FileInfo image, Action<long>? sent, CancellationToken cancellation) =>
        ImageUpload.SendAsync(address.Resolve(), Handler(), head, image, sent, cancellation);

    /// <summary>Asks grpc.health.v1 once, without repetition.</summary>
    public async Task<bool> IsServing(CancellationToken cancellation)
    {
        try
        {
            var deadline = time.GetUtcNow().UtcDateTime + TimeSpan.FromSeconds(2);
            var answer = await Health.CheckAsync(new HealthCheckRequest(), deadline: deadline, cancellationToken: cancellation);
            return answer.Status == HealthCheckResponse.Types.ServingStatus.Serving;
        }
        catch (Exception failure) when (failure is RpcException or CliFailure)
        {
            Forget();
            return false;
        }
    }

    /// <summary>Drops the connection; the next call reads the address again.</summary>
    public void Forget()
    {
        _channel?.Dispose();
        _channel = null;
    }

    public void Dispose() => Forget();

    private GrpcChannel Channel()
    {
        var to = address.Resolve();
        if (_channel is not null && _connectedTo == to)
        {
            return _channel;
        }
        Forget();
        _connectedTo = to;
        return _channel = GrpcChannel.ForAddress(to, new GrpcChannelOptions
        {
            HttpHandler = Handler(),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 16 * 1024 * 1024,
        });
    }

    private SocketsHttpHandler Handler() => MutualTls.Handler(address.ServerAuthority, address.ClientCertificate);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
