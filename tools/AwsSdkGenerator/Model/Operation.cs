using System.Text.Json;

namespace OtaOrchestrator.AwsSdkGenerator.Model;

/// <summary>One operation of a service model. <c>Input</c>, <c>Output</c> and <c>Errors</c> are names of shapes.</summary>
internal sealed record Operation(
    string Name,
    string Method,
    string RequestUri,
    string? Input,
    string? Output,
    string? ResultWrapper,
    XmlRoot? InputRoot,
    string? HostPrefix,
    IReadOnlyList<string> Errors)
{
    public static Operation Parse(string name, JsonElement json) => new(
        name,
        json.GetProperty("http").GetProperty("method").GetString()!,
        json.GetProperty("http").GetProperty("requestUri").GetString()!,
        Reference(json, "input"),
        Reference(json, "output"),
        json.TryGetProperty("output", out var output) ? Shape.Text(output, "resultWrapper") : null,
        json.TryGetProperty("input", out var input) ? XmlRoot.Parse(input) : null,
        json.TryGetProperty("endpoint", out var endpoint) ? Shape.Text(endpoint, "hostPrefix") : null,
        json.TryGetProperty("errors", out var errors) ? [.. errors.EnumerateArray().Select(e => Shape.Text(e, "shape")!)] : []);

    private static string? Reference(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? Shape.Text(value, "shape") : null;
}

/// <summary>The element that a request's body is, where it is XML.</summary>
internal sealed record XmlRoot(string Name, string Namespace)
{
    public static XmlRoot? Parse(JsonElement json) =>
        Shape.Text(json, "locationName") is { } name && json.TryGetProperty("xmlNamespace", out var space) ? new(name, Shape.Text(space, "uri") ?? "") : null;
}
