using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.ControlPlane;

/// <summary>AWS IoT's REST-JSON form: finds the operation, runs it, and spells refusals as AWS does.</summary>
internal sealed partial class ControlPlaneRouter
{
    private const int MaxBodyBytes = 512 * 1024;
    private readonly List<Route> _routes = [];
    private readonly PlaneWriter _writer;
    private readonly SignatureCheck _signatures;
    private readonly ILogger _logger;

    public ControlPlaneRouter(PlaneWriter writer, RegistryApi registry, JobsApi jobs, OtaUpdatesApi updates, IndexApi index, Func<string?, string> endpoint, SignatureCheck signatures, ILogger<ControlPlaneRouter> logger)
    {
        (_writer, _signatures, _logger) = (writer, signatures, logger);

        // Literal paths stand before those with parameters that would swallow them.
        Map("PUT", "/thing-groups/addThingToThingGroup", registry.AddThingToGroup);
        Map("PUT", "/thing-groups/removeThingFromThingGroup", registry.RemoveThingFromGroup);
        Map("POST", "/things/{thingName}", registry.CreateThing);
        Map("GET", "/things/{thingName}", registry.DescribeThing);
        Map("PATCH", "/things/{thingName}", registry.UpdateThing);
        Map("DELETE", "/things/{thingName}", registry.DeleteThing);
        Map("GET", "/things", registry.ListThings);
        Map("GET", "/things/{thingName}/thing-groups", registry.ListGroupsForThing);
        Map("GET", "/things/{thingName}/principals", registry.ListThingPrincipals);
        Map("POST", "/thing-groups/{thingGroupName}", registry.CreateGroup);
        Map("GET", "/thing-groups/{thingGroupName}", registry.DescribeGroup);
        Map("DELETE", "/thing-groups/{thingGroupName}", registry.DeleteGroup);
        Map("GET", "/thing-groups", registry.ListGroups);
        Map("GET", "/thing-groups/{thingGroupName}/things", registry.ListThingsInGroup);
        Map("GET", "/certificates/{certificateId}", registry.DescribeCertificate);
        Map("PUT", "/certificates/{certificateId}", registry.UpdateCertificate);
        Map("PUT", "/jobs/{jobId}", jobs.CreateJob);
        Map("GET", "/jobs/{jobId}", jobs.DescribeJob);
        Map("PATCH", "/jobs/{jobId}", jobs.UpdateJob);
        Map("DELETE", "/jobs/{jobId}", jobs.DeleteJob);
        Map("GET", "/jobs", jobs.ListJobs);
        Map("PUT", "/jobs/{jobId}/cancel", jobs.CancelJob);
        Map("GET", "/jobs/{jobId}/job-document", jobs.GetJobDocument);
        Map("POST", "/jobs/{jobId}/targets", jobs.AssociateTargets);
        Map("GET", "/jobs/{jobId}/things", jobs.ListExecutionsForJob);
        Map("GET", "/things/{thingName}/jobs", jobs.ListExecutionsForThing);
        Map("GET", "/things/{thingName}/jobs/{jobId}", jobs.DescribeExecution);
        Map("PUT", "/things/{thingName}/jobs/{jobId}/cancel", jobs.CancelExecution);
        Map("DELETE", "/things/{thingName}/jobs/{jobId}/executionNumber/{executionNumber}", jobs.DeleteExecution);
        Map("POST", "/otaUpdates/{otaUpdateId}", updates.Create);
        Map("GET", "/otaUpdates/{otaUpdateId}", updates.Get);
        Map("GET", "/otaUpdates", updates.List);
        Map("DELETE", "/otaUpdates/{otaUpdateId}", updates.Delete);
        Map("POST", "/indices/search", index.Search);
        Map("POST", "/indices/statistics", index.Statistics);
        Map("POST", "/indices/buckets", index.Buckets);
        Map("POST", "/indices/cardinality", index.Cardinality);
        Map("GET", "/indices/{indexName}", index.Describe);
        Map("GET", "/indexing/config", IndexApi.Configuration);
        Map("POST", "/indexing/config", IndexApi.Configure);
        Map("GET", "/endpoint", (request, w) => w.WriteString("endpointAddress", endpoint(request.Query("endpointType"))));
    }

    private delegate void Operation(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter answer);

