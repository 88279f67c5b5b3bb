using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Errors;
using Head = OtaOrchestrator.Protocol.V1.PublishReleaseRequest.Types.Head;

namespace OtaOrchestrator.Server.Releases;

/// <summary>
/// Publishing by plain HTTP: the image is the body as it is. For large images, which come in twice as fast as in gRPC's frames, and for those who have no gRPC.
/// Everything else, errors included, is as <c>PublishRelease</c> has it.
/// </summary>
internal static class PublishEndpoint
{
    private const int HeadCharsMax = 16 * 1024;
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithTypeRegistry(StatusMapping.Details));

    public static void MapPublish(this IEndpointRouteBuilder endpoints) => endpoints.MapPut("/v1/releases/{release}", PublishAsync).WithMetadata(new PlainOperation("put", "/v1/releases/{release}", new JsonObject
    {
        ["operationId"] = "PublishImage",
        ["tags"] = new JsonArray("Releases"),
        ["parameters"] = new JsonArray(
            new JsonObject { ["name"] = "release", ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "string" } },
            new JsonObject { ["name"] = "head", ["in"] = "query", ["description"] = "PublishReleaseRequest.Head as JSON; release.name and release.firmware.size may be left out", ["schema"] = new JsonObject { ["type"] = "string" } }),
        ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = new JsonObject { ["application/octet-stream"] = new JsonObject() } },
    }, Release.Descriptor));

    private static async Task PublishAsync(HttpContext context, string release, Publishing publishing, StatusMapping errors)
    {
        var response = context.Response;
        IMessage answer;
        try
        {
            var head = HeadOf(context.Request, release);
            answer = await publishing.PublishAsync(head, context.Actor(), (upload, cancellation) => upload.ReadAsync(context.Request.Body, cancellation), context.RequestAborted);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
            return;
        }
        catch (Exception error)
        {
            var status = errors.StatusOf(error is BadHttpRequestException bad ? new RefusedException(ErrorReason.ImageRefused, bad.Message) : error, "publish");
            response.StatusCode = StatusMapping.HttpOf(status);
            answer = status;
        }
        response.ContentType = "application/json";
        await response.WriteAsync(Json.Format(answer), context.RequestAborted);
    }

    private static Head HeadOf(HttpRequest request, string release)
    {
        var text = request.Query["head"] is [{ } given] ? given : "{}";
        if (text.Length > HeadCharsMax)
        {
            throw RefusedException.Invalid("head", $"has at most {HeadCharsMax} characters");
        }
        Head head;
        try
        {
            var violations = StrictJson.Violations(Encoding.UTF8.GetBytes(text), Head.Descriptor);
            head = violations.Count == 0 ? JsonParser.Default.Parse<Head>(text) : throw RefusedException.Invalid([.. violations.Select(violation => new PlanViolation($"head.{violation.Path}", violation.Text))]);
        }
        catch (Exception error) when (error is JsonException or InvalidProtocolBufferException or InvalidJsonException)
        {
            throw RefusedException.Invalid("head", "is not the JSON of a PublishReleaseRequest.Head");
        }
        head.Release ??= new Release { Firmware = new FirmwareRelease() };
        if (head.Release.Backend is not null)
        {
            throw RefusedException.Invalid("head.release.backend", "has no image");
        }
        head.Release.Firmware ??= new FirmwareRelease();
        var name = "releases/" + release;
        if (head.Release.Name.Length > 0 && head.Release.Name != name)
        {
            throw RefusedException.Invalid("head.release.name", "is not the one in the path");
        }
        head.Release.Name = name;
        var length = request.ContentLength ?? throw RefusedException.Invalid("Content-Length", "is missing");
        if (head.Release.Firmware.Size is not 0 and var size && size != length)
        {
            throw RefusedException.Invalid("head.release.firmware.size", string.Create(CultureInfo.InvariantCulture, $"is not the body's {length} bytes"));
        }
        head.Release.Firmware.Size = length;
        return head;
    }
}
