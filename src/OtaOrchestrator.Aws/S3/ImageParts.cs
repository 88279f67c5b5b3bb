using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace OtaOrchestrator.Aws.S3;

/// <summary>An image as S3 takes it: in parts of a fixed size, each with its SHA-256.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="Sums">SHA-256 of each part.</param>
internal sealed record ImageParts(string File, long Size, IReadOnlyList<byte[]> Sums)
{
    /// <summary>Above S3's least size of a part, 5 MiB; 4 GiB are 512 parts of the 10,000 that it takes.</summary>
    public const int PartBytes = 8 * 1024 * 1024;

    public bool IsOne => Sums.Count == 1;

    /// <summary>What S3 says of the whole object: the image's own SHA-256 where it is one part, else the SHA-256 of those of the parts, and their number.</summary>
    public string Checksum => IsOne ? Convert.ToBase64String(Sums[0]) : $"{Convert.ToBase64String(SHA256.HashData([.. Sums.SelectMany(sum => sum)]))}-{Sums.Count}";

    public string Sum(int part) => Convert.ToBase64String(Sums[part]);

    public int Bytes(int part) => (int)Math.Min(PartBytes, Size - ((long)part * PartBytes));

    public async Task<MemoryStream> ReadAsync(int part, CancellationToken cancellation)
    {
        var bytes = new byte[Bytes(part)];
        using var file = System.IO.File.OpenHandle(File, options: FileOptions.Asynchronous);
        for (int read = 0; read < bytes.Length;)
        {
            int got = await RandomAccess.ReadAsync(file, bytes.AsMemory(read), ((long)part * PartBytes) + read, cancellation);
            read += got > 0 ? got : throw new EndOfStreamException($"{File} became shorter");
        }

        return new MemoryStream(bytes, writable: false);
    }

    public static async Task<ImageParts> OfAsync(string file)
    {
        var size = new FileInfo(file).Length;
        var parts = new ImageParts(file, size, []);
        var sums = new byte[(int)Math.Max(1, (size + PartBytes - 1) / PartBytes)][];
        for (int part = 0; part < sums.Length; part++)
        {
            using var bytes = await parts.ReadAsync(part, CancellationToken.None);
            sums[part] = await SHA256.HashDataAsync(bytes);
        }

        return parts with { Sums = sums };
    }
}

/// <summary>The parts of images, read once each: it takes seconds for a large one, and preparing asks again and again.</summary>
internal sealed class ImagePartsCache(Func<string, string> fileOf)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<ImageParts>>> _known = new(StringComparer.Ordinal);

    /// <exception cref="FileNotFoundException">The image is not in the store.</exception>
    public async Task<ImageParts> OfAsync(string sha256, CancellationToken cancellation)
    {
        var reading = _known.GetOrAdd(sha256, _ => new Lazy<Task<ImageParts>>(() => Task.Run(() => ImageParts.OfAsync(fileOf(sha256)))));
        try
        {
            return await reading.Value.WaitAsync(cancellation);
        }
        catch (Exception) when (reading.Value.IsFaulted)
        {
            _known.TryRemove(KeyValuePair.Create(sha256, reading));
            throw;
        }
    }
}
