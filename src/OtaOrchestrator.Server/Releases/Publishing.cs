using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Releases;

/// <summary>Takes in releases, by whatever way their bytes come. What is published is immutable and, where it is firmware, checked and signed here.</summary>
public sealed class Publishing(Database database, FirmwareStore store, SigningKey signing, RequestTurns turns, TimeProvider time)
{
    private const long ImageBytesMax = 4L * 1024 * 1024 * 1024;

    /// <param name="read">Appends the image's bytes to the upload; is not called when there is no image to read.</param>
    public async Task<Release> PublishAsync(PublishReleaseRequest.Types.Head head, Actor actor, Func<Upload, CancellationToken, Task> read, CancellationToken cancellation)
    {
        var key = Caller.Key(actor, head.RequestId, head);
        using var turn = await turns.TakeAsync(actor, head.RequestId, cancellation);
        if (key.Before(database, Release.Parser) is { } before)
        {
            return before;
        }
        var release = head.Release?.Clone() ?? throw RefusedException.Invalid("release", "is missing");
        var name = ResourceNames.Release(release.Name);
        if (release.Stays.Count > 20 || release.Stays.Any(line => line.Length is 0 or > 200 || line.Any(char.IsControl)))
        {
            throw RefusedException.Invalid("release.stays", "are at most 20 lines of 1 to 200 characters");
        }
        await using var upload = Announced(release) is { } size ? store.Begin(size) : null;
        if (upload is null)
        {
            Backend(release);
        }
        else
        {
            await ReceiveAsync(upload, read, cancellation);
            await FirmwareAsync(release, name, head.ExpectedSha256, upload);
        }
        var now = time.GetUtcNow();
        release.Publisher = actor.Name;
        release.PublishTime = Timestamp.FromDateTimeOffset(now);
        release.Holds.Clear();
        return await database.WriteAsync(db =>
        {
            var row = new ReleaseRow(name.Name, name.Version, release.Digest, release.Firmware is null ? "backend" : "firmware", JsonFormatter.Default.Format(release), release.Publisher, now);
            var answer = release;
            if (!Journal.InsertRelease(db, row))
            {
                var there = Journal.Release(db, name.Name, name.Version)!;
                Same(there, release);
                answer = ReleaseService.Parse(there);
            }
            if (key is not null)
            {
                Journal.InsertRequest(db, key.Actor, key.Id, key.BodySha256, answer.ToByteArray(), now);
            }
            return answer;
        }, cancellation: cancellation);
    }

