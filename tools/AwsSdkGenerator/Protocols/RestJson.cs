using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>REST with JSON: members stand in the path, in the query, in headers or in the body.</summary>
internal sealed class RestJson(ServiceModel model, Names names) : IProtocol
{
    private readonly JsonShapes _shapes = new(model, names);

    public IReadOnlyList<string> Usings => ["System.Text.Json"];

    public string ReplyType => "JsonReply";

    public string ContentType => "JsonElement";

    public void EmitRequest(CodeWriter code, Operation operation)
    {
        var input = operation.Input is null ? null : model.Get(operation.Input);
        RefusePayload(input);
        var members = input?.Members ?? [];
        if (operation.RequestUri.Contains('?', StringComparison.Ordinal))
        {
            throw new NotSupportedException($"{operation.Name} has a query in its path");
        }

        code.Line($"wire.HttpMethod = \"{operation.Method}\";")
            .Line($"wire.ResourcePath = \"{operation.RequestUri}\";")
            .Line($"wire.Headers[\"X-Amz-Api-Version\"] = \"{model.ApiVersion}\";");

        foreach (var member in members.Where(m => m.Location == "uri"))
        {
            var label = operation.RequestUri.Contains("{" + member.WireName + "+}", StringComparison.Ordinal) ? member.WireName + "+" : member.WireName;
            var property = Names.Pascal(member.Name);
            code.Line($"wire.AddPathResource(\"{{{label}}}\", RestWire.Required({Text(member)}, nameof(request.{property}), static text => new {names.BaseException}(text)));");
        }

        var query = members.Where(m => m.Location == "querystring").ToArray();
        foreach (var member in query)
        {
            code.Block($"if (request.{Names.Pascal(member.Name)} != null)", () =>
                code.Line($"wire.Parameters[\"{member.WireName}\"] = {Text(member)};"));
        }

        if (query.Length > 0)
        {
            code.Line("wire.UseQueryString = true;");
        }

        foreach (var member in members.Where(m => m.Location == "header"))
        {
            code.Block($"if (request.{Names.Pascal(member.Name)} != null)", () =>
                code.Line($"wire.Headers[\"{member.WireName}\"] = {Text(member)};"));
        }

        if (members.FirstOrDefault(m => m.Location is not (null or "uri" or "querystring" or "header")) is { } unknown)
        {
            throw new NotSupportedException($"{operation.Name}: member {unknown.Name} is located in {unknown.Location}");
        }

        if (members.Any(m => m.Location is null))
        {
            code.Line("wire.Headers[\"Content-Type\"] = \"application/json\";");
            code.Block("wire.Content = JsonWire.Object(writer =>", () => _shapes.EmitWrite(code, members.Where(m => m.Location is null), "request"), "});");
        }
    }

    public void EmitResponse(CodeWriter code, Operation operation)
    {
        var output = operation.Output is null ? null : model.Get(operation.Output);
        RefusePayload(output);
        foreach (var member in output?.Members.Where(m => m.Location is not null) ?? [])
        {
            var property = $"response.{Names.Pascal(member.Name)}";
            code.Line((member.Location, model.Get(member.Shape).Type) switch
            {
                ("statusCode", _) => $"{property} = (int)reply.StatusCode;",
                ("header", "string") => $"{property} = RestWire.Header(reply, \"{member.WireName}\");",
                _ => throw new NotSupportedException($"{operation.Name}: output member {member.Name} is located in {member.Location}"),
            });
        }

        _shapes.EmitRead(code, output?.Members.Where(m => m.Location is null) ?? [], "response");
    }

    public void EmitException(CodeWriter code, Shape exception) => _shapes.EmitRead(code, AwsJson.ExceptionMembers(exception), "exception");

    public (string File, string Text) EmitStructures() => ($"{JsonShapes.Class}.g.cs", _shapes.EmitStructures());

    private string Text(Member member)
    {
        var shape = model.Get(member.Shape);
        var value = $"request.{Names.Pascal(member.Name)}";
        return shape.Type switch
        {
            "string" when shape.IsEnum => $"{value}?.Value",
            "string" => value,
            "integer" or "long" or "boolean" => $"RestWire.Text({value})",
            "timestamp" => $"RestWire.{((member.TimestampFormat ?? shape.TimestampFormat, member.Location) switch
            {
                ("iso8601", _) or (null, "querystring" or "uri") => "Iso8601",
                ("unixTimestamp", _) => "EpochSeconds",
                _ => throw new NotSupportedException($"member {member.Name} is a timestamp in a {member.Location}"),
            })}({value})",
            _ => throw new NotSupportedException($"member {member.Name} of type {shape.Type} cannot stand in the {member.Location}"),
        };
    }

    private static void RefusePayload(Shape? shape)
    {
        if (shape?.Payload is { } payload)
        {
            throw new NotSupportedException($"{shape.Name} has the payload member {payload}: not supported yet");
        }
    }
}
