using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Firmware.Images;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Releases;

/// <summary>Publishes, shows and checks releases. What is published is immutable and, where it is firmware, signed here.</summary>
public sealed partial class ReleaseService(Database database, FirmwareStore store, SigningKey signing, TimeProvider time, ILogger<ReleaseService> logger) : Protocol.V1.Releases.ReleasesBase
{
    private const long ImageBytesMax = 4L * 1024 * 1024 * 1024;
    private const int ChunkBytesMax = 1024 * 1024;

    public override async Task<Release> PublishRelease(IAsyncStreamReader<PublishReleaseRequest> requestStream, ServerCallContext context)
    {
        var requests = requestStream;
        var cancellation = context.CancellationToken;
        if (!await requests.MoveNext(cancellation) || requests.Current.PartCase != PublishReleaseRequest.PartOneofCase.Head)
        {
            throw RefusedException.Invalid("head", "comes first");
        }
        var head = requests.Current.Head;
        var key = context.Key(head.RequestId, head);
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
        await using var upload = release.Firmware is null ? null : store.Begin();
        switch (release.ContentCase)
        {
            case Release.ContentOneofCase.Backend:
                Backend(release);
                break;
            case Release.ContentOneofCase.Firmware:
                await FirmwareAsync(release, name, head.ExpectedSha256, requests, upload!, cancellation);
                break;
            default:
                throw RefusedException.Invalid("release", "is neither a back end nor firmware");
        }
        var now = time.GetUtcNow();
        release.Publisher = context.Actor().Name;
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
                answer = Parse(there);
            }
            if (key is not null)
            {
                Journal.InsertRequest(db, key.Actor, key.Id, key.BodySha256, answer.ToByteArray(), now);
            }
            return answer;
        }, cancellation: cancellation);
    }

    public override Task<Release> GetRelease(GetReleaseRequest request, ServerCallContext context) => Task.FromResult(Find(request.Name));

    public override Task<ListReleasesResponse> ListReleases(ListReleasesRequest request, ServerCallContext context)
    {
        int size = Pages.Size(request.PageSize);
        var after = Pages.Parts(request.PageToken, 2) is [var afterName, var afterVersion] ? (afterName, afterVersion) : ("", "");
        var filter = Filter.Parse(request.Filter, "name", "held");
        var held = filter.TryGetValue("held", out var truth) ? Filter.Truth("held", truth) : (bool?)null;
        var answer = new ListReleasesResponse();
        database.Read(db =>
        {
            while (true)
            {
                var rows = Journal.Releases(db, after.Item1, after.Item2, size + 1);
                foreach (var row in rows)
                {
                    if (answer.Releases.Count == size)
                    {
                        answer.NextPageToken = Pages.Token(after.Item1, after.Item2);
                        return true;
                    }
                    after = (row.Name, row.Version);
                    var release = WithHolds(db, Parse(row));
                    if ((!filter.TryGetValue("name", out var name) || row.Name == name) && (held is null || (release.Holds.Count > 0) == held))
                    {
                        answer.Releases.Add(release);
                    }
                }
                if (rows.Count <= size)
                {
                    return true;
                }
            }
        });
        return Task.FromResult(answer);
    }

    public override async Task<VerifyReleaseResponse> VerifyRelease(VerifyReleaseRequest request, ServerCallContext context)
    {
        var release = Find(request.Name);
        var answer = new VerifyReleaseResponse();
        if (release.Firmware is { } firmware)
        {
            var sha256 = release.Digest["sha256:".Length..];
            if (!File.Exists(store.File(sha256)))
            {
                answer.Findings.Add("the image is not in the store");
            }
            else
            {
                var reading = await store.CheckAsync(sha256, context.CancellationToken);
                if (Convert.ToHexStringLower(reading.FileSha256) != sha256)
                {
                    answer.Findings.Add("the stored bytes are not those that were published");
                }
                if (!signing.Public.Verify(reading.FileSha256, Convert.FromBase64String(firmware.Signature)))
                {
                    answer.Findings.Add("the signature does not hold for the stored bytes");
                }
            }
        }
        else if (release.Digest != BackendDigest(release))
        {
            answer.Findings.Add("the description is not the one that was published");
        }
        answer.Intact = answer.Findings.Count == 0;
        return answer;
    }

    public override async Task<Release> UnholdRelease(UnholdReleaseRequest request, ServerCallContext context)
    {
        var key = context.Key(request.RequestId, request);
        if (key.Before(database, Release.Parser) is { } before)
        {
            return before;
        }
        var name = ResourceNames.Release(request.Name);
        var environment = ResourceNames.Environment(request.Environment);
        var reason = Reasons.Required(request.Reason, "why the release may go out again");
        var freed = await database.WriteAsync(db =>
        {
            var row = Journal.Release(db, name.Name, name.Version) ?? throw RefusedException.NotFound(request.Name);
            if (!Journal.Unhold(db, environment, name.ToString()))
            {
                throw new RefusedException(ErrorReason.WrongState, $"{name} is not held in {environment}");
            }
            var answer = WithHolds(db, Parse(row));
            if (key is not null)
            {
                Journal.InsertRequest(db, key.Actor, key.Id, key.BodySha256, answer.ToByteArray(), time.GetUtcNow());
            }
            return answer;
        }, cancellation: context.CancellationToken);
        var (freedName, actor) = (name.ToString(), context.Actor().Name);
        LogUnheld(freedName, environment, actor, reason);
        return freed;
    }

    internal static Release Parse(ReleaseRow row) => JsonParser.Default.Parse<Release>(row.Spec);

    private static Release WithHolds(Statements db, Release release)
    {
        release.Holds.AddRange(Journal.Holds(db, release.Name["releases/".Length..]).Select(hold => new Hold
        {
            Environment = ResourceNames.Of(hold.Environment),
            Rollout = ResourceNames.OfRollout(hold.Environment, hold.Rollout),
            Reason = hold.Reason,
            Since = Timestamp.FromDateTimeOffset(hold.Since),
        }));
        return release;
    }

    private Release Find(string resource)
    {
        var name = ResourceNames.Release(resource);
        return database.Read(db => Journal.Release(db, name.Name, name.Version) is { } row ? WithHolds(db, Parse(row)) : null) ?? throw RefusedException.NotFound(resource);
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
        if (release.Backend.Addresses.Count is 0 or > 64)
        {
            throw RefusedException.Invalid("release.backend.addresses", "are 1 to 64");
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

    private static string BackendDigest(Release release) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{release.Name}\n{string.Join('\n', release.Backend.Addresses)}\n")));

    private async Task FirmwareAsync(Release release, ReleaseName name, string expected, IAsyncStreamReader<PublishReleaseRequest> requests, FirmwareStore.Upload upload, CancellationToken cancellation)
    {
        var firmware = release.Firmware;
        if (firmware.Size is <= 0 or > ImageBytesMax)
        {
            throw RefusedException.Invalid("release.firmware.size", $"is 1 to {ImageBytesMax} bytes");
        }
        if (firmware.HardwareIds.Count > 32 || firmware.HardwareIds.Any(id => id.Length > 64 || !Names.IsGroup(id)) || firmware.SecurityCounter < 0)
        {
            throw RefusedException.Invalid("release.firmware", "has at most 32 hardware ids of letters, digits, hyphen and underscore, and a counter that is not negative");
        }
        while (await NextAsync(requests, upload, cancellation))
        {
            if (requests.Current.PartCase != PublishReleaseRequest.PartOneofCase.Chunk || requests.Current.Chunk.Length is 0 or > ChunkBytesMax)
            {
                throw RefusedException.Invalid("chunk", $"has 1 to {ChunkBytesMax} bytes");
            }
            if (upload.Length + requests.Current.Chunk.Length > firmware.Size)
            {
                throw new RefusedException(ErrorReason.ImageRefused, $"the image is longer than the {firmware.Size} bytes that were announced");
            }
            await upload.AppendAsync(requests.Current.Chunk.Memory, cancellation);
        }
        if (upload.Length != firmware.Size)
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the upload was cut off after {upload.Length} of {firmware.Size} bytes");
        }
        var reading = await upload.FinishAsync();
        var sha256 = Convert.ToHexStringLower(reading.FileSha256);
        if (expected.Length > 0 && !string.Equals(expected, sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the image hashes to {sha256}, expected was {Names.Shown(expected)}");
        }
        Describe(firmware, name, expected, reading);
        release.Digest = "sha256:" + sha256;
        // Refused before the image is kept, or it would stay behind.
        if (database.Read(db => Journal.Release(db, name.Name, name.Version)) is { } there)
        {
            Same(there, release);
        }
        firmware.Signature = Convert.ToBase64String(signing.SignDigest(reading.FileSha256));
        await upload.KeepAsync(sha256);
    }

    private static async Task<bool> NextAsync(IAsyncStreamReader<PublishReleaseRequest> requests, FirmwareStore.Upload upload, CancellationToken cancellation)
    {
        try
        {
            return await requests.MoveNext(cancellation);
        }
        catch (IOException)
        {
            throw new RefusedException(ErrorReason.ImageRefused, $"the connection broke after {upload.Length} bytes of the image");
        }
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

    [LoggerMessage(Level = LogLevel.Information, Message = "{Release} is no longer held in {Environment}, by {Actor}: {Reason}")]
    private partial void LogUnheld(string release, string environment, string actor, string reason);
}
