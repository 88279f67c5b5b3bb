using System.Security.Cryptography;
using System.Text.Json;
using OtaOrchestrator.EndToEnd.Tests.Installation;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>The largest images that anybody has, published by <c>ota</c> to a server of its own.</summary>
[Collection(Site.OneAtATime)]
public sealed class LargeImageTests
{
    private const long Mebibyte = 1024 * 1024;
    private const long MemoryMax = 120 * Mebibyte;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public Task A_large_image_is_streamed_in_bounded_memory_on_both_sides() => StreamsAsync(512 * Mebibyte);

    [Fact]
    [Trait("Gate", "Full")]
    public Task An_image_of_2_GiB_takes_no_more_memory() => StreamsAsync(2048 * Mebibyte);

    private static async Task StreamsAsync(long bytes)
    {
        var folder = Directory.CreateTempSubdirectory("ota-large-");
        try
        {
            var (image, home) = (Path.Combine(folder.FullName, "large.img"), Path.Combine(folder.FullName, "home"));
            var sha256 = await WriteAsync(image, bytes);
            await using var server = Child.Start(Programs.Server, "--home", home, "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--firmware", "127.0.0.1:0");
            await Wait.UntilAsync(() => Task.FromResult(File.Exists(Path.Combine(home, "server", "endpoint.json"))), Limit, () => server.Output);
            // Code and pools are there after a small one.
            await PublishAsync("small-fw@1.0.0", await SmallAsync(folder), home);
            long before = Memory.Peak(server.Id);

            using var published = JsonDocument.Parse(await PublishAsync("large-fw@1.0.0", (image, sha256), home));
            Assert.Equal("sha256:" + sha256, published.RootElement.GetProperty("digest").GetString());
            Assert.Equal(bytes, new FileInfo(Path.Combine(home, "server", "firmware", sha256)).Length);
            long grew = Memory.Peak(server.Id) - before;
            Assert.True(grew < MemoryMax, $"the server's memory grew by {grew / Mebibyte} MiB");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> PublishAsync(string release, (string File, string Sha256) image, string home)
    {
        await using var ota = Child.Start(Programs.Cli, "release", "publish", release, "--file", image.File, "--hardware", "thermo-a1", "--sha256", image.Sha256, "--home", home, "--json");
        long peak = 0;
        while (!ota.Ended)
        {
            peak = Math.Max(peak, Memory.Peak(ota.Id));
            await Task.WhenAny(ota.WaitAsync(Limit), Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }
        await ota.WaitAsync(Limit);
        Assert.True(ota.ExitCode == 0, ota.Output);
        Assert.True(peak < 2 * MemoryMax, $"ota took {peak / Mebibyte} MiB");
        return string.Join('\n', ota.Written);
    }

    private static async Task<(string File, string Sha256)> SmallAsync(DirectoryInfo folder)
    {
        var file = Path.Combine(folder.FullName, "small.img");
        await File.WriteAllBytesAsync(file, new byte[8 * Mebibyte]);
        return (file, Convert.ToHexStringLower(SHA256.HashData(new byte[8 * Mebibyte])));
    }

    /// <summary>A file with a hole: it takes no room until it is published.</summary>
    private static async Task<string> WriteAsync(string file, long bytes)
    {
        await using (var stream = File.Create(file))
        {
            stream.SetLength(bytes);
            stream.Position = bytes - 5;
            stream.Write("large"u8);
        }
        await using var whole = File.OpenRead(file);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(whole));
    }
}
