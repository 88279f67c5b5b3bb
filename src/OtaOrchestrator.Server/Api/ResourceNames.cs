using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Server.Errors;

namespace OtaOrchestrator.Server.Api;

/// <summary>Takes resource names apart and puts them together. What is not a name is refused before it is used anywhere.</summary>
internal static class ResourceNames
{
    public static string Environment(string name) => Split(name, "name", "environments", 1)[0];

    public static string Parent(string parent) => Split(parent, "parent", "environments", 1)[0];

    public static (string Environment, string Id) In(string name, string collection)
    {
        var parts = name.Length <= 400 ? name.Split('/') : [];
        if (parts.Length != 4 || parts[0] != "environments" || parts[2] != collection)
        {
            throw RefusedException.Invalid("name", $"{Names.Shown(name)} is not environments/*/{collection}/*");
        }
        return (Checked(parts[1], "name"), parts[3]);
    }

    public static (string Environment, string Rollout) Rollout(string name)
    {
        var (environment, id) = In(name, "rollouts");
        return (environment, id == "-" ? id : Checked(id, "name"));
    }

    public static ReleaseName Release(string name) =>
        (name.StartsWith("releases/", StringComparison.Ordinal) ? ReleaseName.Parse(name["releases/".Length..]) : null)
        ?? throw RefusedException.Invalid("name", $"{Names.Shown(name)} is not releases/name@version");

    public static string Of(string environment) => $"environments/{environment}";

    public static string OfTarget(string environment, string target) => $"environments/{environment}/targets/{target}";

    public static string OfRollout(string environment, string rollout) => $"environments/{environment}/rollouts/{rollout}";

    public static string OfDevice(string environment, string thing) => $"environments/{environment}/devices/{thing}";

    public static string Checked(string id, string field) => Names.IsValid(id) ? id : throw RefusedException.Invalid(field, $"{Names.Shown(id)} is not a name ({Names.Rule})");

    private static string[] Split(string name, string field, string collection, int ids)
    {
        var parts = name.Length <= 400 ? name.Split('/') : [];
        if (parts.Length != ids * 2 || parts[0] != collection)
        {
            throw RefusedException.Invalid(field, $"{Names.Shown(name)} is not {collection}/*");
        }
        return [Checked(parts[1], field)];
    }
}
