using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace OtaOrchestrator.DevicePlane.ControlPlane;

/// <summary>A control-plane call: path parameters, query and JSON body, with the readings that validation needs.</summary>
internal sealed class ControlPlaneRequest(IReadOnlyDictionary<string, string> path, IQueryCollection query, JsonElement body)
{
    public JsonElement Body { get; } = body;

    /// <summary>A part of the path; it exists, since the route matched.</summary>
    public string Path(string name) => path[name];

    public string? Query(string name) => query.TryGetValue(name, out var values) ? values.Count == 1 ? values[0] : throw RefusedException.Invalid($"{name} is given more than once") : null;

    public bool QueryFlag(string name) => Query(name) switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw RefusedException.Invalid($"{name} must be true or false"),
    };

    public long? QueryInteger(string name) => Query(name) is not { } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : throw RefusedException.Invalid($"{name} must be a whole number");

    public int MaxResults(int most) => QueryInteger("maxResults") switch
    {
        null => most,
        { } value when value >= 1 && value <= most => (int)value,
        _ => throw RefusedException.Invalid($"maxResults must be 1 to {most}"),
    };

    public string? Text(string name, int maxChars = 2048) => Text(Body, name, maxChars);

    public string RequiredText(string name, int maxChars = 2048) => Text(name, maxChars) ?? throw RefusedException.Invalid($"{name} is missing");

    public JsonElement? Object(string name) => Member(Body, name, JsonValueKind.Object);

    /// <summary>Refuses a member that this plane can't honour, instead of ignoring it.</summary>
    public void Refuse(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
            {
                throw RefusedException.Invalid($"{name} isn't supported by this device plane");
            }
        }
    }

    public string[] Texts(string name, int most)
    {
        if (Member(Body, name, JsonValueKind.Array) is not { } array)
        {
            return [];
        }

        if (array.GetArrayLength() > most || array.EnumerateArray().Any(i => i.ValueKind != JsonValueKind.String))
        {
            throw RefusedException.Invalid($"{name} must be a list of at most {most} texts");
        }

        return [.. array.EnumerateArray().Select(i => i.GetString()!)];
    }

    public static string? Text(JsonElement element, string name, int maxChars = 2048) => Member(element, name, JsonValueKind.String)?.GetString() is not { } text ? null
        : text.Length <= maxChars ? text : throw RefusedException.Invalid($"{name} may have {maxChars} characters at most");

    public static JsonElement? Member(JsonElement element, string name, JsonValueKind kind) =>
        !element.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == kind ? value : throw RefusedException.Invalid($"{name} must be of type {kind}");

    public static long? Integer(JsonElement element, string name, long least, long most) => Member(element, name, JsonValueKind.Number) is not { } value ? null
        : value.TryGetInt64(out var number) && number >= least && number <= most ? number : throw RefusedException.Invalid($"{name} must be {least} to {most}");

    public static double? Number(JsonElement element, string name, double least, double most) => Member(element, name, JsonValueKind.Number) is not { } value ? null
        : value.GetDouble() is var number && number >= least && number <= most ? number : throw RefusedException.Invalid(string.Create(CultureInfo.InvariantCulture, $"{name} must be {least} to {most}"));

    public static IReadOnlyDictionary<string, string>? Map(JsonElement element, string name) => Member(element, name, JsonValueKind.Object) is not { } map ? null
        : map.EnumerateObject().ToDictionary(
            m => m.Name, m => m.Value.ValueKind == JsonValueKind.String ? m.Value.GetString()! : throw RefusedException.Invalid($"{name} must map text to text"), StringComparer.Ordinal);
}
