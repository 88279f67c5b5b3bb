using System.Text.Json;

namespace OtaOrchestrator.AwsSdkGenerator.Model;

/// <summary>One operation of a service model. <c>Input</c>, <c>Output</c> and <c>Errors</c> are names of shapes.</summary>
internal sealed record Operation(
    string Name,
    string Method,
    string RequestUri,
    string? Input,
    string? Output,
    IReadOnlyList<string> Errors)
{
    public static Operation Parse(string name, JsonElement json) => new(
        name,
        json.GetProperty("http").GetProperty("method").GetString()!,
        json.GetProperty("http").GetProperty("requestUri").GetString()!,
        Reference(json, "input"),
        Reference(json, "output"),
        json.TryGetProperty("errors", out var errors) ? [.. errors.EnumerateArray().Select(e => Shape.Text(e, "shape")!)] : []);

    private static string? Reference(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? Shape.Text(value, "shape") : null;
}
