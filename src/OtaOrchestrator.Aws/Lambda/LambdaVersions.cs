using System.Collections.Concurrent;
using Amazon.Lambda;
using Amazon.Lambda.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Lambda;

/// <summary>The published versions of a function: which one is a release, and publishing one. A version never changes, so what was found is kept.</summary>
internal sealed class LambdaVersions(IAmazonLambda lambda, string function, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);

    /// <summary>The version that is this release; null where it was not published yet.</summary>
    public async Task<string?> FindAsync(TargetRelease release, CancellationToken cancellation)
    {
        if (_known.TryGetValue(Mark(release), out var known))
        {
            return known;
        }

        var code = LambdaCode.Of(release);
        var found = code.Published ?? await ListedAsync(Mark(release), code.Sha256, cancellation);
        if (found is not null)
        {
            _known[Mark(release)] = found;
        }

        return found;
    }

    /// <summary>
    /// Publishes the release unless it is published already. A call whose answer was lost finds at the next attempt what it did: a version is known by its description, and
    /// Lambda itself makes no second version of unchanged code.
    /// </summary>
    /// <exception cref="IOException">Lambda is not done yet.</exception>
    public async Task<string> PublishAsync(TargetRelease release, CancellationToken cancellation)
    {
        var code = LambdaCode.Of(release);
        // Not by the code alone: a version with the same code may have another configuration.
        if ((code.Published ?? await MarkedAsync(release.ToString(), release.Digest, cancellation)) is { } there)
        {
            return _known[Mark(release)] = there;
        }

        var latest = await SettledAsync(null, cancellation);
        var updated = await lambda.UpdateFunctionCodeAsync(code.Request(function, latest.RevisionId), cancellation);
        if (code.Sha256 is { } expected && updated.CodeSha256 != expected)
        {
            throw new TargetException($"the code of {release} has the SHA-256 {updated.CodeSha256}, not {expected}: what lies in the bucket is not what was published");
        }

        latest = await SettledAsync(null, cancellation);
        if (latest.CodeSha256 != updated.CodeSha256)
        {
            throw new IOException($"somebody else has changed the code of {function} meanwhile");
        }

        var published = await lambda.PublishVersionAsync(
            new PublishVersionRequest { FunctionName = function, CodeSha256 = updated.CodeSha256, RevisionId = latest.RevisionId, Description = Mark(release) }, cancellation);
        return _known[Mark(release)] = published.Version;
    }

    /// <summary>The version's configuration, once Lambda can run it.</summary>
    public async Task<GetFunctionConfigurationResponse> SettledAsync(string? version, CancellationToken cancellation)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            var now = await lambda.GetFunctionConfigurationAsync(new GetFunctionConfigurationRequest { FunctionName = function, Qualifier = version }, cancellation);
            if (now.State == State.Failed || now.LastUpdateStatus == LastUpdateStatus.Failed)
            {
                throw new TargetException($"{function}{(version is null ? "" : ":" + version)} failed: {now.StateReason ?? now.LastUpdateStatusReason}");
            }

            if (now.State != State.Pending && now.LastUpdateStatus != LastUpdateStatus.InProgress)
            {
                return now;
            }

            if (time.GetElapsedTime(began) >= Patience)
            {
                throw new IOException($"{function}{(version is null ? "" : ":" + version)} is still being made ready");
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }

    /// <summary>The version that was published as this release; null for none.</summary>
    public Task<string?> MarkedAsync(string release, string digest, CancellationToken cancellation) => ListedAsync($"{release} {digest}", null, cancellation);

    private static string Mark(TargetRelease release) => $"{release} {release.Digest}";

    private async Task<string?> ListedAsync(string mark, string? sha256, CancellationToken cancellation)
    {
        string? marker = null, sameCode = null;
        do
        {
            var page = await lambda.ListVersionsByFunctionAsync(new ListVersionsByFunctionRequest { FunctionName = function, Marker = marker }, cancellation);
            foreach (var version in (page.Versions ?? []).Where(one => one.Version != "$LATEST"))
            {
                if (version.Description == mark)
                {
                    return version.Version;
                }

                sameCode = sha256 is not null && version.CodeSha256 == sha256 ? version.Version : sameCode;
            }

            marker = page.NextMarker;
        }
        while (!string.IsNullOrEmpty(marker));
        return sameCode;
    }
}
