using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using OtaOrchestrator.Core.Analysis;

namespace OtaOrchestrator.Server.Checks;

/// <summary>The standard health service; SERVING passes. Of several addresses all must.</summary>
internal sealed class GrpcProbe(HttpMessageHandler http) : ICheckSource
{
    public async Task<CheckReading> ReadAsync(CheckQuestion question, CancellationToken cancellation)
    {
        foreach (var address in question.Addresses())
        {
            using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = http, DisposeHttpClient = false, MaxReceiveMessageSize = 64 * 1024 });
            try
            {
                var answer = await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest { Service = question.Check.Service ?? "" }, cancellationToken: cancellation);
                if (answer.Status != HealthCheckResponse.Types.ServingStatus.Serving)
                {
                    return new CheckReading(Answer.Failed, $"{address.Authority} is {answer.Status}");
                }
            }
            catch (RpcException refusal) when (refusal.StatusCode is StatusCode.NotFound or StatusCode.Unimplemented)
            {
                return new CheckReading(Answer.Failed, $"{address.Authority} knows no health of {(question.Check.Service is { Length: > 0 } service ? service : "the server")}");
            }
        }
        return new CheckReading(Answer.Passed, "serves");
    }
}
