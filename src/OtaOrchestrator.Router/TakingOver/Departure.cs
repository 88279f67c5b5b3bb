namespace OtaOrchestrator.Router.TakingOver;

/// <summary>Another process serves: each answer on a kept HTTP/1.1 connection says that it was the last one, so that no client sends another into a connection that closes.</summary>
internal sealed class Departure
{
    private volatile bool _begun;

    public void Begin() => _begun = true;

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // HTTP/2 says it in a frame of its own when the process stops.
        if (_begun && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            context.Response.OnStarting(static state =>
            {
                // A connection that becomes a WebSocket has its own end.
                if (state is HttpResponse { StatusCode: not StatusCodes.Status101SwitchingProtocols } response)
                {
                    response.Headers.Connection = "close";
                }
                return Task.CompletedTask;
            }, context.Response);
        }
        return next(context);
    }
}
