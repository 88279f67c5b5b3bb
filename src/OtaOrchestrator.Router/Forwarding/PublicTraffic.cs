using OtaOrchestrator.Router.Hosting;
using OtaOrchestrator.Router.Routes;
using OtaOrchestrator.Router.Statistics;
using Yarp.ReverseProxy.Forwarder;

namespace OtaOrchestrator.Router.Forwarding;

/// <summary>What the public listener does with a request: find the route, draw a side, forward, count.</summary>
internal sealed class PublicTraffic(RouteTable routes, IHttpForwarder forwarder, Mirror mirror, RouterOptions options, TimeProvider time)
{
    private readonly ForwarderRequestConfig _config = new() { ActivityTimeout = options.ActivityTimeout };

    public async Task InvokeAsync(HttpContext context)
    {
        if (routes.Match(context.Request.Host.Host, context.Request.Path) is not { } route)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        string? preview = context.Request.Headers[Exchange.PreviewHeader];
        var (draw, cookie) = Draw(context, route);
        var side = route.Choose(preview, draw);
        bool copied = mirror.Draw(context, route, side);
        List<Destination> tried = [];
        while (!context.RequestAborted.IsCancellationRequested)
        {
            var destination = route.Pick(side, tried);
            if (destination is null)
            {
                // Each address of the baseline was tried; the answer of the last one stands.
                return;
            }
            if (!destination.TryEnter())
            {
                // Retired between the snapshot and now: the draw is made again on the route as it is.
                route = routes.Match(context.Request.Host.Host, context.Request.Path)!;
                side = route.Choose(preview, draw);
                tried.Clear();
                continue;
            }
            bool sentElsewhere;
            try
            {
                sentElsewhere = await ForwardAsync(context, route, side, destination, tried, side == Side.Preview ? null : cookie);
            }
            finally
            {
                destination.Leave();
            }
            if (!sentElsewhere)
            {
                if (copied && side == Side.Baseline)
                {
                    mirror.Send(context, route);
                }
                return;
            }
            tried.Add(destination);
            context.Response.StatusCode = StatusCodes.Status200OK;
        }
    }

    /// <summary>A number of the request's own, or where clients stay on their side, the client's; and the cookie to give it when it is new.</summary>
    private static (double Draw, string? Cookie) Draw(HttpContext context, Route route)
    {
        // At weights 0 and 1 there is but one side, and nothing to remember.
        if (route.Sticky is not { } sticky || route.CandidateWeight is not (> 0 and < 1))
        {
            return (Random.Shared.NextDouble(), null);
        }
        return sticky.Read(context.Request.Cookies[sticky.Name]) is { } carried ? (carried, null) : sticky.Give();
    }

    /// <returns>Whether the request should go to another address of the baseline: this one could not be reached, and nothing was sent.</returns>
    private async Task<bool> ForwardAsync(HttpContext context, Route route, Side side, Destination destination, List<Destination> tried, string? cookie)
    {
        var statistics = route.Statistics.For(side, destination.Release);
        var exchange = new Exchange(destination.Release, options.ShowRelease, cookie, time);
        var error = await forwarder.SendAsync(context, destination.Address, destination.Client, _config, exchange, context.RequestAborted);
        switch (Outcomes.Of(error, exchange, context))
        {
            case Outcome.ClientAborted:
                statistics.Aborted();
                return false;
            case Outcome.Unreachable:
                destination.Report(HealthState.Unhealthy, "can't be reached");
                // Failures of the candidate are never masked: they are what its judge needs.
                if (side == Side.Baseline && !context.Response.HasStarted && tried.Count + 1 < route.Baseline.Count)
                {
                    statistics.SentElsewhere();
                    return true;
                }
                statistics.Completed(error: true, exchange.Elapsed);
                return false;
            case Outcome.Failed:
                statistics.Completed(error: true, exchange.AnsweredAfter ?? exchange.Elapsed);
                return false;
            default:
                statistics.Completed(context.Response.StatusCode >= 500 || exchange.GrpcFailed, exchange.AnsweredAfter ?? exchange.Elapsed);
                return false;
        }
    }
}
