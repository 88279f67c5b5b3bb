using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Google.Api;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Endpoint = Microsoft.AspNetCore.Http.Endpoint;

namespace OtaOrchestrator.Server.Api;

/// <summary>An operation of plain HTTP beside the transcoded ones.</summary>
/// <param name="Operation">Without its responses.</param>
/// <param name="Answer">What it answers with; errors are google.rpc.Status.</param>
internal sealed record PlainOperation(string Verb, string Path, JsonObject Operation, MessageDescriptor Answer);

/// <summary>The OpenAPI document of the transcoded methods, made from the routes that are mapped, so that it says what is there and nothing else.</summary>
internal static partial class OpenApi
{
    public const string Path = "/openapi/v1.json";

    public static void MapOpenApi(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet(Path, (EndpointDataSource routes) => Results.Text(Document(routes.Endpoints).ToJsonString(JsonSerializerOptions.Web), "application/json"));

    public static JsonObject Document(IEnumerable<Endpoint> endpoints)
    {
        var schemas = new OpenApiSchemas();
        var paths = new JsonObject();
        var methods = endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>()).OfType<GrpcJsonTranscodingMetadata>()
            .OrderBy(method => Template(method.HttpRule).Path, StringComparer.Ordinal);
        foreach (var method in methods)
        {
            var (verb, template) = Template(method.HttpRule);
            var (path, parameters) = Expand(template);
            if (paths[path] is not JsonObject operations)
            {
                paths[path] = operations = [];
            }
            operations[verb] = Operation(method.MethodDescriptor, method.HttpRule, template, parameters, schemas);
        }
        foreach (var plain in endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<PlainOperation>()).OfType<PlainOperation>())
        {
            if (paths[plain.Path] is not JsonObject operations)
            {
                paths[plain.Path] = operations = [];
            }
            var operation = plain.Operation.DeepClone().AsObject();
            operation["responses"] = Responses("Done", plain.Answer, schemas);
            operations[plain.Verb] = operation;
        }
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "OtaOrchestrator", ["version"] = "v1", ["description"] = "Every caller shows a client certificate. Errors are google.rpc.Status." },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas.ToJson() },
        };
    }

    /// <summary>Turns <c>/v1/{name=environments/*/rollouts/*}:pause</c> into <c>/v1/environments/{environment}/rollouts/{rollout}:pause</c> and its parameters.</summary>
    public static (string Path, IReadOnlyList<string> Parameters) Expand(string template)
    {
        List<string> parameters = [];
        var path = Variable().Replace(template, variable =>
        {
            if (!variable.Groups[2].Success)
            {
                parameters.Add(variable.Groups[1].Value);
                return variable.Value;
            }
            var segments = variable.Groups[2].Value.Split('/');
            for (int i = 0; i < segments.Length; i++)
            {
                if (segments[i] == "*")
                {
                    var name = i > 0 ? segments[i - 1].TrimEnd('s') : variable.Groups[1].Value;
                    parameters.Add(name);
                    segments[i] = $"{{{name}}}";
                }
            }
            return string.Join('/', segments);
        });
        return (path, parameters);
    }

    private static JsonObject Operation(MethodDescriptor method, HttpRule rule, string template, IReadOnlyList<string> parameters, OpenApiSchemas schemas)
    {
        var bound = Variable().Matches(template).Select(variable => variable.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        var list = new JsonArray([.. parameters.Select(name => (JsonNode)new JsonObject
        {
            ["name"] = name, ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "string" },
        })]);
        if (rule.Body != "*")
        {
            foreach (var field in method.InputType.Fields.InDeclarationOrder().Where(field => !bound.Contains(field.Name) && field.Name != rule.Body && field.FieldType != FieldType.Message))
            {
                list.Add((JsonNode)new JsonObject { ["name"] = field.JsonName, ["in"] = "query", ["schema"] = schemas.Of(field) });
            }
        }
        var operation = new JsonObject
        {
            ["operationId"] = method.Name,
            ["tags"] = new JsonArray(method.Service.Name),
            ["parameters"] = list,
            ["responses"] = Responses(method.IsServerStreaming ? "One JSON document per line, until the rollout has ended" : "Done", method.OutputType, schemas),
        };
        if (rule.Body.Length > 0)
        {
            var body = rule.Body == "*" ? method.InputType : method.InputType.FindFieldByName(rule.Body).MessageType;
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content(schemas.Reference(body)) };
        }
        return operation;
    }

    private static JsonObject Responses(string description, MessageDescriptor answer, OpenApiSchemas schemas) => new()
    {
        ["200"] = new JsonObject { ["description"] = description, ["content"] = Content(schemas.Reference(answer)) },
        ["default"] = new JsonObject { ["description"] = "google.rpc.Status", ["content"] = Content(schemas.Reference(Google.Rpc.Status.Descriptor)) },
    };

    private static JsonObject Content(JsonObject schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    private static (string Verb, string Path) Template(HttpRule rule) => rule.PatternCase switch
    {
        HttpRule.PatternOneofCase.Get => ("get", rule.Get),
        HttpRule.PatternOneofCase.Post => ("post", rule.Post),
        HttpRule.PatternOneofCase.Put => ("put", rule.Put),
        HttpRule.PatternOneofCase.Patch => ("patch", rule.Patch),
        HttpRule.PatternOneofCase.Delete => ("delete", rule.Delete),
        _ => throw new InvalidOperationException($"a rule of kind {rule.PatternCase} is not known"),
    };

    [GeneratedRegex(@"\{([a-z_.]+)(?:=([^}]+))?\}", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();
}
