using System.Text.Json;

namespace OtaOrchestrator.Agent.Storage;

/// <summary>The device's record on disk: <c>state.json</c>. One writer; readers see a whole record.</summary>
public sealed class DeviceStore
{
    private readonly Disk _disk;
    private readonly string _file;

    /// <exception cref="InvalidDataException">There is a record, but it cannot be read: a device does not guess what it was.</exception>
    public DeviceStore(Disk disk, string directory)
    {
        (_disk, _file) = (disk, Path.Combine(directory, "state.json"));
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (!File.Exists(_file))
        {
            return;
        }
        try
        {
            Current = JsonSerializer.Deserialize(File.ReadAllBytes(_file), RecordJson.Default.DeviceRecord)!;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{_file} is damaged", error);
        }
        if (Current is not { Format: DeviceRecord.CurrentFormat })
        {
            throw new InvalidDataException($"{_file} has another format than this agent's, {DeviceRecord.CurrentFormat}");
        }
    }

    public DeviceRecord Current { get; private set; } = new();

    /// <summary>Makes the record durable, then current.</summary>
    public void Save(DeviceRecord record)
    {
        _disk.Replace(_file, JsonSerializer.SerializeToUtf8Bytes(record, RecordJson.Default.DeviceRecord));
        Current = record;
    }
}
