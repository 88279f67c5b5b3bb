using System.Net;
using Microsoft.AspNetCore.Http.Features;
using OtaOrchestrator.Router.Hosting;
using OtaOrchestrator.Router.Routes;
using OtaOrchestrator.Router.Statistics;

namespace OtaOrchestrator.Router.Forwarding;

/// <summary>
/// Copies of the baseline's requests to the candidate. A copy is sent after its user has the answer, so it can neither delay nor fail it; what comes back is
/// counted and dropped. What would do something twice, has no bounded body, or comes while many copies are under way, is not copied.
/// </summary>
internal sealed class Mirror(RouterOptions options, TimeProvider time)
{
    public const string Header = "x-ota-mirror";
    public const int BodyBytesMax = 64 * 1024;
    private const int UnderWayMax = 64;
    private const int AnswerBytesMax = 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // These are about one hop, or are set anew for this one.
    private static readonly HashSet<string> NotCopied = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings",
        "Host", "Expect", "Content-Length", Exchange.PreviewHeader, Header,
    };
    private int _underWay;

    /// <summary>Before the request is forwarded: whether it shall be copied, and if so, its body is kept as it passes.</summary>
    public bool Draw(HttpContext context, Route route, Side side)
    {
        if (route.MirrorShare == 0 || side != Side.Baseline || Random.Shared.NextDouble() >= route.MirrorShare || !IsCopyable(context))
        {
            return false;
        }
        if (context.Request.ContentLength > 0)
        {
            context.Request.Body = new CopiedBody(context.Request.Body, BodyBytesMax);
        }
        return true;
    }

    /// <summary>After the user has the answer. Returns at once.</summary>
    public void Send(HttpContext context, Route route)
    {
        var body = context.Request.Body as CopiedBody;
        byte[] bytes = body?.ToArray() ?? [];
        if (body is { TooLong: true } || bytes.Length != (context.Request.ContentLength ?? 0) || route.Pick(Side.Mirror, []) is not { } destination)
        {
            return;
        }
        if (Interlocked.Increment(ref _underWay) > UnderWayMax || !destination.TryEnter())
        {
            Interlocked.Decrement(ref _underWay);
            return;
        }
        // Made here, because the context is another request's soon.
        var request = Copy(context, destination, bytes);
        _ = SendAsync(request, destination, route.Statistics.For(Side.Mirror, destination.Release));
    }

    private bool IsCopyable(HttpContext context)
    {
        var request = context.Request;
        return options.MirrorMethods.Contains(request.Method, StringComparer.Ordinal)
            && request.ContentLength is null or (>= 0 and <= BodyBytesMax)
            // Of unknown length: a stream, most often.
            && (request.ContentLength is not null || context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true })
            && context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true };
    }

    private static HttpRequestMessage Copy(HttpContext context, Destination destination, byte[] body)
    {
        var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), destination.Address + context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent())
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = body.Length > 0 ? new ByteArrayContent(body) : null,
        };
        foreach (var header in context.Request.Headers.Where(header => !NotCopied.Contains(header.Key) && !header.Key.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase)))
        {
            if (!request.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value))
            {
                request.Content?.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value);
            }
        }
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", context.Connection.RemoteIpAddress?.ToString() ?? "unknown");
        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", context.Request.Scheme);
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", context.Request.Host.Value ?? "");
        request.Headers.TryAddWithoutValidation(Header, "1");
        return request;
    }

    private async Task SendAsync(HttpRequestMessage request, Destination destination, SideStatistics statistics)
    {
        long began = time.GetTimestamp();
        TimeSpan? answeredAfter = null;
        bool error = true;
        try
        {
            using (request)
            {
                using var deadline = new CancellationTokenSource(Patience, time);
                using var response = await destination.Client.SendAsync(request, deadline.Token);
                answeredAfter = time.GetElapsedTime(began);
                await response.Content.LoadIntoBufferAsync(AnswerBytesMax, deadline.Token);
                error = (int)response.StatusCode >= 500;
            }
        }
        catch (HttpRequestException tooMuch) when (tooMuch.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            // A long answer is an answer; the rest of it is of no use to anybody.
            error = false;
        }
        catch (Exception)
        {
            // Whatever it is, the candidate did not answer: that is what the copy was sent for.
        }
        finally
        {
            statistics.Completed(error, answeredAfter ?? time.GetElapsedTime(began));
            destination.Leave();
            Interlocked.Decrement(ref _underWay);
        }
    }
}
