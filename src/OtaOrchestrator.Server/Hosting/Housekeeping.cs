using Microsoft.Extensions.Hosting;
using OtaOrchestrator.Server.Releases;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Hosting;

/// <summary>Throws away what has had its time: cut-off uploads at the start, answered requests after a week.</summary>
internal sealed class Housekeeping(FirmwareStore firmware, Database database, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan RequestsKept = TimeSpan.FromDays(7);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        firmware.Sweep();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await database.WriteAsync(db => Journal.ForgetRequests(db, time.GetUtcNow() - RequestsKept), cancellation: stoppingToken);
            }
            catch (StoreFullException)
            {
                // Later, then.
            }
        }
    }
}
