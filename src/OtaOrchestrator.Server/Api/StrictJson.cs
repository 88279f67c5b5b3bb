using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using OtaOrchestrator.Core.Plans;
using Endpoint = Microsoft.AspNetCore.Http.Endpoint;

namespace OtaOrchestrator.Server.Api;

/// <summary>
/// Refuses JSON with fields that nobody knows. Transcoding would leave them out in silence, and a limit that was misspelt would be no limit.
/// </summary>
internal static class StrictJson
{
    private const int BodyBytesMax = 1024 * 1024;
    private const int DepthMax = 32;
    private const int ViolationsMax = 50;

    public static void UseStrictJson(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        if (context.GetEndpoint() is { } endpoint && BodyOf(endpoint) is { } body && Refusal(await ReadAsync(context), body) is { } refusal)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(refusal.ToJsonString(), context.RequestAborted);
            return;
        }
        await next(context);
    });

    /// <summary>What is wrong with the body, as google.rpc.Status; null when nothing is.</summary>
    /// <param name="body">Null when it was longer than may be.</param>
    public static JsonObject? Refusal(ReadOnlyMemory<byte>? body, MessageDescriptor message)
    {
        if (body is not { } bytes)
        {
            return Status("the body is longer than 1 MiB", []);
        }
        if (bytes.IsEmpty)
        {
            return null;
        }
        try
        {
            var violations = Violations(bytes, message);
            return violations.Count == 0 ? null : Status(violations.Count == 1 ? $"{violations[0].Path}: {violations[0].Text}" : $"{violations.Count} things are wrong", violations);
        }
        catch (JsonException)
        {
            return Status("the body is not JSON", []);
        }
    }

    /// <summary>Fields that nobody knows, or that are given twice. <exception cref="JsonException">It is not JSON.</exception></summary>
    public static List<(string Path, string Text)> Violations(ReadOnlyMemory<byte> json, MessageDescriptor message)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = DepthMax });
        List<(string Path, string Text)> violations = [];
        Walk(document.RootElement, message, "", violations);
        return violations;
    }

    private static MessageDescriptor? BodyOf(Endpoint endpoint) => endpoint.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is { HttpRule.Body: { Length: > 0 } body } method
        ? body == "*" ? method.MethodDescriptor.InputType : method.MethodDescriptor.InputType.FindFieldByName(body).MessageType
        : null;

    private static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContext context)
    {
        context.Request.EnableBuffering(BodyBytesMax, BodyBytesMax + 1);
        using var copy = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
            {
                copy.Write(buffer, 0, read);
                if (copy.Length > BodyBytesMax)
                {
                    return null;
                }
            }
        }
        catch (IOException)
        {
            // The buffer's own limit.
            return null;
        }
        context.Request.Body.Position = 0;
        return copy.ToArray();
    }

    private static void Walk(JsonElement element, MessageDescriptor message, string path, List<(string Path, string Text)> violations)
    {
        // Well-known types have forms of their own, and what is no object is refused by the parser.
        if (element.ValueKind != JsonValueKind.Object || message.FullName.StartsWith("google.protobuf.", StringComparison.Ordinal))
        {
            return;
        }
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            if (violations.Count >= ViolationsMax)
            {
                return;
            }
            var at = path.Length == 0 ? Names.Shown(property.Name) : $"{path}.{Names.Shown(property.Name)}";
            var field = message.Fields.InDeclarationOrder().FirstOrDefault(field => field.JsonName == property.Name || field.Name == property.Name);
            if (field is null)
            {
                violations.Add((at, "unknown field"));
            }
            else if (!seen.Add(field.Name))
            {
                violations.Add((at, "is given twice"));
            }
            else if (field is { FieldType: FieldType.Message, IsMap: false })
            {
                if (field.IsRepeated && property.Value.ValueKind == JsonValueKind.Array)
                {
                    int i = 0;
                    foreach (var item in property.Value.EnumerateArray())
                    {
                        Walk(item, field.MessageType, $"{at}[{i++}]", violations);
                    }
                }
                else if (!field.IsRepeated)
                {
                    Walk(property.Value, field.MessageType, at, violations);
                }
            }
        }
    }

    private static JsonObject Status(string text, IReadOnlyList<(string Path, string Text)> violations)
    {
        var details = new JsonArray(new JsonObject { ["@type"] = "type.googleapis.com/google.rpc.ErrorInfo", ["reason"] = "ERROR_REASON_INVALID", ["domain"] = "ota" });
        if (violations.Count > 0)
        {
            details.Add((JsonNode)new JsonObject
            {
                ["@type"] = "type.googleapis.com/google.rpc.BadRequest",
                ["fieldViolations"] = new JsonArray([.. violations.Select(violation => (JsonNode)new JsonObject { ["field"] = violation.Path, ["description"] = violation.Text })]),
            });
        }
        return new JsonObject { ["code"] = 3, ["message"] = text, ["details"] = details };
    }
}
