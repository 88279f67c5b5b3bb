using System.Globalization;
using System.Text;
using Google.Protobuf.Reflection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Architecture.Tests;

public sealed class WireTests
{
    private static readonly FileDescriptor[] Files =
        [AuditReflection.Descriptor, DevicesReflection.Descriptor, EnvironmentsReflection.Descriptor, ErrorsReflection.Descriptor, PlanReflection.Descriptor, ReleasesReflection.Descriptor, RolloutsReflection.Descriptor];

    /// <summary>Every change of the wire shows as a diff of the approved dump. <c>OTA_APPROVE=1</c> writes it anew.</summary>
    [Fact]
    public void Wire_is_as_approved()
    {
        var dump = new StringBuilder();
        foreach (var file in Files)
        {
            foreach (var enumeration in file.EnumTypes)
            {
                dump.Append(CultureInfo.InvariantCulture, $"enum {enumeration.FullName} {string.Join(' ', enumeration.Values.Select(value => $"{value.Name}={value.Number}"))}\n");
            }
            foreach (var message in file.MessageTypes)
            {
                Dump(message, dump);
            }
            foreach (var method in file.Services.SelectMany(service => service.Methods))
            {
                dump.Append(CultureInfo.InvariantCulture, $"rpc {method.FullName} ({Stream(method.IsClientStreaming)}{method.InputType.Name}) -> ({Stream(method.IsServerStreaming)}{method.OutputType.Name})\n");
            }
        }
        var approved = Path.Combine(Repository.Root, "tests", "OtaOrchestrator.Architecture.Tests", "Approved", "wire.txt");
        if (System.Environment.GetEnvironmentVariable("OTA_APPROVE") == "1")
        {
            File.WriteAllText(approved, dump.ToString());
        }
        Assert.Equal(File.ReadAllText(approved).ReplaceLineEndings("\n"), dump.ToString());
    }

    [Fact]
    public void Every_mutation_carries_a_request_id()
    {
        var mutations = Files.SelectMany(file => file.Services).SelectMany(service => service.Methods)
            .Where(method => !method.IsServerStreaming && !new[] { "Get", "List", "Count", "Watch", "Check", "Verify" }.Any(verb => method.Name.StartsWith(verb, StringComparison.Ordinal)));
        Assert.All(mutations, method =>
        {
            var carrier = method.IsClientStreaming ? method.InputType.NestedTypes.Single(type => type.Name == "Head") : method.InputType;
            Assert.NotNull(carrier.FindFieldByName("request_id"));
        });
    }

    private static string Stream(bool streaming) => streaming ? "stream " : "";

    private static void Dump(MessageDescriptor message, StringBuilder dump)
    {
        foreach (var field in message.Fields.InFieldNumberOrder())
        {
            var type = field.FieldType switch { FieldType.Message => field.MessageType.FullName, FieldType.Enum => field.EnumType.FullName, var scalar => scalar.ToString() };
            dump.Append(CultureInfo.InvariantCulture, $"{message.FullName} {field.FieldNumber} {(field.IsRepeated ? "repeated " : "")}{type} {field.Name}{(field.RealContainingOneof is { } oneof ? " in " + oneof.Name : field.HasPresence && field.FieldType != FieldType.Message ? " optional" : "")}\n");
        }
        foreach (var nested in message.NestedTypes.Where(nested => !nested.IsMapEntry()))
        {
            Dump(nested, dump);
        }
    }
}

internal static class Descriptors
{
    public static bool IsMapEntry(this MessageDescriptor message) => message.GetOptions()?.MapEntry ?? false;
}
