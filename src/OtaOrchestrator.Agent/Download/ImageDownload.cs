using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using OtaOrchestrator.Agent.Mqtt;
using OtaOrchestrator.Agent.Storage;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Agent.Download;

/// <summary>
/// Fetches an image over HTTPS with the device's certificate. Never more bytes than the signed manifest says; taken up where it broke off, also after a reboot; verified from
/// the disk as a whole before anybody sees it.
/// </summary>
public sealed class ImageDownload(AgentOptions options, Disk disk, X509Certificate2 identity, TimeProvider time)
{
    private const int ChunkBytes = 32 * 1024;
    private const int RenewalsMax = 8;

    private enum Step { Complete, Progress, Nothing, Renew, Refused }

    /// <summary>Removes what other downloads left behind.</summary>
    public static void Clean(Disk disk, string directory, string? exceptSha256)
    {
        foreach (var file in Directory.EnumerateFiles(directory, "*.part"))
        {
            if (Path.GetFileNameWithoutExtension(file) != exceptSha256)
            {
                disk.Delete(file);
            }
        }
    }

    /// <param name="renew">Asks for the job again, which gives a fresh link; null when there is no such job any more.</param>
    public async Task<DownloadResult> FetchAsync(Manifest manifest, string url, Func<CancellationToken, Task<string?>> renew, CancellationToken cancellation)
    {
        string file = Path.Combine(options.StateDirectory, manifest.Sha256 + ".part");
        Clean(disk, options.StateDirectory, manifest.Sha256);
        using var client = new HttpClient(Handler()) { Timeout = Timeout.InfiniteTimeSpan };
        using var deadline = new CancellationTokenSource(options.DownloadMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        var backoff = new Backoff(options.BackoffFirst, options.BackoffMax, time);
        int renewals = 0;
        bool resumed = File.Exists(file);
        string trouble = "";
        try
        {
            for (int fruitless = 0; fruitless < options.DownloadAttempts;)
            {
                if (Length(file) < manifest.Size)
                {
                    (var step, trouble) = await AttemptAsync(client, url, file, manifest.Size, either.Token);
                    if (step == Step.Refused)
                    {
                        disk.Delete(file);
                        return DownloadResult.Refused(RefusalCode.Hash, trouble);
                    }
                    if (step == Step.Renew && renewals++ < RenewalsMax)
                    {
                        if (await renew(either.Token) is not { } fresh)
                        {
                            return DownloadResult.Failed("the job is gone");
                        }
                        url = fresh;
                        continue;
                    }
                    if (step is Step.Nothing or Step.Renew or Step.Progress)
                    {
                        resumed = true;
                        fruitless = step == Step.Progress ? 0 : fruitless + 1;
                        if (step == Step.Progress)
                        {
                            backoff.Reset();
                        }
                        if (fruitless < options.DownloadAttempts)
                        {
                            await backoff.WaitAsync(either.Token);
                        }
                        continue;
                    }
                }
                var result = await VerifyAsync(file, manifest, either.Token);
                if (result.File is null)
                {
                    disk.Delete(file);
                    if (resumed)
                    {
                        // The pieces may be of different files, or from before a power loss: once more, in one go.
                        (resumed, fruitless) = (false, fruitless + 1);
                        continue;
                    }
                }
                return result;
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            trouble = $"took longer than {options.DownloadMax}";
        }
        return DownloadResult.Failed($"gave up with {Length(file)} of {manifest.Size} bytes: {trouble}");
    }

    private static long Length(string file) => File.Exists(file) ? new FileInfo(file).Length : 0;

    private async Task<(Step Step, string Text)> AttemptAsync(HttpClient client, string url, string file, long size, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
        {
            return (Step.Nothing, "the link is not an https address");
        }
        long start = Length(file);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var watch = time.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), stall, options.StallTimeout, Timeout.InfiniteTimeSpan);
        long at = start;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (start > 0)
            {
                request.Headers.Range = new RangeHeaderValue(start, null);
            }
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token);
            switch (response.StatusCode)
            {
                case HttpStatusCode.OK:
                    disk.Delete(file);
                    (start, at) = (0, 0);
                    break;
                case HttpStatusCode.PartialContent when response.Content.Headers.ContentRange?.From == start:
                    break;
                case HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized:
                    return (Step.Renew, "the link is not valid, or no longer");
                case HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.PartialContent:
                    disk.Delete(file);
                    return (Step.Nothing, "the server has another range than asked for");
                default:
                    return (Step.Nothing, $"the server answered {(int)response.StatusCode}");
            }
            if (response.Content.Headers.ContentLength is { } announced && start + announced > size)
            {
                return (Step.Refused, $"the server offers {start + announced} bytes, the manifest says {size}");
            }
            await using var body = await response.Content.ReadAsStreamAsync(stall.Token);
            using var handle = disk.OpenAppend(file);
            var buffer = new byte[ChunkBytes];
            for (int read; (read = await body.ReadAsync(buffer, stall.Token)) > 0;)
            {
                watch.Change(options.StallTimeout, Timeout.InfiniteTimeSpan);
                if (at + read > size)
                {
                    return (Step.Refused, $"more bytes came than the {size} of the manifest");
                }
                disk.Write(handle, file, buffer.AsSpan(0, read), at);
                at += read;
            }
            disk.Flush(handle, file);
            return at == size ? (Step.Complete, "") : (at > start ? Step.Progress : Step.Nothing, "the connection ended early");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (at > start ? Step.Progress : Step.Nothing, $"nothing came for {options.StallTimeout}");
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return (at > start ? Step.Progress : Step.Nothing, (error.InnerException ?? error).Message);
        }
    }

    private static async Task<DownloadResult> VerifyAsync(string file, Manifest manifest, CancellationToken cancellation)
    {
        await using var stream = File.OpenRead(file);
        var reading = await FirmwareImage.ReadAsync(stream, cancellation);
        if (Convert.ToHexStringLower(reading.FileSha256) != manifest.Sha256)
        {
            return DownloadResult.Refused(RefusalCode.Hash, "the image is not the one of the manifest: damaged or tampered with");
        }
        if (reading.Problem == ImageProblem.NotAnImage)
        {
            // A payload of another tool: what it is, the manifest alone says.
            return DownloadResult.Verified(file);
        }
        if (reading.Problem != ImageProblem.None || reading.Header is not { } header)
        {
            return DownloadResult.Refused(RefusalCode.Hash, "the image " + reading.Text);
        }
        return header.Version == manifest.Version && header.SecurityCounter == manifest.SecurityCounter && header.HardwareIds.Order().SequenceEqual(manifest.HardwareIds.Order())
            ? DownloadResult.Verified(file)
            : DownloadResult.Refused(RefusalCode.Manifest, $"the image is {header.Name} {header.Version} for {string.Join(", ", header.HardwareIds)}, the manifest says otherwise");
    }

    private SocketsHttpHandler Handler() => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = options.StallTimeout,
        MaxConnectionsPerServer = 1,
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificates = [identity],
            CertificateChainPolicy = Trust(),
        },
    };

    private X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(options.ServerAuthorities);
        return policy;
    }
}
