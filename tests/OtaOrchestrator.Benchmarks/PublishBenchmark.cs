using System.Diagnostics;
using System.Security.Cryptography;
using OtaOrchestrator.EndToEnd.Tests.Installation;

namespace OtaOrchestrator.Benchmarks;

/// <summary>
/// <c>ota release publish</c> of 256 MiB, from its start to its end: sent over TLS to a server of its own, hashed, signed, stored durably. Against openssl hashing the
/// file and a durable copy of it.
/// </summary>
internal static class PublishBenchmark
{
    private const long Bytes = 256L * 1024 * 1024;
    private const int WarmUps = 4;
    private const int Rounds = 9;

    public static async Task<IReadOnlyList<Result>> RunAsync()
    {
        var directory = Directory.CreateTempSubdirectory("ota-bench-");
        try
        {
            var image = Path.Combine(directory.FullName, "firmware.bin");
            var sha256 = await WriteAsync(image);
            var home = Path.Combine(directory.FullName, "home");
            await using var server = Child.Start(Programs.Server, "--home", home, "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--firmware", "127.0.0.1:0");
            await Wait.UntilAsync(() => Task.FromResult(File.Exists(Path.Combine(home, "server", "endpoint.json"))), TimeSpan.FromSeconds(60), () => server.Output);
            List<double> ours = [];
            List<double> peer = [];
            for (int round = 0; round < WarmUps + Rounds; round++)
            {
                long started = Stopwatch.GetTimestamp();
                await NativeCli.RunAsync(home, "release", "publish", $"bench-fw@1.0.{round}", "--file", image, "--hardware", "bench", "--sha256", sha256);
                double took = Stopwatch.GetElapsedTime(started).TotalSeconds;
                started = Stopwatch.GetTimestamp();
                await OpensslAndCopyAsync(image, image + ".copy");
                // A server that has published before: its code is compiled by then.
                if (round >= WarmUps)
                {
                    ours.Add(took);
                    peer.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                }
            }
            double ratio = Result.Median(ours) / Result.Median(peer);
            return [new Result("publish 256 MiB", "openssl dgst -sha256 + copy", "s", Result.Median(ours), Result.Median(peer), ratio, "<= 1.5", ratio <= 1.5)];
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task OpensslAndCopyAsync(string image, string copy)
    {
        using var openssl = Process.Start(new ProcessStartInfo("openssl", ["dgst", "-sha256", image]) { RedirectStandardOutput = true })!;
        await openssl.WaitForExitAsync();
        await using var from = File.OpenRead(image);
        await using var to = File.Create(copy);
        await from.CopyToAsync(to);
        to.Flush(flushToDisk: true);
    }

    private static async Task<string> WriteAsync(string file)
    {
        await using (var stream = File.Create(file))
        {
            var block = new byte[1024 * 1024];
            for (long written = 0; written < Bytes; written += block.Length)
            {
                RandomNumberGenerator.Fill(block);
                await stream.WriteAsync(block);
            }
        }
        await using var whole = File.OpenRead(file);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(whole));
    }
}
