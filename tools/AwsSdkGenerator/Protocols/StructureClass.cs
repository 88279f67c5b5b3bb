using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>The class that writes and reads the structures below requests and responses, whatever the form of a body.</summary>
internal static class StructureClass
{
    /// <param name="write">A writer's type, and what writes the members of a structure; null where structures are only read.</param>
    /// <param name="contentType">What a structure is read from.</param>
    /// <param name="read">Reads the members of a structure.</param>
    public static void Emit(CodeWriter code, ServiceModel model, string name, (string Type, Action<Shape> Members)? write, string contentType, Action<Shape> read) =>
        code.Line().Block($"internal static class {name}", () =>
        {
            var first = true;
            foreach (var shape in model.Structures)
            {
                var type = Names.Pascal(shape.Name);
                if (write is { } writer && model.InputShapes.Contains(shape.Name))
                {
                    Separate();
                    code.Block($"internal static void Write({writer.Type} writer, {type} value)", () => writer.Members(shape));
                }

                if (model.OutputShapes.Contains(shape.Name))
                {
                    Separate();
                    code.Block($"internal static {type} Read{type}({contentType} content)", () =>
                    {
                        code.Line($"var value = new {type}();");
                        read(shape);
                        code.Line("return value;");
                    });
                }
            }

            void Separate()
            {
                if (!first)
                {
                    code.Line();
                }

                first = false;
            }
        });
}
