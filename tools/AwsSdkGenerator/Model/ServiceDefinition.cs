using System.Text.Json;
using System.Text.Json.Nodes;

namespace OtaOrchestrator.AwsSdkGenerator.Model;

/// <summary>
/// What the model does not say: which model, how .NET calls the service, which operations are wanted, what is newer than the model.
/// A file <c>Services/&lt;name&gt;.json</c>.
/// </summary>
internal sealed record ServiceDefinition
{
    /// <summary>Directory of the model under the root of the models, for example <c>iot/2015-05-28</c>.</summary>
    public required string Model { get; init; }

    /// <summary>The name after <c>Amazon.</c> in the namespace and after <c>Amazon</c> in the types: <c>IoT</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The name in the types after <c>Amazon</c>, where it differs from that of the namespace: <c>IdentityManagementService</c>.</summary>
    public string? Client { get; init; }

    /// <summary>Where the output goes, relative to the root of the repository.</summary>
    public required string Output { get; init; }

    /// <summary>The name to sign for, where .NET differs from the model.</summary>
    public string? SigningName { get; init; }

    /// <summary>Names in .NET that differ from the model's: a shape's, or <c>shape.member</c>.</summary>
    public IReadOnlyDictionary<string, string> Renames { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of operations; a single <c>*</c> for all.</summary>
    public required IReadOnlyList<string> Operations { get; init; }

    /// <summary>Shapes and members newer than the model, in the form of the model.</summary>
    public JsonObject? Overlay { get; init; }

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    public static ServiceDefinition Load(string path) =>
        JsonSerializer.Deserialize<ServiceDefinition>(File.ReadAllText(path), Json)
        ?? throw new InvalidDataException($"{path} is empty");
}
