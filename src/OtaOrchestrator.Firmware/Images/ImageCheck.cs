using System.Security.Cryptography;

namespace OtaOrchestrator.Firmware.Images;

/// <summary>Checks an image as its bytes come by, in one pass and bounded memory, whatever the pieces' sizes.</summary>
public sealed class ImageCheck : IDisposable
{
    private const int StartBytes = 4096 + 64;
    private readonly IncrementalHash _file = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash _content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<byte> _start = [];
    private readonly byte[] _tail = new byte[FirmwareImage.TrailerBytes];
    private int _tailLength;
    private bool _opaque;

    /// <summary>Bytes seen.</summary>
    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }
        Length += bytes.Length;
        _file.AppendData(bytes);
        if (_start.Count < StartBytes)
        {
            _start.AddRange(bytes[..Math.Min(bytes.Length, StartBytes - _start.Count)]);
            _opaque = _start.Count >= 4 && !System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_start).StartsWith("OTAI"u8);
        }
        if (_opaque)
        {
            // Nothing of it is described, so there is no content to hash apart.
            return;
        }
        // All but the last bytes seen are content; the last ones may be the trailer.
        int hold = FirmwareImage.TrailerBytes;
        if (bytes.Length >= hold)
        {
            _content.AppendData(_tail.AsSpan(0, _tailLength));
            _content.AppendData(bytes[..^hold]);
            bytes[^hold..].CopyTo(_tail);
            _tailLength = hold;
            return;
        }
        int spill = Math.Max(0, _tailLength + bytes.Length - hold);
        _content.AppendData(_tail.AsSpan(0, spill));
        _tail.AsSpan(spill, _tailLength - spill).CopyTo(_tail);
        bytes.CopyTo(_tail.AsSpan(_tailLength - spill));
        _tailLength += bytes.Length - spill;
    }

    public ImageReading Finish()
    {
        var digest = _file.GetHashAndReset();
        ImageReading Bad(ImageProblem problem, string text, ImageHeader? header = null) => new(problem, text, header, digest, Length);

        var start = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_start);
        if (_opaque || !start.StartsWith("OTAI"u8))
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
        return CryptographicOperations.FixedTimeEquals(_content.GetHashAndReset(), _tail)
            ? new ImageReading(ImageProblem.None, "intact", header, digest, Length)
            : Bad(ImageProblem.HashMismatch, "its bytes are not those that it was made of: damaged or tampered with", header);
    }

    public void Dispose()
    {
        _file.Dispose();
        _content.Dispose();
    }
}
