using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace OtaOrchestrator.DevicePlane.Index;

/// <summary>
/// One value of a document: a dotted path and a text or a number. A thousand devices report the same paths and much the same values, so
/// short texts are shared.
/// </summary>
internal readonly record struct IndexEntry(string Path, string? Text, double Number)
{
    private const int SharedLimit = 65_536;
    private const int SharedChars = 128;
    private static readonly ConcurrentDictionary<string, string> SharedTexts = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, byte> SeenOnce = new(StringComparer.Ordinal);

    public bool IsNumber => Text is null;

    public string AsText => Text ?? Number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>All values of a JSON object. An array's items are values of the array's path.</summary>
    public static IndexEntry[] Flatten(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var entries = new List<IndexEntry>();
        Add(entries, "", document.RootElement);
        return [.. entries];
    }

    private static void Add(List<IndexEntry> entries, string path, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    Add(entries, path.Length == 0 ? member.Name : $"{path}.{member.Name}", member.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Add(entries, path, item);
                }

                break;
            case JsonValueKind.Number:
                entries.Add(new IndexEntry(Share(path), null, element.GetDouble()));
                break;
            case JsonValueKind.String:
                entries.Add(new IndexEntry(Share(path), Share(element.GetString()!), 0));
                break;
            case JsonValueKind.True or JsonValueKind.False:
                entries.Add(new IndexEntry(Share(path), element.GetBoolean() ? "true" : "false", 0));
                break;
        }
    }

    /// <summary>Shares a text from the second time it is seen; what is unique, such as a boot id, never enters. Both tables are bounded.</summary>
    private static string Share(string text)
    {
        if (text.Length > SharedChars)
        {
            return text;
        }

        if (SharedTexts.TryGetValue(text, out var shared))
        {
            return shared;
        }

        if (SeenOnce.TryRemove(text, out _))
        {
            return SharedTexts.Count < SharedLimit ? SharedTexts.GetOrAdd(text, text) : text;
        }

        if (SeenOnce.Count >= SharedLimit)
        {
            SeenOnce.Clear();
        }

        SeenOnce.TryAdd(text, 0);
        return text;
    }
}
