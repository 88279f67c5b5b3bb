using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;
using OtaOrchestrator.AwsSdkGenerator.Protocols;

namespace OtaOrchestrator.AwsSdkGenerator;

/// <summary>Turns a service model into the source of a stand-in for the official package.</summary>
public static class StandInGenerator
{
    /// <summary>Where Debian's python3-botocore keeps its models.</summary>
    public const string InstalledModels = "/usr/lib/python3/dist-packages/botocore/data";

    /// <summary>
    /// The files of the service that <paramref name="definitionPath"/> defines: relative path to text, and the output directory relative
    /// to the root of the repository. Throws <see cref="NotSupportedException"/> for what the generator can't express, never leaves it out.
    /// </summary>
    public static (string Output, IReadOnlyDictionary<string, string> Files) Generate(string definitionPath, string modelsRoot)
    {
        var definition = ServiceDefinition.Load(definitionPath);
        var model = ServiceModel.Load(definition, modelsRoot);
        var names = new Names(model);
        var protocol = ProtocolOf.Model(model, names);
        var types = new TypeFiles(model, names);
        var client = new ClientFiles(model, names, protocol);

        var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [$"I{names.Base}.g.cs"] = client.Interface(),
            [$"{names.Base}Client.g.cs"] = client.ClientClass(),
            [$"{names.Base}Config.g.cs"] = client.ConfigClass(),
            [$"{names.BaseException}.g.cs"] = types.BaseException(),
            ["Enumerations.g.cs"] = types.Enumerations(),
            ["Model/Structures.g.cs"] = types.Structures(),
            ["Model/Exceptions.g.cs"] = types.Exceptions(),
            ["Internal/Errors.g.cs"] = client.Errors(),
        };
        var (structuresFile, structures) = protocol.EmitStructures();
        files["Internal/" + structuresFile] = structures;
        foreach (var operation in model.Operations)
        {
            files[$"Model/{operation.Name}.g.cs"] = client.OperationFile(operation, types);
            files[$"Internal/{operation.Name}Operation.g.cs"] = client.OperationWireFile(operation);
        }

        return (definition.Output, files);
    }
}
