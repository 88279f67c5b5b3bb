namespace OtaOrchestrator.Firmware.Tests;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ota-firmware-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
