using Yarp.ReverseProxy.Forwarder;

namespace OtaOrchestrator.Router.Forwarding;

internal enum Outcome
{
    /// <summary>The back end answered, with whatever status.</summary>
    Answered,

    /// <summary>No connection came about, so nothing of the request was sent.</summary>
    Unreachable,

    /// <summary>The back end, or the way to it, broke.</summary>
    Failed,

    /// <summary>The client went away or broke its own request; it says nothing about the back end.</summary>
    ClientAborted,
}

internal static class Outcomes
{
    public static Outcome Of(ForwarderError error, Exchange exchange, HttpContext context) => error switch
    {
        ForwarderError.None => Outcome.Answered,
        // Who has the whole answer need not send the rest of the request: a gRPC call that is refused at once ends so, with either side as the first to go.
        ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient or ForwarderError.RequestBodyDestination when exchange.AnsweredWholly => Outcome.Answered,
        ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient
            or ForwarderError.ResponseBodyCanceled or ForwarderError.ResponseBodyClient
            or ForwarderError.UpgradeRequestCanceled or ForwarderError.UpgradeRequestClient
            or ForwarderError.UpgradeResponseCanceled or ForwarderError.UpgradeResponseClient
            or ForwarderError.UpgradeActivityTimeout => Outcome.ClientAborted,
        ForwarderError.Request when context.GetForwarderErrorFeature()?.Exception is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
        } => Outcome.Unreachable,
        _ => Outcome.Failed,
    };
}
