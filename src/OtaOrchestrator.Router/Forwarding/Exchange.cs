using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace OtaOrchestrator.Router.Forwarding;

/// <summary>One request on its way to one destination: what is changed on the way, and what is noticed.</summary>
/// <param name="cookie">To be set beside the back end's own; null when there is none to give.</param>
internal sealed class Exchange(string release, bool showRelease, string? cookie, TimeProvider time) : HttpTransformer
{
    public const string PreviewHeader = "x-ota-preview";
    private const string ReleaseHeader = "x-ota-release";
    private readonly long _started = time.GetTimestamp();
    private bool _grpc;

    /// <summary>Until the back end's answer began. A slow client or a long stream is not the back end's latency. Null while there is no answer.</summary>
    public TimeSpan? AnsweredAfter { get; private set; }

    /// <summary>The back end's answer came to its end, whatever becomes of the rest of the request.</summary>
    public bool AnsweredWholly { get; private set; }

    public TimeSpan Elapsed => time.GetElapsedTime(_started);

    public bool GrpcFailed { get; private set; }

    public override async ValueTask TransformRequestAsync(HttpContext context, HttpRequestMessage request, string destinationPrefix, CancellationToken cancellation)
    {
        await base.TransformRequestAsync(context, request, destinationPrefix, cancellation);
        // The destination's own name is what its certificate is for.
        request.Headers.Host = null;
        request.Headers.Remove(PreviewHeader);
        // Only copies are marked as copies.
        request.Headers.Remove(Mirror.Header);
        // What a client claims about earlier hops is not passed on as if the router knew it.
        Set(request, "X-Forwarded-For", context.Connection.RemoteIpAddress?.ToString() ?? "unknown");
        Set(request, "X-Forwarded-Proto", context.Request.Scheme);
        Set(request, "X-Forwarded-Host", context.Request.Host.Value ?? "");
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext context, HttpResponseMessage? response, CancellationToken cancellation)
    {
        AnsweredAfter = response is null ? null : Elapsed;
        bool send = await base.TransformResponseAsync(context, response, cancellation);
        if (response is not null)
        {
            _grpc = response.Content.Headers.ContentType?.MediaType?.StartsWith("application/grpc", StringComparison.Ordinal) == true;
            // A call that fails at once carries its status in the headers.
            Notice(response.Headers.TryGetValues("grpc-status", out var status) ? status.First() : null);
        }
        // Never what the back end says of itself.
        context.Response.Headers.Remove(ReleaseHeader);
        if (showRelease)
        {
            context.Response.Headers[ReleaseHeader] = new StringValues(release);
        }
        if (cookie is not null)
        {
            context.Response.Headers.Append(HeaderNames.SetCookie, cookie);
        }
        return send;
    }

    public override async ValueTask TransformResponseTrailersAsync(HttpContext context, HttpResponseMessage response, CancellationToken cancellation)
    {
        await base.TransformResponseTrailersAsync(context, response, cancellation);
        Notice(response.TrailingHeaders.TryGetValues("grpc-status", out var status) ? status.First() : null);
        AnsweredWholly = true;
    }

    // UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE and DATA_LOSS are the server's; the others answer the client.
    private void Notice(string? grpcStatus) => GrpcFailed |= _grpc && grpcStatus is "2" or "4" or "13" or "14" or "15";

    private static void Set(HttpRequestMessage request, string name, string value)
    {
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, value);
    }
}
