using System.CommandLine;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class ReleasePublishCommand
{
    private const int ChunkBytes = 512 * 1024;
    private const int AttemptsMax = 3;

    public static Command Create(CliHost host)
    {
        var release = Arguments.Release();
        var file = new Option<FileInfo?>("--file", "-f") { Description = "The firmware image.", HelpName = "IMAGE" };
        var address = new Option<string[]>("--address") { Description = "Where the back end of this version answers, https://host:port; may be given more than once.", HelpName = "URL" };
        var hardware = new Option<string[]>("--hardware") { Description = "Hardware ids, for images that don't say it themselves.", HelpName = "ID" };
        var counter = new Option<long>("--security-counter") { Description = "Lowest counter that may be installed after it, for images that don't say it themselves.", HelpName = "N" };
        var fleet = new Option<string?>("--fleet") { Description = "Only for devices of this fleet.", HelpName = "NAME" };
        var sha256 = new Option<string?>("--sha256") { Description = "What the image must hash to.", HelpName = "HEX" };
        var stays = new Option<string[]>("--stays") { Description = "What a rollback does not take back, for people, for example \"DB migration 0051\"; may be given more than once.", HelpName = "TEXT" };
        return new Command("publish", "Publish a back-end version (--address) or a firmware image (--file). The server checks and signs it.")
            { release, file, address, hardware, counter, fleet, sha256, stays }.Does(host, async session =>
        {
            var image = session.Get(file);
            var addresses = session.Get(address) ?? [];
            if ((image is null) == (addresses.Length == 0))
            {
                throw new CliFailure(ExitCode.Usage, "either --file IMAGE or --address URL");
            }
            if (image is { Exists: false })
            {
                throw new CliFailure(ExitCode.Failure, $"there is no file {image.FullName}");
            }
            var content = new Release { Name = ResourceName.Release(session.Required(release)), Stays = { session.Get(stays) ?? [] } };
            var expected = session.Get(sha256)?.ToLowerInvariant() ?? "";
            if (image is null)
            {
                content.Backend = new BackendRelease { Addresses = { addresses } };
            }
            else
            {
                var ids = session.Get(hardware) ?? [];
                content.Firmware = new FirmwareRelease { Size = image.Length, HardwareIds = { ids }, SecurityCounter = session.Get(counter), Fleet = session.Get(fleet) ?? "" };
                if (ids.Length > 0 && expected.Length == 0)
                {
                    // An image that does not describe itself does not protect itself either.
                    await using var stream = image.OpenRead();
                    expected = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, session.Cancellation));
                }
            }
            var head = new PublishReleaseRequest.Types.Head { Release = content, RequestId = Arguments.NewRequestId(), ExpectedSha256 = expected };
            var published = await Send(session.Api, session.Report, host.Time, head, image, session.Cancellation);
            session.Report.Answer(published, () => ReleaseView.Lines(published, host.Time));
            return ExitCode.Ok;
        });
    }

    /// <summary>Streams head and bytes; the whole stream is repeated under the same request id when the transport fails.</summary>
    public static async Task<Release> Send(Api api, Report report, TimeProvider time, PublishReleaseRequest.Types.Head head, FileInfo? image, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await SendOnce(api, head, image, cancellation);
            }
            catch (RpcException failure) when (attempt < AttemptsMax && RpcFailure.MayRepeat(failure))
            {
                report.Note("the connection was lost, sending it again ...");
                api.Forget();
                await Task.Delay(TimeSpan.FromSeconds(attempt), time, cancellation);
            }
        }
    }

    private static async Task<Release> SendOnce(Api api, PublishReleaseRequest.Types.Head head, FileInfo? image, CancellationToken cancellation)
    {
        using var call = api.Releases.PublishRelease(cancellationToken: cancellation);
        try
        {
            await call.RequestStream.WriteAsync(new PublishReleaseRequest { Head = head }, cancellation);
            if (image is not null)
            {
                await using var stream = new FileStream(image.FullName, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
                // One is read while the other is sent.
                var (filling, sending) = (new byte[ChunkBytes], new byte[ChunkBytes]);
                for (int read = await ReadAsync(filling); read > 0;)
                {
                    (filling, sending) = (sending, filling);
                    var next = ReadAsync(filling);
                    await call.RequestStream.WriteAsync(new PublishReleaseRequest { Chunk = UnsafeByteOperations.UnsafeWrap(sending.AsMemory(0, read)) }, cancellation);
                    read = await next;
                }

                ValueTask<int> ReadAsync(byte[] buffer) => stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
            }
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception failure) when (failure is InvalidOperationException or RpcException { StatusCode: StatusCode.OK })
        {
            // The server has answered already, for example with a refusal: its answer says more than the broken stream.
        }
        return await call.ResponseAsync;
    }
}
