using System.Text.Json;
using System.Text.RegularExpressions;

namespace OtaOrchestrator.Aws.Controls;

/// <summary>What a statement of an IAM policy allows.</summary>
/// <param name="Actions">As written, <c>*</c> and all; empty for a statement that names what is not meant.</param>
/// <param name="Resources">As written; empty for a statement that names what is not meant.</param>
/// <param name="Services">AWS's services that it allows it to, in a policy that says who may take on a role.</param>
public sealed record PolicyStatement(IReadOnlyList<string> Actions, IReadOnlyList<string> Resources, IReadOnlyList<string> Services)
{
    /// <summary>The statements that allow something; what they deny, and under what condition, is not looked at.</summary>
    /// <exception cref="FormatException">It is no policy.</exception>
    public static IReadOnlyList<PolicyStatement> Parse(string policy)
    {
        try
        {
            using var document = JsonDocument.Parse(policy);
            return [.. Each(document.RootElement.GetProperty("Statement")).Where(statement => statement.GetProperty("Effect").GetString() == "Allow")
                .Select(statement => new PolicyStatement(Texts(statement, "Action"), Texts(statement, "Resource"), ServicesOf(statement)))];
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"this is not a policy: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>The same with each <c>${name}</c> that is known; what is unknown stays.</summary>
    public PolicyStatement With(IReadOnlyDictionary<string, string> values) =>
        this with { Resources = [.. Resources.Select(resource => Placeholder.Replace(resource, name => values.GetValueOrDefault(name.Groups[1].Value, name.Value)))] };

    /// <summary>Whether it names this action on this resource, as a policy writes them: a <c>*</c> in the question is covered by a <c>*</c> only, a <c>${name}</c> here stands for any one name.</summary>
    public bool Covers(string action, string resource) =>
        Actions.Any(own => own.Equals(action, StringComparison.OrdinalIgnoreCase)) && Resources.Any(own => Pattern(own).IsMatch(resource));

    internal static readonly Regex Placeholder = new(@"\$\{(\w+)\}", RegexOptions.CultureInvariant);

    private static Regex Pattern(string resource)
    {
        // A name that is filled in is no wildcard; the whole of an ARN may be one name.
        var pattern = Regex.Escape(resource.Replace("${", "\u0001", StringComparison.Ordinal).Replace("}", "\u0002", StringComparison.Ordinal));
        pattern = Regex.Replace(pattern, "\u0001\\w+\u0002", "[^*?]*").Replace(@"\*", ".*", StringComparison.Ordinal);
        return new Regex($"^{pattern}$", RegexOptions.CultureInvariant);
    }

    private static IReadOnlyList<string> Texts(JsonElement statement, string name) =>
        statement.TryGetProperty(name, out var value) ? [.. Each(value).Select(text => text.GetString()!)] : [];

    private static IReadOnlyList<string> ServicesOf(JsonElement statement) =>
        statement.TryGetProperty("Principal", out var principal) && principal.ValueKind == JsonValueKind.Object ? Texts(principal, "Service") : [];

    private static IEnumerable<JsonElement> Each(JsonElement value) => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];
}