    internal static string BackendDigest(Release release) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{release.Name}\n{string.Join('\n', release.Backend.Addresses)}\n"
            + string.Concat(release.Backend.Artifacts.OrderBy(artifact => artifact.Key, StringComparer.Ordinal).Select(artifact => $"{artifact.Key}={artifact.Value}\n")))));

    /// <summary>The bytes of the image that is to come; null for a back end.</summary>
    private static long? Announced(Release release)
    {
        if (release.ContentCase == Release.ContentOneofCase.Backend)
        {
            return null;
        }
        var firmware = release.Firmware ?? throw RefusedException.Invalid("release", "is neither a back end nor firmware");
        if (firmware.Size is <= 0 or > ImageBytesMax)
        {
            throw RefusedException.Invalid("release.firmware.size", $"is 1 to {ImageBytesMax} bytes");
        }
        if (firmware.HardwareIds.Count > 32 || firmware.HardwareIds.Any(id => id.Length > 64 || !Names.IsGroup(id)) || firmware.SecurityCounter < 0)
        {
            throw RefusedException.Invalid("release.firmware", "has at most 32 hardware ids of letters, digits, hyphen and underscore, and a counter that is not negative");
        }
        if (firmware.TwinOf.Length > 0)
        {
            Twin(release, ResourceNames.Release(firmware.TwinOf));
        }
        return firmware.Size;
    }

    /// <summary>A twin is higher than what it is the twin of, or nobody needs it.</summary>
    private static void Twin(Release release, ReleaseName of)
    {
        var own = ResourceNames.Release(release.Name);
        if (own.Name != of.Name || ReleaseVersion.Compare(own.Version, of.Version) <= 0)
        {
            throw RefusedException.Invalid("release.firmware.twinOf", $"{own} is no twin of {of}: it has the same name, and a higher version");
        }
        release.Firmware.TwinOf = $"releases/{of}";
    }

    private static async Task ReceiveAsync(Upload upload, Func<Upload, CancellationToken, Task> read, CancellationToken cancellation)
    {
        try
        {
            await read(upload, cancellation);
        }
        catch (IOException) when (!upload.Failed)
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the connection broke after {upload.Length} bytes of the image");
        }
        if (upload.Length != upload.Size)
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the upload was cut off after {upload.Length} of {upload.Size} bytes");
        }
    }

    private async Task FirmwareAsync(Release release, ReleaseName name, string expected, Upload upload)
    {
        var reading = await upload.FinishAsync();
        var sha256 = Convert.ToHexStringLower(reading.FileSha256);
        if (expected.Length > 0 && !string.Equals(expected, sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the image hashes to {sha256}, expected was {Names.Shown(expected)}");
        }
        Describe(release.Firmware, name, expected, reading);
        release.Digest = "sha256:" + sha256;
        // Refused before the image is kept, or it would stay behind.
        if (database.Read(db => Journal.Release(db, name.Name, name.Version)) is { } there)
        {
            Same(there, release);
        }
        release.Firmware.Signature = Convert.ToBase64String(signing.SignDigest(reading.FileSha256));
        await upload.KeepAsync(sha256);
    }

    private static void Same(ReleaseRow there, Release release)
    {
        if (there.Digest != release.Digest)
        {
            throw new RefusedException(ErrorReason.AlreadyExists, $"{there.Id} is published with another content ({there.Digest}); a release never changes");
        }
    }

    private static void Backend(Release release)
    {
        if (release.Backend.Addresses.Count > 64 || release.Backend.Addresses.Count + release.Backend.Artifacts.Count == 0)
        {
            throw RefusedException.Invalid("release.backend.addresses", "are 1 to 64, unless an artifact says what the release is");
        }
        foreach (var (kind, uri) in release.Backend.Artifacts)
        {
            if (!Names.IsValid(kind) || uri.Length > 1000 || uri.Any(c => char.IsControl(c) || c == ' ') || !Uri.TryCreate(uri, UriKind.Absolute, out _))
            {
                throw RefusedException.Invalid("release.backend.artifacts", $"{Names.Shown(kind)} = {Names.Shown(uri)} is not the kind of a target and a URI");
            }
        }
        foreach (var address in release.Backend.Addresses)
        {
            if (address.Length > 500 || !Uri.TryCreate(address, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp) || url.UserInfo.Length > 0)
            {
                throw RefusedException.Invalid("release.backend.addresses", $"{Names.Shown(address)} is not an address https://host:port");
            }
        }
        release.Digest = BackendDigest(release);
    }

    /// <summary>An image that describes itself is believed over the publisher, and must be whole; any other needs its digest and description from the publisher.</summary>
    private static void Describe(FirmwareRelease firmware, ReleaseName name, string expected, ImageReading reading)
    {
        if (reading.Problem == ImageProblem.NotAnImage)
        {
            if (expected.Length == 0 || firmware.HardwareIds.Count == 0)
            {
                throw new RefusedException(ErrorReason.ImageRefused, "the image does not describe itself: give its SHA-256 and hardware ids");
            }
            firmware.Format = "opaque";
            return;
        }
        if (reading.Problem != ImageProblem.None || reading.Header is not { } header)
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the image is refused: {reading.Text}");
        }
        if (header.Name != name.Name || header.Version != name.Version)
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the image says that it is {header.Name}@{header.Version}, not {name}");
        }
        firmware.Format = "ota-image";
        firmware.HardwareIds.Clear();
        firmware.HardwareIds.AddRange(header.HardwareIds);
        firmware.SecurityCounter = header.SecurityCounter;
    }
}
