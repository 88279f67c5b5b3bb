using System.Text.Json;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Aws.IoT.Adoption;

/// <summary>
/// Where a device says what it runs: <c>shadow:NAME:PATH</c> (reported; an empty name is the classic shadow), <c>attribute:NAME</c>, or <c>job:KEY</c> (a detail of its latest
/// job's status, which no index knows). The product's own agent says it in the shadow <c>ota</c>.
/// </summary>
public sealed record VersionSource
{
    public const string Rule = "shadow:NAME:PATH, attribute:NAME or job:KEY";
    public static readonly VersionSource Agent = new("shadow", "ota", "release");

    private VersionSource(string kind, string name, string path) => (Kind, Name, Path) = (kind, name, path);

    public string Kind { get; }

    public string Name { get; }

    public string Path { get; }

    /// <summary>The devices' agent is the product's, so that their health is known as well.</summary>
    public bool IsAgent => this == Agent;

    /// <summary>The field of the fleet index; null where it has none.</summary>
    public string? IndexField => Kind switch
    {
        "attribute" => $"attributes.{Name}",
        "shadow" => Name.Length == 0 ? $"shadow.reported.{Path}" : $"shadow.name.{Name}.reported.{Path}",
        _ => null,
    };

    /// <summary>Null when the text is none of these.</summary>
    public static VersionSource? Parse(string text) => text.Split(':', 3) switch
    {
        [""] => Agent,
        ["shadow", var name, var path] when (name.Length == 0 || Names.IsGroup(name)) && IsPath(path) => new VersionSource("shadow", name, path),
        ["attribute", var name] when Names.IsGroup(name) => new VersionSource("attribute", name, ""),
        ["job", var key] when Names.IsGroup(key) => new VersionSource("job", key, ""),
        _ => null,
    };

    /// <summary>What a device that the index shows runs; empty when it does not say.</summary>
    public string Of(IReadOnlyDictionary<string, string> attributes, string shadowJson)
    {
        if (Kind == "attribute")
        {
            return attributes.TryGetValue(Name, out var value) ? value : "";
        }

        if (Kind != "shadow" || shadowJson.Length == 0)
        {
            return "";
        }

        using var shadow = JsonDocument.Parse(shadowJson);
        var at = shadow.RootElement;
        foreach (var member in (IEnumerable<string>)[.. Name.Length == 0 ? (string[])[] : ["name", Name], "reported", .. Path.Split('.')])
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(member, out at))
            {
                return "";
            }
        }

        return at.ValueKind == JsonValueKind.String ? at.GetString()! : at.ValueKind == JsonValueKind.Number ? at.GetRawText() : "";
    }

    public override string ToString() => Kind == "shadow" ? $"shadow:{Name}:{Path}" : $"{Kind}:{Name}";

    private static bool IsPath(string path) => path.Length is > 0 and <= 200 && path.Split('.').All(part => part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '$'));
}
