namespace OtaOrchestrator.Simulator.Backend;

/// <summary><c>grpc.health.v1</c>: serving, as long as it answers.</summary>
internal static class GrpcHealth
{
    public const string Path = "/grpc.health.v1.Health/Check";

    // Not compressed, two bytes long: field 1, SERVING.
    private static readonly byte[] Serving = [0, 0, 0, 0, 2, 8, 1];

    public static async Task ServeAsync(HttpContext context)
    {
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(Serving, context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }
}
