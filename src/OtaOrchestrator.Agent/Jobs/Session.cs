using System.Text.Json.Nodes;
using OtaOrchestrator.Agent.Download;
using OtaOrchestrator.Agent.Health;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Mqtt;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Jobs;

/// <summary>
/// What a device does while it is connected: confirms the image on trial, reports, checks in, and works on one job at a time. Ends when the connection goes (by an exception)
/// or when the device has to boot.
/// </summary>
internal sealed class Session(DeviceConnection connection, JobsClient jobs, UpdateRun update, Trial trial, Running running)
{
    private readonly string _shadows = $"$aws/things/{running.Options.Thing}/shadow/name/";
    private HealthReport _health = new(HealthState.Unknown);

    /// <returns>When the device has to boot.</returns>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await connection.SubscribeAsync([.. jobs.Filters, _shadows + "ota/update/accepted", _shadows + "ota/update/rejected"], cancellation);
        var next = await jobs.PeekAsync(cancellation);
        if (running.Store.Current.Trial is not null && !await trial.ConfirmAsync(next, cancellation))
        {
            return;
        }
        _health = await running.Device.HealthAsync(cancellation);
        await ReportAllAsync(cancellation);
        await ReportOutcomeAsync(cancellation);
        running.Tell("reported", running.Store.Current[running.Boot.Slot]?.Release ?? "");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, connection.Lost);
        var work = WorkAsync(ending.Token);
        var checkIns = CheckInAsync(ending.Token);
        try
        {
            // A check-in that can't be sent ends the session too: a device that is connected but silent would count as lost.
            await await Task.WhenAny(work, checkIns);
        }
        catch (OperationCanceledException) when (connection.Lost.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new ConnectionException("the connection was lost");
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(work, checkIns).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Ends with an image to boot; otherwise goes on until cancelled.</summary>
    private async Task WorkAsync(CancellationToken cancellation)
    {
        while (true)
        {
            while (await jobs.StartNextAsync(cancellation) is { } execution)
            {
                if (running.Store.Current.Job is { IsResolved: true } known && known.Id == execution.JobId && known.ExecutionNumber == execution.ExecutionNumber)
                {
                    // Done already, but the service had not heard of it.
                    running.Store.Save(running.Store.Current with { Job = known with { Reported = false } });
                    if (!await ReportOutcomeAsync(cancellation))
                    {
                        break;
                    }
                    continue;
                }
                running.Tell("job", $"{execution.JobId} started");
                var end = await update.RunAsync(execution, () => connection.PublishAsync(_shadows + "ota/update", ShadowReport.Update(JobOnly()), cancellation), cancellation);
                if (end == UpdateEnd.Boot)
                {
                    return;
                }
                await ReportAllAsync(cancellation);
                await ReportOutcomeAsync(cancellation);
            }
            await jobs.ChangedAsync(cancellation);
        }
    }

    private async Task CheckInAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(running.Options.CheckIn, running.Time, cancellation);
            var health = await running.Device.HealthAsync(cancellation);
            if (health != _health)
            {
                running.Tell("health", $"{health.State} {health.Reason}");
            }
            _health = health;
            await connection.PublishAsync(_shadows + "ota/update", ShadowReport.Update(ShadowReport.CheckIn(health, running.Now)), cancellation);
        }
    }

    private JsonObject JobOnly()
    {
        var reported = new JsonObject { ["checkIn"] = running.Now, ["sequence"] = running.Store.Current.Sequence };
        reported["job"] = ShadowReport.Job(running.Store.Current.Job);
        return reported;
    }

    private async Task ReportAllAsync(CancellationToken cancellation)
    {
        var record = running.Store.Current;
        if (record[running.Boot.Slot] is { } content)
        {
            await connection.PublishAsync(_shadows + "$package/update", ShadowReport.Update(ShadowReport.Package(content)), cancellation);
        }
        var reply = await connection.RequestAsync(
            _shadows + "ota/update", ShadowReport.Update(ShadowReport.Whole(running.Options, record, running.Boot, _health, running.Now)), cancellation);
        if (!reply.Accepted)
        {
            throw new ConnectionException($"the shadow was refused: {reply.Code} {reply.Message}");
        }
    }

    /// <summary>Tells the service the newest outcome until it has it. The shadow comes first: it is the truth, the job's status a hint.</summary>
    /// <returns>False when the service has ended the execution by itself.</returns>
    private async Task<bool> ReportOutcomeAsync(CancellationToken cancellation)
    {
        if (running.Store.Current.Job is not { IsResolved: true, Reported: false } job)
        {
            return true;
        }
        var details = new JsonObject { ["release"] = job.Release.Length == 0 ? "unknown" : job.Release };
        foreach (var (name, text) in new[] { ("reason", job.Reason), ("detail", job.Detail) })
        {
            if (!string.IsNullOrEmpty(text))
            {
                details[name] = new string([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);
            }
        }
        bool taken = await jobs.UpdateAsync(job.Id, job.ExecutionNumber, ShadowReport.Status(job.Outcome), details, cancellation);
        running.Store.Save(running.Store.Current with { Job = job with { Reported = true } });
        running.Tell("resolved", $"{job.Id} {ShadowReport.Name(job.Outcome)} {job.Reason} {job.Detail}".TrimEnd());
        return taken;
    }
}