    private delegate void Reading(ControlPlaneRequest request, Utf8JsonWriter answer);

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            var body = await ReadBodyAsync(context).ConfigureAwait(false);
            if (context.Features.Get<TrustedConnection>() is null)
            {
                _signatures.Verify(context.Request, RawTarget(context), body);
            }

            var (route, path) = Find(context.Request.Method, RawTarget(context));
            var request = new ControlPlaneRequest(path, context.Request.Query, PlaneJson.ParseObject(new ReadOnlySequence<byte>(body)));
            var answer = route.Reading is { } read
                ? PlaneJson.Object(w => read(request, w))
                : await _writer.RunAsync(tx => PlaneJson.Object(w => route.Operation!(tx, request, w)), context.RequestAborted).ConfigureAwait(false);
            await WriteAsync(context, StatusCodes.Status200OK, answer).ConfigureAwait(false);
        }
        catch (RefusedException e)
        {
            var (status, type) = Spell(e.Reason);
            context.Response.Headers["x-amzn-errortype"] = type;
            await WriteAsync(context, status, PlaneJson.Object(w => w.WriteString("message", e.Message))).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException && !context.Response.HasStarted)
        {
            LogFailed(_logger, e, context.Request.Method, context.Request.Path);
            context.Response.Headers["x-amzn-errortype"] = "InternalFailureException";
            await WriteAsync(context, StatusCodes.Status500InternalServerError, PlaneJson.Object(w => w.WriteString("message", "internal failure"))).ConfigureAwait(false);
        }
    }

    private static (int Status, string Type) Spell(Refusal reason) => reason switch
    {
        Refusal.NotFound => (404, "ResourceNotFoundException"),
        Refusal.AlreadyExists => (409, "ResourceAlreadyExistsException"),
        Refusal.VersionConflict => (409, "VersionConflictException"),
        Refusal.InvalidStateTransition => (409, "InvalidStateTransitionException"),
        Refusal.TerminalStateReached => (410, "TerminalStateException"),
        Refusal.LimitExceeded => (410, "LimitExceededException"),
        Refusal.InvalidQuery => (400, "InvalidQueryException"),
        Refusal.InvalidAggregation => (400, "InvalidAggregationException"),
        Refusal.Unauthorized => (403, "UnauthorizedException"),
        Refusal.Unavailable => (503, "ServiceUnavailableException"),
        Refusal.Internal => (500, "InternalFailureException"),
        _ => (400, "InvalidRequestException"),
    };

    private static string RawTarget(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    private static async Task<byte[]> ReadBodyAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBodyBytes)
        {
            throw RefusedException.Invalid($"a request may have {MaxBodyBytes} bytes at most");
        }

        using var body = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted).ConfigureAwait(false)) > 0)
            {
                if (body.Length + read > MaxBodyBytes)
                {
                    throw RefusedException.Invalid($"a request may have {MaxBodyBytes} bytes at most");
                }

                body.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return body.ToArray();
    }

    private static Task WriteAsync(HttpContext context, int status, byte[] answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        context.Response.Headers["x-amzn-requestid"] = Guid.NewGuid().ToString();
        return context.Response.Body.WriteAsync(answer, context.RequestAborted).AsTask();
    }

    private void Map(string method, string template, Operation operation) => _routes.Add(new Route(method, template.Split('/'), operation, null));

    private void Map(string method, string template, Reading reading) => _routes.Add(new Route(method, template.Split('/'), null, reading));

    private (Route Route, Dictionary<string, string> Path) Find(string method, string target)
    {
        var end = target.IndexOf('?', StringComparison.Ordinal);
        var segments = (end < 0 ? target : target[..end]).Split('/');
        foreach (var route in _routes)
        {
            if (route.Method == method && route.Match(segments) is { } path)
            {
                return (route, path);
            }
        }

        throw RefusedException.NotFound("this device plane has no such operation");
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string method, string path);

    private sealed record Route(string Method, string[] Template, Operation? Operation, Reading? Reading)
    {
        /// <summary>The path parameters, decoded segment by segment: an encoded slash stays inside its parameter.</summary>
        public Dictionary<string, string>? Match(string[] segments)
        {
            if (segments.Length != Template.Length)
            {
                return null;
            }

            var path = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var i = 0; i < segments.Length; i++)
            {
                if (Template[i] is ['{', .., '}'] parameter)
                {
                    path[parameter[1..^1]] = Uri.UnescapeDataString(segments[i]);
                }
                else if (Template[i] != segments[i])
                {
                    return null;
                }
            }

            return path;
        }
    }
}
