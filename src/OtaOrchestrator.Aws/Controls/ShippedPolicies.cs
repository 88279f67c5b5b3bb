using System.Reflection;

namespace OtaOrchestrator.Aws.Controls;

/// <summary>The least-privilege policies that the product ships (<c>deploy/iam</c>), as they were when it was built.</summary>
public static class ShippedPolicies
{
    private const string Prefix = "iam/";

    /// <summary>File name without its ending to its statements, with <c>${name}</c> where an account fills something in.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<PolicyStatement>> All { get; } = Read();

    /// <summary>The file that grants an action, for example <c>lambda</c> for <c>lambda:UpdateAlias</c>; null for what the product never does.</summary>
    public static string? Granting(string action) =>
        All.FirstOrDefault(file => file.Value.Any(statement => statement.Actions.Contains(action, StringComparer.OrdinalIgnoreCase))).Key;

    /// <summary>Whether one of them allows the action on the resource.</summary>
    public static bool Cover(string action, string resource) => All.Values.Any(statements => statements.Any(statement => statement.Covers(action, resource)));

    private static Dictionary<string, IReadOnlyList<PolicyStatement>> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var files = new Dictionary<string, IReadOnlyList<PolicyStatement>>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var text = new StreamReader(assembly.GetManifestResourceStream(name)!);
            files[Path.GetFileNameWithoutExtension(name[Prefix.Length..])] = PolicyStatement.Parse(text.ReadToEnd());
        }

        return files;
    }
}
