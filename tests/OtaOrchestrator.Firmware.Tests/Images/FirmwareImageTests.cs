using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using OtaOrchestrator.Firmware.Images;

namespace OtaOrchestrator.Firmware.Tests.Images;

public sealed class FirmwareImageTests
{
    private static readonly string[] Hardware = ["thermo-a1", "thermo-a2"];

    private static byte[] Image(int bodyBytes = 1000) => FirmwareImage.Create("thermostat-fw", "2.4.0", Hardware, 3, Body(bodyBytes));

    private static byte[] Body(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 31))];

    private static async Task<ImageReading> Read(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        return await FirmwareImage.ReadAsync(stream, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_image_says_what_it_is()
    {
        var image = Image();
        var reading = await Read(image);

        Assert.Equal(ImageProblem.None, reading.Problem);
        Assert.Equal(("thermostat-fw", "2.4.0", 3L, 1000L), (reading.Header!.Name, reading.Header.Version, reading.Header.SecurityCounter, reading.Header.BodyBytes));
        Assert.Equal(Hardware, reading.Header.HardwareIds);
        Assert.Equal(image.Length, reading.Header.TotalBytes);
        Assert.Equal(image.Length, reading.FileBytes);
        Assert.Equal(SHA256.HashData(image), reading.FileSha256);
    }

    [Fact]
    public void Pieces_of_any_size_give_the_same_reading() =>
        Gen.Select(Gen.Int[0, 9000], Gen.Int[1, 700].Array[1, 40]).Sample((bodyBytes, sizes) =>
        {
            var image = Image(bodyBytes);
            using var check = new ImageCheck();
            int at = 0;
            for (int i = 0; at < image.Length; i++)
            {
                int take = Math.Min(sizes[i % sizes.Length], image.Length - at);
                check.Append(image.AsSpan(at, take));
                at += take;
            }
            var reading = check.Finish();
            return reading.Problem == ImageProblem.None && reading.FileSha256.SequenceEqual(SHA256.HashData(image)) && reading.Header!.BodyBytes == bodyBytes;
        }, iter: 300);

    [Fact]
    public void Any_flipped_bit_is_found()
    {
        var image = Image(300);
        for (int at = 0; at < image.Length; at++)
        {
            var damaged = (byte[])image.Clone();
            damaged[at] ^= (byte)(1 << (at % 8));
            using var check = new ImageCheck();
            check.Append(damaged);
            var reading = check.Finish();
            Assert.True(reading.Problem != ImageProblem.None, $"byte {at} was flipped and nobody noticed");
            Assert.Equal(SHA256.HashData(damaged), reading.FileSha256);
        }
    }

    [Fact]
    public void Any_cut_is_found()
    {
        var image = Image(300);
        for (int length = 0; length < image.Length; length++)
        {
            using var check = new ImageCheck();
            check.Append(image.AsSpan(0, length));
            Assert.Contains(check.Finish().Problem, new[] { ImageProblem.NotAnImage, ImageProblem.Malformed, ImageProblem.Truncated });
        }
    }

    [Fact]
    public async Task Each_fault_has_its_own_name()
    {
        var image = Image();
        var flipped = (byte[])image.Clone();
        flipped[^100] ^= 1;

        Assert.Equal(ImageProblem.NotAnImage, (await Read([])).Problem);
        Assert.Equal(ImageProblem.NotAnImage, (await Read("hsqs a squash file system"u8.ToArray())).Problem);
        Assert.Equal(ImageProblem.Malformed, (await Read("OTAI"u8.ToArray())).Problem);
        Assert.Equal(ImageProblem.Truncated, (await Read(image[..^1])).Problem);
        Assert.Equal(ImageProblem.TooLong, (await Read([.. image, 0])).Problem);
        Assert.Equal(ImageProblem.HashMismatch, (await Read(flipped)).Problem);
    }

    [Theory]
    [InlineData("name=a\nversion=1\nhardware=h\n")]
    [InlineData("name=a\nname=b\nversion=1\nhardware=h\ncounter=0\n")]
    [InlineData("name=../a\nversion=1\nhardware=h\ncounter=0\n")]
    [InlineData("name=a\nversion=\nhardware=h\ncounter=0\n")]
    [InlineData("name=a\nversion=1\nhardware=\ncounter=0\n")]
    [InlineData("name=a\nversion=1\nhardware=h,,i\ncounter=0\n")]
    [InlineData("name=a\nversion=1\nhardware=h\ncounter=-1\n")]
    [InlineData("name=a\nversion=1\nhardware=h\ncounter=99999999999999999999\n")]
    [InlineData("name=a\nversion=1\nhardware=h\ncounter=0\nmaker=x\n")]
    [InlineData("name=a\nversion=1\nhardware=h\ncounter=0\nnonsense\n")]
    public void A_header_that_says_too_little_or_too_much_is_malformed(string description) => Assert.Null(FirmwareImage.Header(Described(description, 10)));

    [Theory]
    [InlineData(-1L)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MaxValue - 100)]
    public async Task A_body_length_out_of_range_is_malformed(long bodyBytes)
    {
        var start = Described("name=a\nversion=1\nhardware=h\ncounter=0\n", bodyBytes);

        Assert.Null(FirmwareImage.Header(start));
        Assert.Equal(ImageProblem.Malformed, (await Read(start)).Problem);
    }

    [Fact]
    public async Task A_description_that_claims_gigabytes_costs_no_memory()
    {
        var start = Described("name=a\nversion=1\nhardware=h\ncounter=0\n", 10);
        BinaryPrimitives.WriteInt32LittleEndian(start.AsSpan(8), int.MaxValue);

        Assert.Equal(ImageProblem.Malformed, (await Read(start)).Problem);
    }

    [Fact]
    public async Task A_quarter_of_a_gibibyte_is_read_in_bounded_memory()
    {
        using var endless = new Repeating(256L << 20);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var reading = await FirmwareImage.ReadAsync(endless, TestContext.Current.CancellationToken);

        Assert.Equal(ImageProblem.NotAnImage, reading.Problem);
        Assert.Equal(256L << 20, reading.FileBytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Theory]
    [InlineData("with space", "1")]
    [InlineData("a\nb", "1")]
    [InlineData("a", "1\ncounter=9")]
    [InlineData("", "1")]
    public void What_could_not_be_read_again_is_not_made(string name, string version) =>
        Assert.Throws<ArgumentException>(() => FirmwareImage.Create(name, version, Hardware, 0, []));

    private static byte[] Described(string description, long bodyBytes)
    {
        var text = Encoding.UTF8.GetBytes(description);
        var start = new byte[20 + text.Length];
        "OTAI"u8.CopyTo(start);
        BinaryPrimitives.WriteInt32LittleEndian(start.AsSpan(4), 1);
        BinaryPrimitives.WriteInt32LittleEndian(start.AsSpan(8), text.Length);
        BinaryPrimitives.WriteInt64LittleEndian(start.AsSpan(12), bodyBytes);
        text.CopyTo(start, 20);
        return start;
    }

    /// <summary>A long stream that needs no memory.</summary>
    private sealed class Repeating(long length) : Stream
    {
        private long _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => _at; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int give = (int)Math.Min(count, length - _at);
            buffer.AsSpan(offset, give).Fill(7);
            _at += give;
            return give;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int give = (int)Math.Min(buffer.Length, length - _at);
            buffer.Span[..give].Fill(7);
            _at += give;
            return ValueTask.FromResult(give);
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
