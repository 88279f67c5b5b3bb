using System.Collections.Concurrent;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Server.Hosting;

namespace OtaOrchestrator.Server.Releases;

/// <summary>The images, one file each, named by their digest. A file is complete or not there.</summary>
public sealed class FirmwareStore(Home home)
{
    private readonly ConcurrentDictionary<Upload, string> _arriving = [];

    /// <summary>Digests of images that are in the store already while their release is being written.</summary>
    public IReadOnlySet<string> Arriving => _arriving.Values.ToHashSet(StringComparer.Ordinal);

    /// <summary>Digests of every image in the store.</summary>
    public IReadOnlyList<string> Stored() => [.. Directory.EnumerateFiles(home.Firmware).Select(file => Path.GetFileName(file))];

    public string File(string sha256) => Path.Combine(home.Firmware, sha256);

    /// <summary>Removes what uploads left that a crash cut off.</summary>
    public void Sweep()
    {
        foreach (var file in Directory.EnumerateFiles(home.Uploads))
        {
            System.IO.File.Delete(file);
        }
    }

    public async Task<ImageReading> CheckAsync(string sha256, CancellationToken cancellation)
    {
        await using var stream = System.IO.File.OpenRead(File(sha256));
        return await FirmwareImage.ReadAsync(stream, cancellation);
    }

    /// <param name="size">Bytes that were announced.</param>
    public Upload Begin(long size) => new(this, home.Uploads, size);

    internal void Keep(Upload upload, string file, string sha256)
    {
        _arriving[upload] = sha256;
        System.IO.File.Move(file, File(sha256), overwrite: true);
    }

    internal void Forget(Upload upload) => _arriving.TryRemove(upload, out _);
}
