using System.Text.Json.Serialization;
using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.Admin;

/// <summary>An error as RFC 9457 wants it, with a stable word for programs in <paramref name="Error"/>.</summary>
internal sealed record Problem(int Status, string Error, string Title)
{
    public string Type { get; } = "about:blank";

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Violations { get; init; }

    /// <summary>The stored fence, for those who came too late.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Fence? Fence { get; init; }

    public Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = Status;
        return context.Response.WriteAsJsonAsync(this, RouterJson.Options, "application/problem+json");
    }
}
