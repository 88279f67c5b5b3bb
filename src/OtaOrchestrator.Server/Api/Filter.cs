using System.Text.RegularExpressions;
using OtaOrchestrator.Server.Errors;

namespace OtaOrchestrator.Server.Api;

/// <summary>The filters of lists: terms <c>field=value</c> or <c>field="value"</c> joined by AND.</summary>
internal static partial class Filter
{
    public static IReadOnlyDictionary<string, string> Parse(string filter, params ReadOnlySpan<string> known)
    {
        Dictionary<string, string> terms = new(StringComparer.Ordinal);
        if (filter.Length > 1000)
        {
            throw RefusedException.Invalid("filter", "is longer than 1000 characters");
        }
        if (string.IsNullOrWhiteSpace(filter))
        {
            return terms;
        }
        foreach (var term in Joint().Split(filter))
        {
            var match = Term().Match(term);
            if (!match.Success)
            {
                throw RefusedException.Invalid("filter", "is not field=value AND …");
            }
            var field = match.Groups[1].Value;
            if (!known.Contains(field))
            {
                throw RefusedException.Invalid("filter", $"knows no {field}; known: {string.Join(", ", known.ToArray())}");
            }
            if (!terms.TryAdd(field, match.Groups[2].Success ? match.Groups[2].Value : match.Groups[3].Value))
            {
                throw RefusedException.Invalid("filter", $"names {field} twice");
            }
        }
        return terms;
    }

    public static bool Truth(string field, string value) => value switch
    {
        "true" => true,
        "false" => false,
        _ => throw RefusedException.Invalid("filter", $"{field} is true or false"),
    };

    [GeneratedRegex(@"\s+AND\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Joint();

    [GeneratedRegex("""^\s*([a-zA-Z]{1,32})\s*=\s*(?:"([^"\\]{0,200})"|([^\s"\\]{1,200}))\s*$""", RegexOptions.CultureInvariant)]
    private static partial Regex Term();
}
