using System.Reflection;
using Amazon.KeyManagementService;
using Amazon.Runtime;

namespace OtaOrchestrator.AwsSdk.Tests;

/// <summary>The generator held against the official package of a service that exists both ways.</summary>
public sealed class KmsSurfaceTests
{
    private static readonly Assembly StandIn = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "StandIn.KeyManagementService.dll"));
    private static readonly Assembly Official = typeof(AmazonKeyManagementServiceClient).Assembly;

    [Fact]
    public void Stand_in_has_no_public_member_that_the_official_assembly_has_not()
    {
        var official = Members(Official).ToHashSet(StringComparer.Ordinal);
        var standIn = Members(StandIn).ToList();

        Assert.True(standIn.Count > 1000, $"only {standIn.Count} public members were generated");
        Assert.DoesNotContain(standIn, m => !official.Contains(m));
    }

    [Fact]
    public void Stand_in_lacks_only_what_is_newer_than_the_model_or_left_out_on_purpose()
    {
        var standIn = Members(StandIn).ToHashSet(StringComparer.Ordinal);
        var types = StandIn.GetExportedTypes().Select(t => t.FullName).ToHashSet(StringComparer.Ordinal);
        var lacking = Official.GetExportedTypes().Where(t => types.Contains(t.FullName)).SelectMany(MembersOf).Where(m => !standIn.Contains(m)).ToList();

        string[] leftOut = ["IKeyManagementServicePaginatorFactory", ".ctor(String, String"];
        var unexplained = lacking
            .Where(m => !leftOut.Any(l => m.Contains(l, StringComparison.Ordinal)))
            // A convenience overload takes strings in the place of a request.
            .Where(m => !(m.Contains("Async(", StringComparison.Ordinal) && !m.Contains("Request, CancellationToken", StringComparison.Ordinal)))
            .ToList();
        var newer = File.ReadAllLines(Path.Combine(Repository.Root, "tests", "OtaOrchestrator.AwsSdk.Tests", "newer-than-the-model.txt"));
        Assert.Equal(newer.Order(StringComparer.Ordinal), unexplained.Order(StringComparer.Ordinal));
    }

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
