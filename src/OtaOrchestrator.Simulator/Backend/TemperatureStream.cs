using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace OtaOrchestrator.Simulator.Backend;

/// <summary>
/// A gRPC call with a stream of answers: the request says how many, each answer says which one it is, one every <see cref="Interval"/>; then the trailers. Messages are text:
/// there is nothing in them that wants a schema.
/// </summary>
internal static class TemperatureStream
{
    public const string Service = "thermostat.Temperature";
    public const string Method = "Watch";
    public const string Path = "/" + Service + "/" + Method;
    public const string VersionHeader = "x-version";
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    // A flag for compression, then the length.
    private const int PrefixBytes = 5;
    private const int RequestBytesMax = 64;
    private const string Ok = "0";
    private const string InvalidArgument = "3";

    public static async Task ServeAsync(HttpContext context, string version, TimeProvider time)
    {
        context.Response.ContentType = "application/grpc";
        context.Response.Headers[VersionHeader] = version;
        if (await AskedAsync(context) is not { } messages)
        {
            context.Response.AppendTrailer("grpc-status", InvalidArgument);
            return;
        }
        using var timer = new PeriodicTimer(Interval, time);
        for (int message = 1; message <= messages; message++)
        {
            await context.Response.Body.WriteAsync(Frame(message.ToString(CultureInfo.InvariantCulture)), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await timer.WaitForNextTickAsync(context.RequestAborted);
        }
        context.Response.AppendTrailer("grpc-status", Ok);
    }

    private static async Task<int?> AskedAsync(HttpContext context)
    {
        byte[] request = new byte[PrefixBytes + RequestBytesMax];
        int read = await context.Request.Body.ReadAtLeastAsync(request, request.Length, throwOnEndOfStream: false, context.RequestAborted);
        return read > PrefixBytes && int.TryParse(Encoding.ASCII.GetString(request, PrefixBytes, read - PrefixBytes), NumberStyles.None, CultureInfo.InvariantCulture, out int messages) ? messages : null;
    }

    private static byte[] Frame(string text)
    {
        byte[] frame = new byte[PrefixBytes + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), text.Length);
        Encoding.ASCII.GetBytes(text, frame.AsSpan(PrefixBytes));
        return frame;
    }
}
