using System.Reflection;
using Amazon.KeyManagementService;
using Amazon.Runtime;
using Amazon.SecurityToken;

namespace OtaOrchestrator.AwsSdk.Tests;

/// <summary>The generator held against the official packages of services that exist both ways: AWS JSON, and query.</summary>
public sealed class SurfaceTests
{
    /// <summary>What the official packages have beside what follows from a model.</summary>
    private static readonly string[] LeftOut = ["PaginatorFactory", ".ctor(String, String", "ICoreAmazonSTS", "SecurityToken.Model.Credentials : ", "SecurityToken.Model.Credentials.GetCredentials", "GetFederationTokenRequest.ctor(String)"];

    private static readonly Dictionary<string, Assembly> Officials = new() { ["KeyManagementService"] = typeof(AmazonKeyManagementServiceClient).Assembly, ["SecurityToken"] = typeof(AmazonSecurityTokenServiceClient).Assembly };

    [Theory]
    [InlineData("KeyManagementService", 1000)]
    [InlineData("SecurityToken", 200)]
    public void Stand_in_has_no_public_member_that_the_official_assembly_has_not(string service, int least)
    {
        var official = Members(Officials[service]).ToHashSet(StringComparer.Ordinal);
        var standIn = Members(StandIn(service)).ToList();

        Assert.True(standIn.Count > least, $"only {standIn.Count} public members were generated");
        var alone = standIn.Where(m => !official.Contains(m) && !LeftOut.Any(l => m.Contains(l, StringComparison.Ordinal))).ToList();
        Assert.True(alone.Count == 0, Lines(alone));
    }

    [Theory]
    [InlineData("KeyManagementService")]
    [InlineData("SecurityToken")]
    public void Stand_in_lacks_only_what_is_newer_than_the_model_or_left_out_on_purpose(string service)
    {
        var standIn = Members(StandIn(service)).ToHashSet(StringComparer.Ordinal);
        var types = StandIn(service).GetExportedTypes().Select(t => t.FullName).ToHashSet(StringComparer.Ordinal);
        var lacking = Officials[service].GetExportedTypes().Where(t => types.Contains(t.FullName)).SelectMany(MembersOf).Where(m => !standIn.Contains(m)).ToList();

        var unexplained = lacking
            .Where(m => !LeftOut.Any(l => m.Contains(l, StringComparison.Ordinal)))
            // A convenience overload takes strings in the place of a request.
            .Where(m => !(m.Contains("Async(", StringComparison.Ordinal) && !m.Contains("Request, CancellationToken", StringComparison.Ordinal)))
            .ToList();
        var newer = File.ReadAllLines(Path.Combine(Repository.Root, "tests", "OtaOrchestrator.AwsSdk.Tests", "newer-than-the-model.txt"));
        var expected = newer.Where(member => member.Contains($"Amazon.{service}.", StringComparison.Ordinal)).ToList();
        Assert.True(unexplained.ToHashSet(StringComparer.Ordinal).SetEquals(expected), $"lacking and not listed:\n{Lines(unexplained.Except(expected))}\nlisted and not lacking:\n{Lines(expected.Except(unexplained))}");
    }

    private static string Lines(IEnumerable<string> members) => string.Join('\n', members.Order(StringComparer.Ordinal));

    private static Assembly StandIn(string service) => Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, $"StandIn.{service}.dll"));

    private static IEnumerable<string> Members(Assembly assembly) => assembly.GetExportedTypes().SelectMany(MembersOf);

    private static IEnumerable<string> MembersOf(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var name = type.FullName!;
        yield return $"{name} : {type.BaseType?.FullName}";
        foreach (var contract in type.GetInterfaces().Where(i => i.IsPublic))
        {
            yield return $"{name} : {contract.FullName}";
        }

        foreach (var member in type.GetMembers(Declared))
        {
            switch (member)
            {
                case ConstructorInfo constructor:
                    yield return $"{name}.ctor({Parameters(constructor)})";
                    break;
                case MethodInfo method when !method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal):
                    yield return $"{Name(method.ReturnType)} {name}.{method.Name}({Parameters(method)})";
                    break;
                case PropertyInfo property:
                    yield return $"{Name(property.PropertyType)} {name}.{property.Name} {{{(property.GetMethod?.IsPublic == true ? "get;" : "")}{(property.SetMethod?.IsPublic == true ? "set;" : "")}}}";
                    break;
                case FieldInfo field:
                    yield return $"{(field.IsInitOnly ? "readonly " : "")}{Name(field.FieldType)} {name}.{field.Name} = {(field.IsStatic ? field.GetValue(null) as ConstantClass : null)?.Value}";
                    break;
            }
        }
    }

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(p => Name(p.ParameterType) + (p.IsOptional ? "?" : "")));

    private static string Name(Type type) => type.IsGenericType
        ? $"{type.Name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.Name;
}
