using System.Text.Json;

namespace OtaOrchestrator.AwsSdkGenerator.Model;

/// <summary>One shape of a service model: a scalar, a list, a map or a structure.</summary>
internal sealed record Shape(
    string Name,
    string Type,
    IReadOnlyList<Member> Members,
    IReadOnlyList<string> Required,
    string? Element,
    string ElementName,
    bool Flattened,
    string? Value,
    string KeyName,
    string ValueName,
    IReadOnlyList<string> EnumValues,
    string? TimestampFormat,
    string? Payload,
    string? ErrorCode,
    bool IsException)
{
    public bool IsEnum => Type == "string" && EnumValues.Count > 0;

    public static Shape Parse(string name, JsonElement json)
    {
        var members = new List<Member>();
        if (json.TryGetProperty("members", out var memberMap))
        {
            members.AddRange(memberMap.EnumerateObject().Select(m => Member.Parse(m.Name, m.Value)));
        }

        return new Shape(
            name,
            json.GetProperty("type").GetString()!,
            members,
            Strings(json, "required"),
            Reference(json, "member"),
            LocationName(json, "member"),
            Flag(json, "flattened"),
            Reference(json, "value"),
            LocationName(json, "key"),
            LocationName(json, "value"),
            Strings(json, "enum"),
            Text(json, "timestampFormat"),
            Text(json, "payload"),
            json.TryGetProperty("error", out var error) ? Text(error, "code") : null,
            Flag(json, "exception"));
    }

    internal static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.GetString() : null;

    internal static bool Flag(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static string? Reference(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? Text(value, "shape") : null;

    private static string LocationName(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? Text(value, "locationName") ?? name : name;

    private static string[] Strings(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? [.. value.EnumerateArray().Select(v => v.GetString()!)] : [];
}

/// <summary>One member of a structure. <c>Location</c> is null for the body, else <c>uri</c>, <c>querystring</c>, <c>header</c> …</summary>
internal sealed record Member(
    string Name,
    string Shape,
    string WireName,
    string? Location,
    string? TimestampFormat,
    bool IsIdempotencyToken,
    XmlRoot? Root)
{
    public static Member Parse(string name, JsonElement json) => new(
        name,
        Model.Shape.Text(json, "shape")!,
        Model.Shape.Text(json, "locationName") ?? name,
        Model.Shape.Text(json, "location"),
        Model.Shape.Text(json, "timestampFormat"),
        Model.Shape.Flag(json, "idempotencyToken"),
        XmlRoot.Parse(json));
}
