using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using OtaOrchestrator.Router.Hosting;
using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.Admin;

/// <summary>The administration of routes: absolute writes with a fence, and reads that say what holds.</summary>
internal sealed class AdminApi(RouteTable routes, RouteValidator validator, Instance instance)
{
    public const int BodyBytesMax = 64 * 1024;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/healthz", context => Write(context, new { status = "serving", instance = instance.Id }));
        endpoints.MapGet("/v1/routes", context => Write(context, new { routes = routes.Routes.Values.Select(route => RouteView.Of(route, routes)) }));
        endpoints.MapGet("/v1/routes/{name}", context => OfRoute(context, route => RouteView.Of(route, routes)));
        endpoints.MapGet("/v1/routes/{name}/stats", context => OfRoute(context, route =>
            new StatisticsView(route.Name, instance.Id, instance.StartedAt, [.. route.Statistics.Read().Select(SideView.Of)])));
        endpoints.MapPut("/v1/routes/{name}", PutAsync);
        endpoints.MapPost("/v1/routes/{name}/lease", RenewAsync);
        endpoints.MapFallback(context => new Problem(StatusCodes.Status404NotFound, "not-found", "There is nothing here").WriteAsync(context));
    }

    private async Task PutAsync(HttpContext context)
    {
        if (Name(context) is not { } name)
        {
            await BadName.WriteAsync(context);
            return;
        }
        var (spec, problem) = await ReadAsync<RouteSpec>(context, "a route");
        if (spec is not null && validator.Violations(spec) is { Count: > 0 } violations)
        {
            problem = new Problem(StatusCodes.Status400BadRequest, "invalid", "The route is not valid") { Violations = violations };
        }
        if (problem is not null)
        {
            await problem.WriteAsync(context);
            return;
        }
        var result = await routes.PutAsync(name, spec!, context.RequestAborted);
        await (result.Route is { } route ? Write(context, RouteView.Of(route, routes)) : Refused(result).WriteAsync(context));
    }

    private async Task RenewAsync(HttpContext context)
    {
        if (Name(context) is not { } name)
        {
            await BadName.WriteAsync(context);
            return;
        }
        var (renewal, problem) = await ReadAsync<LeaseRenewal>(context, "a renewal");
        if (problem is not null)
        {
            await problem.WriteAsync(context);
            return;
        }
        var result = await routes.RenewAsync(name, renewal!.Epoch, context.RequestAborted);
        await (result.Route is { } route ? Write(context, RouteView.Of(route, routes)) : Refused(result).WriteAsync(context));
    }

    private Task OfRoute<T>(HttpContext context, Func<Route, T> view)
    {
        if (Name(context) is not { } name)
        {
            return BadName.WriteAsync(context);
        }
        return routes.Routes.TryGetValue(name, out var route)
            ? Write(context, view(route))
            : new Problem(StatusCodes.Status404NotFound, "unknown-route", "There is no such route").WriteAsync(context);
    }

    private static async Task<(T?, Problem?)> ReadAsync<T>(HttpContext context, string what) where T : class
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = BodyBytesMax;
        if (!context.Request.HasJsonContentType())
        {
            return (null, new Problem(StatusCodes.Status415UnsupportedMediaType, "not-json", "The body is to be application/json"));
        }
        try
        {
            return await context.Request.ReadFromJsonAsync<T>(RouterJson.Options, context.RequestAborted) is { } spec
                ? (spec, null)
                : (null, new Problem(StatusCodes.Status400BadRequest, "malformed", "The body is null"));
        }
        catch (JsonException error)
        {
            string where = error.Path is { Length: > 0 and < 200 } path ? $"at {path}" : "at its beginning";
            return (null, new Problem(StatusCodes.Status400BadRequest, "malformed", $"The body is not {what}") { Detail = $"{where}, line {error.LineNumber + 1}: not what is expected there" });
        }
        catch (InvalidOperationException)
        {
            return (null, new Problem(StatusCodes.Status415UnsupportedMediaType, "not-json", "The body is to be UTF-8"));
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (null, new Problem(error.StatusCode, "too-large", $"The body is larger than {BodyBytesMax} bytes"));
        }
    }

    private static Problem Refused(PutResult result) => result.Refusal switch
    {
        PutRefusal.LowerFence or PutRefusal.FenceReused => new(StatusCodes.Status409Conflict, "fence", "Another write was accepted") { Fence = result.Fence, Detail = result.Detail },
        PutRefusal.MatchTaken => new(StatusCodes.Status409Conflict, "match", "Another route takes these requests") { Detail = result.Detail },
        PutRefusal.UnknownRoute => new(StatusCodes.Status404NotFound, "unknown-route", "There is no such route"),
        PutRefusal.LeaseLost => new(StatusCodes.Status409Conflict, "lease-lost", "The lease ran out") { Fence = result.Fence, Detail = result.Detail },
        PutRefusal.HandedOver => new(StatusCodes.Status503ServiceUnavailable, "handed-over", "Not this process") { Detail = result.Detail },
        PutRefusal.TooManyRoutes => new(StatusCodes.Status429TooManyRequests, "too-many", "There are too many routes") { Detail = result.Detail },
        _ => new(StatusCodes.Status507InsufficientStorage, "not-stored", "Nothing was changed") { Fence = result.Fence, Detail = result.Detail },
    };

    private static Problem BadName => new(StatusCodes.Status400BadRequest, "invalid", "A route's name is 1 to 63 lower-case letters, digits and inner hyphens");

    private static string? Name(HttpContext context) => context.Request.RouteValues["name"] is string name && RouteValidator.IsName(name) ? name : null;

    private static Task Write<T>(HttpContext context, T value) => context.Response.WriteAsJsonAsync(value, RouterJson.Options);
}
