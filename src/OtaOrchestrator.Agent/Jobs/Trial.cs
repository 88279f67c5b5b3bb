using OtaOrchestrator.Agent.Slots;

namespace OtaOrchestrator.Agent.Jobs;

/// <summary>
/// An image that was booted and is not confirmed yet. It is confirmed only by a device that has proven that it can be updated again: it booted, passed its own check,
/// connected with its own certificate and got its jobs. Any other way the time runs out and the image before it boots.
/// </summary>
internal sealed class Trial(JobsClient jobs, Running running, Action confirmed)
{
    /// <param name="next">What the service says is this device's next job.</param>
    /// <returns>False when the image was given up, for its job was cancelled meanwhile.</returns>
    public async Task<bool> ConfirmAsync(JobExecution? next, CancellationToken cancellation)
    {
        var job = running.Store.Current.Job ?? throw new InvalidOperationException("an image is on trial without a job");
        bool IsOurs(JobExecution? execution) => execution is { IsPending: true } && execution.JobId == job.Id && execution.ExecutionNumber == job.ExecutionNumber;
        if (!IsOurs(next) && !IsOurs(await jobs.DescribeAsync(job.Id, cancellation)))
        {
            running.Slots.GiveUp("CANCELLED", "the job was ended before the image was confirmed");
            return false;
        }
        await running.Device.ConfirmAsync(running.Boot.Slot, cancellation);
        running.Slots.Confirm(record => record with { Job = job.Resolve(JobOutcome.Confirmed, null, null, running.Now) });
        confirmed();
        return true;
    }

    /// <summary>The outcome of a job whose image should have been booted, seen after a boot. A trial that goes on has none yet.</summary>
    public static void Settle(Running running)
    {
        var record = running.Store.Current;
        if (record is { Trial: null, RevertReason: { } reason, Job: { IsResolved: false } job })
        {
            running.Store.Save(record with { RevertReason = null, RevertDetail = null, Job = job.Resolve(JobOutcome.Reverted, reason, record.RevertDetail, running.Now) });
        }
    }
}
