using System.Security.Cryptography;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Slots;

/// <summary>
/// Two slots: one boots, the other is written. A slot becomes bootable, is confirmed or given up by one change of the record, and only ever after its bytes were verified and
/// made durable; so whenever the power goes, what the record names can boot.
/// </summary>
public sealed class SlotFiles(Disk disk, DeviceStore store, string directory)
{
    public const int BootAttempts = 3;

    /// <summary>The image that a slot was written from.</summary>
    public string PathOf(SlotName slot) => Path.Combine(directory, slot == SlotName.A ? "slot-a.img" : "slot-b.img");

    /// <summary>What a slot was verified to hold when it was written; null when nothing that may boot.</summary>
    public SlotContent? Content(SlotName slot) => store.Current[slot];

    public bool IsOnTrial => store.Current.Trial is not null;

    public static SlotName Other(SlotName slot) => slot == SlotName.A ? SlotName.B : SlotName.A;

    /// <summary>Puts the first image in place, as a factory does.</summary>
    public void Provision(string imageFile, SlotContent content)
    {
        var temporary = Path.Combine(directory, "factory.part");
        disk.Delete(temporary);
        using (var source = File.OpenRead(imageFile))
        using (var handle = disk.OpenAppend(temporary))
        {
            var buffer = new byte[64 * 1024];
            long at = 0;
            for (int read; (read = source.Read(buffer)) > 0; at += read)
            {
                disk.Write(handle, temporary, buffer.AsSpan(0, read), at);
            }
            disk.Flush(handle, temporary);
        }
        disk.Rename(temporary, PathOf(SlotName.A));
        store.Save(new DeviceRecord { SecurityCounter = content.SecurityCounter, Active = SlotName.A, SlotA = content });
    }

    /// <summary>What a boot loader decides at power-on: the slot on trial while it has attempts left, else the one that boots for good.</summary>
    public SlotName ChooseAtPowerOn()
    {
        var record = store.Current;
        if (record.Trial is not { } trial)
        {
            return record.Active;
        }
        if (record.AttemptsLeft == 0)
        {
            GiveUp("CRASH_LOOP", $"did not come up in {BootAttempts} boots");
            return record.Active;
        }
        store.Save(record with { AttemptsLeft = record.AttemptsLeft - 1 });
        return trial;
    }

    /// <summary>Moves a verified file into the slot that does not boot. The slot holds nothing while that goes on.</summary>
    public SlotName Fill(string verifiedFile, SlotContent content)
    {
        var slot = Other(store.Current.Active);
        store.Save(store.Current.With(slot, null) with { Trial = null });
        using (var handle = disk.OpenAppend(verifiedFile))
        {
            // Its last piece may have been written by a process that ended before it could flush.
            disk.Flush(handle, verifiedFile);
        }
        disk.Rename(verifiedFile, PathOf(slot));
        store.Save(store.Current.With(slot, content));
        return slot;
    }

    /// <summary>Whether the slot that does not boot still holds these very bytes; they are read again, for flash forgets.</summary>
    public async Task<bool> StillHoldsAsync(string sha256, CancellationToken cancellation)
    {
        var slot = Other(store.Current.Active);
        if (store.Current[slot]?.Sha256 != sha256 || !File.Exists(PathOf(slot)))
        {
            return false;
        }
        await using var stream = File.OpenRead(PathOf(slot));
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation)) == sha256;
    }

    /// <summary>From the next boot on the other slot is tried.</summary>
    public void StartTrial() => store.Save(store.Current with { Trial = Other(store.Current.Active), AttemptsLeft = BootAttempts, RevertReason = null, RevertDetail = null });

    /// <summary>The slot on trial boots for good, and the counter follows it; the job's outcome is part of the same step.</summary>
    public void Confirm(Func<DeviceRecord, DeviceRecord> outcome)
    {
        var record = store.Current;
        var slot = record.Trial ?? throw new InvalidOperationException("no slot is on trial");
        store.Save(outcome(record with { Active = slot, Trial = null, AttemptsLeft = 0, SecurityCounter = Math.Max(record.SecurityCounter, record[slot]!.SecurityCounter) }));
    }

    /// <summary>Ends the trial; from the next boot on the slot before it boots again.</summary>
    public void GiveUp(string reason, string detail)
    {
        if (store.Current.Trial is not null)
        {
            store.Save(store.Current with { Trial = null, AttemptsLeft = 0, RevertReason = reason, RevertDetail = detail });
        }
    }
}
