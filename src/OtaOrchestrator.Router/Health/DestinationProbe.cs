using System.Net;
using OtaOrchestrator.Router.Hosting;
using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.Health;

/// <summary>Asks each destination in use how it is. Any answer below 500 is health: an old back end may not know the path.</summary>
internal sealed partial class DestinationProbe(RouteTable routes, RouterOptions options, TimeProvider time, ILogger<DestinationProbe> log) : BackgroundService
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.ProbeInterval, time);
        do
        {
            var destinations = routes.Routes.Values.SelectMany(route => route.Destinations);
            await Parallel.ForEachAsync(destinations, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = stoppingToken }, ProbeAsync);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async ValueTask ProbeAsync(Destination destination, CancellationToken stopping)
    {
        string? problem;
        using var deadline = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stopping);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, destination.Address + options.HealthPath)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            };
            using var response = await destination.Client.SendAsync(request, either.Token);
            problem = (int)response.StatusCode < 500 ? null : $"answers {(int)response.StatusCode} to {options.HealthPath}";
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        catch (OperationCanceledException)
        {
            problem = $"does not answer within {Timeout.TotalSeconds:0} s";
        }
        catch (HttpRequestException error)
        {
            problem = error.HttpRequestError == HttpRequestError.SecureConnectionError ? "its certificate is not accepted" : "can't be reached";
        }
        catch (ObjectDisposedException)
        {
            return;
        }
        var before = destination.Health.State;
        destination.Report(problem is null ? HealthState.Healthy : HealthState.Unhealthy, problem);
        if (destination.Health.State != before)
        {
            HealthChanged(log, destination.Release, destination.Address, problem ?? "is healthy");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Release} at {Address} {Problem}")]
    private static partial void HealthChanged(ILogger log, string release, string address, string problem);
}
