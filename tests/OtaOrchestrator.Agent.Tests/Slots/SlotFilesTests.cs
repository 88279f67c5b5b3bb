using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Tests.Slots;

public sealed class SlotFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agent-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_slots_bytes_last_before_anything_names_them()
    {
        var disk = new ToldDisk();
        var store = new DeviceStore(disk, _folder);
        var slots = new SlotFiles(disk, store, _folder);
        slots.Provision(FleetBench.Sample("2.3.1"), Images.Content(FleetBench.Sample("2.3.1")));
        var part = Path.Combine(_folder, "download.part");
        // Written by another process, that ended before it flushed.
        File.Copy(FleetBench.Sample("2.4.0"), part);
        disk.Told.Clear();

        slots.Fill(part, Images.Content(FleetBench.Sample("2.4.0")));

        int flushed = disk.Told.IndexOf("Flush download.part");
        int named = disk.Told.IndexOf("Rename slot-b.img");
        Assert.InRange(flushed, 0, named);
        Assert.True(named < disk.Told.LastIndexOf("Rename state.json"), string.Join(", ", disk.Told));
    }

    private sealed class ToldDisk : Disk
    {
        public List<string> Told { get; } = [];

        protected override void Before(DiskEffect effect, string path) => Told.Add($"{effect} {Path.GetFileName(path)}");
    }
}
