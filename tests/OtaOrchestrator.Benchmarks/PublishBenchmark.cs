using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Net.Client;
using Microsoft.Extensions.Hosting;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Hosting;

namespace OtaOrchestrator.Benchmarks;

/// <summary>Publishing 256 MiB, streamed over gRPC and TLS, hashed, signed and stored, against openssl hashing the file and a copy of it.</summary>
internal static class PublishBenchmark
{
    private const long Bytes = 256L * 1024 * 1024;
    private const int Rounds = 5;

    public static async Task<Result> RunAsync()
    {
        var directory = Directory.CreateTempSubdirectory("ota-bench-");
        try
        {
            var image = Path.Combine(directory.FullName, "firmware.bin");
            await WriteAsync(image);
            var home = Path.Combine(directory.FullName, "home");
            var (options, problem) = ServerOptions.Parse(["--home", home, "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--firmware", "127.0.0.1:0"]);
            await using var server = ServerHost.Build(options ?? throw new InvalidOperationException(problem), TimeProvider.System);
            await server.StartAsync();
            ServerHost.Announce(server);
            using var channel = Open(home, options);
            var releases = new Releases.ReleasesClient(channel);
            List<double> ours = [];
            List<double> peer = [];
            for (int round = 0; round <= Rounds; round++)
            {
                var sha256 = Convert.ToHexStringLower(await HashAsync(image));
                long started = Stopwatch.GetTimestamp();
                await PublishAsync(releases, image, $"1.0.{round}", sha256);
                double took = Stopwatch.GetElapsedTime(started).TotalSeconds;
                started = Stopwatch.GetTimestamp();
                await OpensslAndCopyAsync(image, image + ".copy");
                if (round > 0)
                {
                    // The first round loads code and caches on both sides.
                    ours.Add(took);
                    peer.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                }
            }
            await server.StopAsync();
            double ratio = Result.Median(ours) / Result.Median(peer);
            return new Result("publish 256 MiB", "openssl dgst -sha256 + copy", "s", Result.Median(ours), Result.Median(peer), ratio, "<= 1.5", ratio <= 1.5);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task PublishAsync(Releases.ReleasesClient releases, string image, string version, string sha256)
    {
        using var call = releases.PublishRelease();
        await call.RequestStream.WriteAsync(new PublishReleaseRequest
        {
            Head = new()
            {
                Release = new Release { Name = $"releases/bench-fw@{version}", Firmware = new FirmwareRelease { Size = Bytes, HardwareIds = { "bench" } } },
                ExpectedSha256 = sha256,
                RequestId = version,
            },
        });
        await using var stream = File.OpenRead(image);
        var buffer = new byte[512 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer)) > 0)
        {
            await call.RequestStream.WriteAsync(new PublishReleaseRequest { Chunk = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, read)) });
        }
        await call.RequestStream.CompleteAsync();
        await call.ResponseAsync;
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

    private static GrpcChannel Open(string home, ServerOptions options)
    {
        var identity = X509Certificate2.CreateFromPemFile(Path.Combine(home, "client", "admin.crt"), Path.Combine(home, "client", "admin.key"));
        var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(home, "client", "server-ca.crt"));
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        var handler = new SocketsHttpHandler();
        handler.SslOptions.ClientCertificates = [identity];
        handler.SslOptions.CertificateChainPolicy = policy;
        var endpoint = JsonDocumentOf(options.Home.Endpoint);
        return GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    private static string JsonDocumentOf(string file)
    {
        using var document = System.Text.Json.JsonDocument.Parse(File.ReadAllText(file));
        return document.RootElement.GetProperty("grpc").GetString()!;
    }

    private static async Task<byte[]> HashAsync(string file)
    {
        await using var stream = File.OpenRead(file);
        return await SHA256.HashDataAsync(stream);
    }

    private static async Task WriteAsync(string file)
    {
        await using var stream = File.Create(file);
        var block = new byte[1024 * 1024];
        for (long written = 0; written < Bytes; written += block.Length)
        {
            RandomNumberGenerator.Fill(block);
            await stream.WriteAsync(block);
        }
    }
}
