using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Emit;

/// <summary>The data types of a service: structures, enumerations, exceptions.</summary>
internal sealed class TypeFiles(ServiceModel model, Names names)
{
    private static readonly string[] DataUsings = ["System", "System.Collections.Generic", "System.IO", "Amazon.Runtime"];

    public string Structures()
    {
        var code = CodeWriter.File(names.Namespace + ".Model", DataUsings);
        foreach (var shape in model.Structures)
        {
            code.Line();
            EmitClass(code, $"public partial class {Names.Pascal(shape.Name)}", shape.Members);
        }

        return code.ToString();
    }

    public string Enumerations()
    {
        var code = CodeWriter.File(names.Namespace, "Amazon.Runtime");
        foreach (var shape in model.Enums)
        {
            var type = Names.Pascal(shape.Name);
            code.Line().Block($"public class {type} : ConstantClass", () =>
            {
                foreach (var value in shape.EnumValues.Distinct())
                {
                    code.Line($"public static readonly {type} {Names.Constant(value)} = new {type}(\"{value}\");");
                }

                code.Line()
                    .Line($"public {type}(string value) : base(value) {{ }}")
                    .Line()
                    .Line($"public static {type} FindValue(string value) => FindValue<{type}>(value);")
                    .Line()
                    .Line($"public static implicit operator {type}(string value) => FindValue(value);");
            });
        }

        return code.ToString();
    }

    public string Exceptions()
    {
        var code = CodeWriter.File(names.Namespace + ".Model", "System", "System.Collections.Generic", "System.Net", "Amazon.Runtime");
        foreach (var shape in model.Exceptions)
        {
            var type = Names.Exception(shape);
            code.Line().Block($"public partial class {type} : {names.BaseException}", () =>
            {
                EmitExceptionConstructors(code, type);
                foreach (var member in Protocols.AwsJson.ExceptionMembers(shape))
                {
                    code.Line().Line(Property(member));
                }
            });
        }

        return code.ToString();
    }

    public string BaseException()
    {
        var code = CodeWriter.File(names.Namespace, "System", "System.Net", "Amazon.Runtime");
        code.Line().Block($"public partial class {names.BaseException} : AmazonServiceException", () =>
            EmitExceptionConstructors(code, names.BaseException));
        code.Line().Block($"public partial class {names.Base}Request : AmazonWebServiceRequest", () => { });
        return code.ToString();
    }

    public void EmitClass(CodeWriter code, string head, IEnumerable<Member> members) => code.Block(head, () =>
    {
        var first = true;
        foreach (var member in members)
        {
            if (!first)
            {
                code.Line();
            }

            first = false;
            code.Line(Property(member));
        }
    });

    private string Property(Member member)
    {
        var type = names.PropertyType(member.Shape);
        var initial = Names.IsCollection(model.Get(member.Shape)) ? $" = AWSConfigs.InitializeCollections ? new {type}() : null;" : "";
        var hides = typeof(object).GetMethod(Names.Pascal(member.Name), System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance, [typeof(object)]) is not null ? "new " : "";
        return $"public {hides}{type} {Names.Pascal(member.Name)} {{ get; set; }}{initial}";
    }

    private static void EmitExceptionConstructors(CodeWriter code, string type)
    {
        code.Line($"public {type}() : base() {{ }}")
            .Line()
            .Line($"public {type}(string message) : base(message) {{ }}")
            .Line()
            .Line($"public {type}(string message, Exception innerException) : base(message, innerException) {{ }}")
            .Line()
            .Line($"public {type}(Exception innerException) : base(innerException) {{ }}")
            .Line()
            .Line($"public {type}(string message, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)")
            .Line("    : base(message, errorType, errorCode, requestId, statusCode) { }")
            .Line()
            .Line($"public {type}(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)")
            .Line("    : base(message, innerException, errorType, errorCode, requestId, statusCode) { }");
    }
}
