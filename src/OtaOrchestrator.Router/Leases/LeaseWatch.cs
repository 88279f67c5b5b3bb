using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.Leases;

/// <summary>Looks for leases that ran out, and for destinations that do not drain.</summary>
internal sealed class LeaseWatch(RouteTable routes, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await routes.ReturnLostAsync(stoppingToken);
            routes.TellOverdue();
        }
    }
}
