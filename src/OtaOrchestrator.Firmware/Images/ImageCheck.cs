using System.Security.Cryptography;

namespace OtaOrchestrator.Firmware.Images;

/// <summary>Checks an image as its bytes come by, in one pass and bounded memory, whatever the pieces' sizes.</summary>
public sealed class ImageCheck : IDisposable
{
    private const int StartBytes = 4096 + 64;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<byte> _start = [];
    private readonly byte[] _tail = new byte[FirmwareImage.TrailerBytes];
    private int _tailLength;

    /// <summary>Bytes seen.</summary>
    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }
        Length += bytes.Length;
        if (_start.Count < StartBytes)
        {
            _start.AddRange(bytes[..Math.Min(bytes.Length, StartBytes - _start.Count)]);
        }
        // All but the last bytes seen are content; the last ones may be the trailer, so they are hashed only when more follow.
        int hold = FirmwareImage.TrailerBytes;
        if (bytes.Length >= hold)
        {
            _hash.AppendData(_tail.AsSpan(0, _tailLength));
            _hash.AppendData(bytes[..^hold]);
            bytes[^hold..].CopyTo(_tail);
            _tailLength = hold;
            return;
        }
        int spill = Math.Max(0, _tailLength + bytes.Length - hold);
        _hash.AppendData(_tail.AsSpan(0, spill));
        _tail.AsSpan(spill, _tailLength - spill).CopyTo(_tail);
        bytes.CopyTo(_tail.AsSpan(_tailLength - spill));
        _tailLength += bytes.Length - spill;
    }

    public ImageReading Finish()
    {
        // What stands before the trailer is a beginning of the file: one hash gives both digests.
        var content = _hash.GetCurrentHash();
        _hash.AppendData(_tail.AsSpan(0, _tailLength));
        var digest = _hash.GetHashAndReset();
        ImageReading Bad(ImageProblem problem, string text, ImageHeader? header = null) => new(problem, text, header, digest, Length);

        var start = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_start);
        if (!start.StartsWith("OTAI"u8))
        {
            return Bad(ImageProblem.NotAnImage, "does not begin as an image");
        }
        if (FirmwareImage.Header(start) is not { } header)
        {
            return Bad(ImageProblem.Malformed, "its header is malformed");
        }
        if (Length < header.TotalBytes)
        {
            return Bad(ImageProblem.Truncated, $"has {Length} of {header.TotalBytes} bytes", header);
        }
        if (Length > header.TotalBytes)
        {
            return Bad(ImageProblem.TooLong, $"has {Length} bytes, its header says {header.TotalBytes}", header);
        }
        return CryptographicOperations.FixedTimeEquals(content, _tail)
            ? new ImageReading(ImageProblem.None, "intact", header, digest, Length)
            : Bad(ImageProblem.HashMismatch, "its bytes are not those that it was made of: damaged or tampered with", header);
    }

    public void Dispose() => _hash.Dispose();
}
