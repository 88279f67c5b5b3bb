using CsCheck;
using OtaOrchestrator.Firmware.Images;

namespace OtaOrchestrator.Firmware.Tests;

public sealed class ImageTests
{
    private static readonly byte[] s_image = FirmwareImage.Create("thermostat-fw", "2.4.0", ["thermo-a1", "thermo-a2"], 3, new byte[1000]);

    [Fact]
    public void An_image_is_read_the_same_in_pieces_of_any_size() => Gen.Select(Gen.Int[0, 600], Gen.Int[1, 200]).Sample((bodyBytes, piece) =>
    {
        byte[] image = FirmwareImage.Create("fw", "1.0", ["hw"], 7, new byte[bodyBytes]);
        using var check = new ImageCheck();
        foreach (var part in image.Chunk(piece))
        {
            check.Append(part);
        }
        var reading = check.Finish();
        Assert.Equal(ImageProblem.None, reading.Problem);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData(image), reading.FileSha256);
        Assert.Equal((bodyBytes, 7L), ((int)reading.Header!.BodyBytes, reading.Header.SecurityCounter));
    });

    [Fact]
    public async Task Every_flipped_bit_is_found()
    {
        for (int at = 0; at < s_image.Length; at++)
        {
            byte[] bad = [.. s_image];
            bad[at] ^= (byte)(1 << (at % 8));
            Assert.NotEqual(ImageProblem.None, (await FirmwareImage.ReadAsync(new MemoryStream(bad))).Problem);
        }
    }

    [Fact]
    public async Task Every_cut_and_anything_more_is_found()
    {
        for (int length = 0; length < s_image.Length; length++)
        {
            var reading = await FirmwareImage.ReadAsync(new MemoryStream(s_image, 0, length));
            Assert.Contains(reading.Problem, new[] { ImageProblem.NotAnImage, ImageProblem.Malformed, ImageProblem.Truncated });
            Assert.Equal(length, reading.FileBytes);
        }
        Assert.Equal(ImageProblem.TooLong, (await FirmwareImage.ReadAsync(new MemoryStream([.. s_image, 0]))).Problem);
        Assert.Equal(ImageProblem.NotAnImage, (await FirmwareImage.ReadAsync(new MemoryStream("hsqs squashfs"u8.ToArray()))).Problem);
    }

    [Fact]
    public void Hostile_headers_are_no_headers() => Gen.Byte.Array[20, 200].Sample(bytes =>
    {
        "OTAI"u8.CopyTo(bytes);
        bytes.AsSpan(4, 4).Clear();
        bytes[4] = 1;
        Assert.Null(FirmwareImage.Header(bytes));
    });
}
