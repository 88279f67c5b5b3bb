using Grpc.Core;
using Grpc.Health.V1;

namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>A gRPC service that says in its trailers which version answered: one call, and one stream that goes on until the test lets it end.</summary>
internal sealed class ToyHealth(string version) : Grpc.Health.V1.Health.HealthBase
{
    public const string Trailer = "x-version";
    public const string Failing = "failing";
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(20);

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        context.ResponseTrailers.Add(Trailer, version);
        return request.Service == Failing
            ? throw new RpcException(new Status(StatusCode.Unavailable, version))
            : Task.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving });
    }

    /// <summary>The service's name is how many messages to send.</summary>
    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        context.ResponseTrailers.Add(Trailer, version);
        using var timer = new PeriodicTimer(Beat);
        for (int left = int.Parse(request.Service, System.Globalization.CultureInfo.InvariantCulture); left > 0; left--)
        {
            await responseStream.WriteAsync(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving });
            await timer.WaitForNextTickAsync(context.CancellationToken);
        }
    }
}
