using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace OtaOrchestrator.AwsPolicies;

/// <summary>The operations of AWS that an assembly calls, as its metadata has them: what is not referenced can't be called.</summary>
public static class CalledOperations
{
    private const string Suffix = "Async";

    /// <returns>Namespace of the service's client (<c>Amazon.Lambda</c>) and operation (<c>UpdateAlias</c>), each once.</returns>
    public static IReadOnlyCollection<(string Service, string Operation)> Of(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var found = new SortedSet<(string, string)>();
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (member.Parent.Kind != HandleKind.TypeReference)
            {
                continue;
            }

            var type = metadata.GetTypeReference((TypeReferenceHandle)member.Parent);
            var (space, name, operation) = (metadata.GetString(type.Namespace), metadata.GetString(type.Name), metadata.GetString(member.Name));
            if (space.StartsWith("Amazon.", StringComparison.Ordinal) && name.StartsWith("IAmazon", StringComparison.Ordinal) && operation.EndsWith(Suffix, StringComparison.Ordinal))
            {
                found.Add((space, operation[..^Suffix.Length]));
            }
        }

        return found;
    }
}
