using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using OtaOrchestrator.Agent.Download;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Agent.Jobs;

internal enum UpdateEnd { Resolved, Boot }

/// <summary>
/// One job from its document to an image that is ready to boot, or to the reason why not. What it decides is in the record before anything follows from it, so it can be
/// run again from the start at any time.
/// </summary>
internal sealed class UpdateRun(JobsClient jobs, ImageDownload download, Disk disk, Running running)
{
    private DeviceStore Store => running.Store;

    public async Task<UpdateEnd> RunAsync(JobExecution execution, Func<Task> reportStarted, CancellationToken cancellation)
    {
        var job = Store.Current.Job is { IsResolved: false } known && known.Id == execution.JobId && known.ExecutionNumber == execution.ExecutionNumber
            ? known
            : new JobRecord(execution.JobId, execution.ExecutionNumber, "", null, running.Now);
        Store.Save(Store.Current with { Job = job, RevertReason = null, RevertDetail = null });
        await reportStarted();

        using var work = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watching = WatchAsync(execution, work);
        try
        {
            return await DecideAsync(execution, work.Token);
        }
        catch (OperationCanceledException) when (work.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            Resolve(JobOutcome.Failed, "CANCELLED", "the job was ended by the service");
            return UpdateEnd.Resolved;
        }
        catch (Exception error) when (error is InstallException or IOException or UnauthorizedAccessException)
        {
            Resolve(JobOutcome.Failed, "INSTALL", error.Message);
            return UpdateEnd.Resolved;
        }
        finally
        {
            await work.CancelAsync();
            await watching;
        }
    }

    private async Task<UpdateEnd> DecideAsync(JobExecution execution, CancellationToken cancellation)
    {
        if (execution.Document.ValueKind != JsonValueKind.Object || execution.Document.GetRawText().Length > 2 * UpdateDocument.CharactersMax
            || UpdateDocument.Parse(execution.Document) is not { } document)
        {
            return Refuse(RefusalCode.Malformed, "the job document is malformed");
        }
        var record = Store.Current;
        Store.Save(record = record with { Job = record.Job! with { Release = document.Release } });
        var identity = new DeviceIdentity(running.Options.Fleet, running.Options.HardwareId, record.SecurityCounter, record.Sequence, record.AcceptedManifest);
        var acceptance = Acceptance.Of(document, identity, running.Options.ReleaseKey);
        var current = record[running.Boot.Slot];
        bool isAsked = document.Operation == UpdateOperation.Update || (current is not null && document.Candidates.Contains(current.Digest, StringComparer.Ordinal));
        if (acceptance.Manifest is not { } manifest)
        {
            // Told to leave what it does not run, a device has nothing to do, whatever the image is that it will not get; but a forged word stays a forged word.
            return isAsked || acceptance.Refusal is RefusalCode.Signature or RefusalCode.Manifest
                ? Refuse(acceptance.Refusal!.Value, acceptance.Text)
                : Nothing("does not run the candidate");
        }
        Store.Save(record = record with
        {
            Sequence = manifest.Sequence,
            AcceptedManifest = Convert.ToHexStringLower(SHA256.HashData(document.ManifestBytes)),
            Job = record.Job! with { Sha256 = manifest.Sha256 },
        });
        if (current?.Sha256 == manifest.Sha256)
        {
            return Nothing("runs this image already");
        }
        if (!isAsked)
        {
            return Nothing("does not run the candidate");
        }
        return await PrepareAsync(execution, document, manifest, cancellation);
    }

    private async Task<UpdateEnd> PrepareAsync(JobExecution execution, UpdateDocument document, Manifest manifest, CancellationToken cancellation)
    {
        var slot = SlotFiles.Other(running.Boot.Slot);
        if (await running.Slots.StillHoldsAsync(manifest.Sha256, cancellation))
        {
            ImageDownload.Clean(disk, running.Options.StateDirectory, null);
        }
        else
        {
            await ProgressAsync(execution, "downloading", cancellation);
            var result = await download.FetchAsync(manifest, document.ImageUrl, token => RenewAsync(execution, token), cancellation);
            if (result.File is null)
            {
                if (result.Refusal is { } code)
                {
                    return Refuse(code, result.Text);
                }
                Resolve(JobOutcome.Failed, "DOWNLOAD", result.Text);
                return UpdateEnd.Resolved;
            }
            running.Slots.Fill(result.File, new SlotContent(manifest.Sha256, manifest.Release, manifest.Version, manifest.SecurityCounter, manifest.Size));
        }
        await running.Device.InstallAsync(slot, running.Slots.PathOf(slot), cancellation);
        await ProgressAsync(execution, "ready", cancellation);
        running.Slots.StartTrial();
        return UpdateEnd.Boot;
    }

    /// <summary>AWS's word for it: <c>self_test</c>. Also finds out whether the job is still wanted.</summary>
    private async Task ProgressAsync(JobExecution execution, string selfTest, CancellationToken cancellation)
    {
        if (!await jobs.UpdateAsync(execution.JobId, execution.ExecutionNumber, "IN_PROGRESS", new JsonObject { ["self_test"] = selfTest }, cancellation))
        {
            throw new InstallException("the job was ended by the service");
        }
    }

    private async Task<string?> RenewAsync(JobExecution execution, CancellationToken cancellation) =>
        await jobs.DescribeAsync(execution.JobId, cancellation) is { IsPending: true } fresh && UpdateDocument.Parse(fresh.Document) is { } document ? document.ImageUrl : null;

    /// <summary>Ends the work when the service has ended the job.</summary>
    private async Task WatchAsync(JobExecution execution, CancellationTokenSource work)
    {
        try
        {
            while (true)
            {
                await jobs.ChangedAsync(work.Token);
                var now = await jobs.DescribeAsync(execution.JobId, work.Token);
                if (now is not { IsPending: true } || now.ExecutionNumber != execution.ExecutionNumber)
                {
                    await work.CancelAsync();
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or Mqtt.ConnectionException)
        {
            // The work is over, or learns of the lost connection itself.
        }
    }

    private UpdateEnd Refuse(RefusalCode code, string text)
    {
        Resolve(JobOutcome.Refused, code.ToString().ToUpperInvariant(), text);
        return UpdateEnd.Resolved;
    }

    private UpdateEnd Nothing(string text)
    {
        Resolve(JobOutcome.Nothing, null, text);
        return UpdateEnd.Resolved;
    }

    private void Resolve(JobOutcome outcome, string? reason, string text) => Store.Save(Store.Current with { Job = Store.Current.Job!.Resolve(outcome, reason, text, running.Now) });
}
