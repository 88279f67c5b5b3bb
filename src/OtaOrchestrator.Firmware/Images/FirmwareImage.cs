using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace OtaOrchestrator.Firmware.Images;

/// <summary>What keeps bytes from being an image.</summary>
public enum ImageProblem { None, NotAnImage, Truncated, Malformed, TooLong, HashMismatch }

/// <summary>What an image says of itself.</summary>
/// <param name="HeaderBytes">Where the body begins.</param>
public sealed record ImageHeader(string Name, string Version, IReadOnlyList<string> HardwareIds, long SecurityCounter, long BodyBytes, int HeaderBytes)
{
    /// <summary>Header, body and trailer.</summary>
    public long TotalBytes => HeaderBytes + BodyBytes + FirmwareImage.TrailerBytes;
}

/// <summary>An image that was read to its end.</summary>
/// <param name="FileSha256">Of the exact file, 32 bytes.</param>
public sealed record ImageReading(ImageProblem Problem, string Text, ImageHeader? Header, byte[] FileSha256, long FileBytes);

/// <summary>
/// The self-describing image: a little-endian header (<c>OTAI</c>, format version 1, length of the description, the description as UTF-8 lines), the body, and as trailer the
/// SHA-256 of all before it. The trailer finds damage; who made the image is the signature's to say.
/// </summary>
public static partial class FirmwareImage
{
    public const int TrailerBytes = 32;
    private const int FixedBytes = 20;
    private const int DescriptionBytesMax = 4096;
    private const long BodyBytesMax = 1L << 40;
    private const int FieldCount = 4;
    private const int Format = 1;

    /// <summary>Puts an image together in memory; for images that are made, not for those that are received.</summary>
    /// <exception cref="ArgumentException">What the header would say could not be read again.</exception>
    public static byte[] Create(string name, string version, IReadOnlyList<string> hardwareIds, long securityCounter, ReadOnlySpan<byte> body)
    {
        var description = Encoding.UTF8.GetBytes($"name={name}\nversion={version}\nhardware={string.Join(',', hardwareIds)}\ncounter={securityCounter}\n");
        var image = new byte[FixedBytes + description.Length + body.Length + TrailerBytes];
        "OTAI"u8.CopyTo(image);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(4), Format);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(8), description.Length);
        BinaryPrimitives.WriteInt64LittleEndian(image.AsSpan(12), body.Length);
        description.CopyTo(image, FixedBytes);
        body.CopyTo(image.AsSpan(FixedBytes + description.Length));
        SHA256.HashData(image.AsSpan(0, image.Length - TrailerBytes), image.AsSpan(image.Length - TrailerBytes));
        return Header(image) is { } header && header.Name == name && header.Version == version && header.SecurityCounter == securityCounter && header.HardwareIds.SequenceEqual(hardwareIds)
            ? image
            : throw new ArgumentException("name, version and hardware ids are of letters, digits, dots, dashes and underscores, and the counter is not negative");
    }

    /// <summary>Reads an image's header from its first bytes; null when they are none.</summary>
    public static ImageHeader? Header(ReadOnlySpan<byte> start)
    {
        if (start.Length < FixedBytes || !start.StartsWith("OTAI"u8) || BinaryPrimitives.ReadInt32LittleEndian(start[4..]) != Format)
        {
            return null;
        }
        int length = BinaryPrimitives.ReadInt32LittleEndian(start[8..]);
        long body = BinaryPrimitives.ReadInt64LittleEndian(start[12..]);
        if (length is <= 0 or > DescriptionBytesMax || body is < 0 or > BodyBytesMax || start.Length < FixedBytes + length)
        {
            return null;
        }
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        foreach (var line in Encoding.UTF8.GetString(start.Slice(FixedBytes, length)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !fields.TryAdd(line[..equals], line[(equals + 1)..]))
            {
                return null;
            }
        }
        return fields.Count == FieldCount && fields.TryGetValue("name", out var name) && Word().IsMatch(name)
            && fields.TryGetValue("version", out var version) && Word().IsMatch(version)
            && fields.TryGetValue("hardware", out var hardware) && hardware.Split(',') is { Length: > 0 and <= 32 } ids && ids.All(id => Word().IsMatch(id))
            && fields.TryGetValue("counter", out var text) && long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long counter)
            ? new ImageHeader(name, version, ids, counter, body, FixedBytes + length)
            : null;
    }

    /// <summary>Reads to the end in bounded memory; says whether it is an intact image, and its digest in any case.</summary>
    public static async Task<ImageReading> ReadAsync(Stream stream, CancellationToken cancellation = default)
    {
        var check = new ImageCheck();
        var buffer = new byte[128 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellation)) > 0)
        {
            check.Append(buffer.AsSpan(0, read));
        }
        return check.Finish();
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
