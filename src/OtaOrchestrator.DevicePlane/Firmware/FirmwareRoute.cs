using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using OtaOrchestrator.DevicePlane.Registry;

namespace OtaOrchestrator.DevicePlane.Firmware;

/// <summary>Serves <c>/firmware/{key}</c> to the one device that the link was made for, with ranges and an ETag that is the digest.</summary>
internal sealed class FirmwareRoute(FirmwareLinks links, PlaneCertificates certificates, string root)
{
    public async Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }

        var key = request.Path.Value is { } path && path.StartsWith("/firmware/", StringComparison.Ordinal) ? path["/firmware/".Length..] : "";
        if (!Names.IsDigest(key))
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, "no such image").ConfigureAwait(false);
            return;
        }

        var thing = Single(request.Query["thing"]);
        if (links.Refuse(key, thing, Single(request.Query["expires"]), Single(request.Query["signature"])) is { } wrong)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, wrong).ConfigureAwait(false);
            return;
        }

        if (!IsDevice(context.Connection.ClientCertificate, thing))
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "the link belongs to another device").ConfigureAwait(false);
            return;
        }

        var file = new FileInfo(Path.Combine(root, key));
        if (!file.Exists)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, "no such image").ConfigureAwait(false);
            return;
        }

        // The content can't change under its digest, so the digest is a strong validator. Several ranges at once are answered with the whole.
        context.Response.Headers.CacheControl = "private, no-store";
        await Results.File(file.FullName, "application/octet-stream", entityTag: new EntityTagHeaderValue($"\"{key}\""), enableRangeProcessing: true)
            .ExecuteAsync(context).ConfigureAwait(false);
    }

    private static string Single(StringValues values) => values.Count == 1 ? values[0] ?? "" : "";

    private static Task RefuseAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(message);
    }

    private bool IsDevice(X509Certificate2? certificate, string thing) => certificate is not null && certificates.DeviceOf(certificate) == thing;
}
