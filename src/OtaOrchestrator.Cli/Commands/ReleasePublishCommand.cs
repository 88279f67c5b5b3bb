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
    private const int AttemptsMax = 3;

    public static Command Create(CliHost host)
    {
        var release = Arguments.Release();
        var file = new Option<FileInfo?>("--file", "-f") { Description = "The firmware image.", HelpName = "IMAGE" };
        var address = new Option<string[]>("--address") { Description = "Where the back end of this version answers, https://host:port; may be given more than once.", HelpName = "URL" };
        var artifact = new Option<string[]>("--artifact") { Description = "What this version is for a kind of target on AWS: lambda=s3://bucket/key?sha256=HEX; may be given more than once.", HelpName = "KIND=URI" };
        var hardware = new Option<string[]>("--hardware") { Description = "Hardware ids, for images that don't say it themselves.", HelpName = "ID" };
        var counter = new Option<long>("--security-counter") { Description = "Lowest counter that may be installed after it, for images that don't say it themselves.", HelpName = "N" };
        var fleet = new Option<string?>("--fleet") { Description = "Only for devices of this fleet.", HelpName = "NAME" };
        var twin = new Option<string?>("--twin-of") { Description = "The image has the code of this release under a higher version: by it devices return that refuse a lower one.", HelpName = "NAME@VERSION" };
        var sha256 = new Option<string?>("--sha256") { Description = "What the image must hash to.", HelpName = "HEX" };
        var stays = new Option<string[]>("--stays") { Description = "What a rollback does not take back, for people, for example \"DB migration 0051\"; may be given more than once.", HelpName = "TEXT" };
        return new Command("publish", "Publish a back-end version (--address, --artifact) or a firmware image (--file). The server checks and signs it.")
            { release, file, address, artifact, hardware, counter, fleet, twin, sha256, stays }.Does(host, async session =>
        {
            var image = session.Get(file);
            var addresses = session.Get(address) ?? [];
            var artifacts = (session.Get(artifact) ?? []).Select(text => text.Split('=', 2)).ToList();
            if ((image is null) == (addresses.Length + artifacts.Count == 0))
            {
                throw new CliFailure(ExitCode.Usage, "--file IMAGE, or --address URL or --artifact KIND=URI or both");
            }
            if (artifacts.Find(parts => parts.Length < 2) is { } half)
            {
                throw new CliFailure(ExitCode.Usage, $"--artifact {half[0]} names no URI", "KIND=URI");
            }
            if (image is { Exists: false })
            {
                throw new CliFailure(ExitCode.Failure, $"there is no file {image.FullName}");
            }
            var content = new Release { Name = ResourceName.Release(session.Required(release)), Stays = { session.Get(stays) ?? [] } };
            var expected = session.Get(sha256)?.ToLowerInvariant() ?? "";
            if (image is null)
            {
                content.Backend = new BackendRelease { Addresses = { addresses }, Artifacts = { artifacts.DistinctBy(parts => parts[0]).ToDictionary(parts => parts[0], parts => parts[1]) } };
            }
            else
            {
                var ids = session.Get(hardware) ?? [];
                content.Firmware = new FirmwareRelease { Size = image.Length, HardwareIds = { ids }, SecurityCounter = session.Get(counter), Fleet = session.Get(fleet) ?? "", TwinOf = session.Get(twin) is { } same ? ResourceName.Release(same) : "" };
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

    /// <summary>Sends head and image; all of it is repeated under the same request id when the transport fails.</summary>
    public static async Task<Release> Send(Api api, Report report, TimeProvider time, PublishReleaseRequest.Types.Head head, FileInfo? image, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return image is null ? await SendBackend(api, head, cancellation) : await SendImage(api, report, head, image, cancellation);
            }
            catch (RpcException failure) when (attempt < AttemptsMax && RpcFailure.MayRepeat(failure))
            {
                report.Note("the connection was lost, sending it again ...");
                api.Forget();
                await Task.Delay(TimeSpan.FromSeconds(attempt), time, cancellation);
            }
        }
    }

    private static async Task<Release> SendBackend(Api api, PublishReleaseRequest.Types.Head head, CancellationToken cancellation)
    {
        using var call = api.Releases.PublishRelease(cancellationToken: cancellation);
        await call.RequestStream.WriteAsync(new PublishReleaseRequest { Head = head }, cancellation);
        await call.RequestStream.CompleteAsync();
        return await call.ResponseAsync;
    }

    private static async Task<Release> SendImage(Api api, Report report, PublishReleaseRequest.Types.Head head, FileInfo image, CancellationToken cancellation)
    {
        if (!report.Live)
        {
            return await api.PublishImage(head, image, null, cancellation);
        }
        Release? published = null;
        await report.InPlace(async show =>
        {
            long shown = -1;
            published = await api.PublishImage(head, image, sent =>
            {
                long percent = sent * 100 / Math.Max(1, image.Length);
                if (percent != shown)
                {
                    shown = percent;
                    show([percent < 100 ? $"sent {percent} % of {image.Name}" : $"{image.Name} is sent; the server checks and signs it"]);
                }
            }, cancellation);
        });
        return published!;
    }
}
