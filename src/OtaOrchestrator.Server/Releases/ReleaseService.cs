using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Releases;

/// <summary>Publishes, shows and checks releases.</summary>
public sealed partial class ReleaseService(Database database, FirmwareStore store, Publishing publishing, SigningKey signing, TimeProvider time, ILogger<ReleaseService> logger) : Protocol.V1.Releases.ReleasesBase
{
    private const int ChunkBytesMax = 1024 * 1024;

    public override async Task<Release> PublishRelease(IAsyncStreamReader<PublishReleaseRequest> requestStream, ServerCallContext context)
    {
        var requests = requestStream;
        if (!await requests.MoveNext(context.CancellationToken) || requests.Current.PartCase != PublishReleaseRequest.PartOneofCase.Head)
        {
            throw RefusedException.Invalid("head", "comes first");
        }
        return await publishing.PublishAsync(requests.Current.Head, context.Actor(), (upload, cancellation) => ReadAsync(requests, upload, cancellation), context.CancellationToken);
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
        else if (release.Digest != Publishing.BackendDigest(release))
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

    private static async Task ReadAsync(IAsyncStreamReader<PublishReleaseRequest> requests, Upload upload, CancellationToken cancellation)
    {
        while (await requests.MoveNext(cancellation))
        {
            if (requests.Current.PartCase != PublishReleaseRequest.PartOneofCase.Chunk || requests.Current.Chunk.Length is 0 or > ChunkBytesMax)
            {
                throw RefusedException.Invalid("chunk", $"has 1 to {ChunkBytesMax} bytes");
            }
            await upload.AppendAsync(requests.Current.Chunk.Memory, cancellation);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Release} is no longer held in {Environment}, by {Actor}: {Reason}")]
    private partial void LogUnheld(string release, string environment, string actor, string reason);
}
