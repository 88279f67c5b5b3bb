using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>What both REST protocols have in common: members in the path, in the query, in headers and in the status.</summary>
internal sealed class RestBinding(ServiceModel model, Names names)
{
    /// <summary>Method, path, query and headers of <c>wire</c>; not its body.</summary>
    public void EmitRequest(CodeWriter code, Operation operation)
    {
        var members = operation.Input is null ? [] : model.Get(operation.Input).Members;
        if (operation.RequestUri.Contains('?', StringComparison.Ordinal))
        {
            throw new NotSupportedException($"{operation.Name} has a query in its path");
        }

        code.Line($"wire.HttpMethod = \"{operation.Method}\";")
            .Line($"wire.ResourcePath = \"{operation.RequestUri}\";")
            .Line($"wire.Headers[\"X-Amz-Api-Version\"] = \"{model.ApiVersion}\";");
        if (operation.HostPrefix is { } prefix)
        {
            code.Line($"wire.HostPrefix = $\"{HostPrefix(prefix, members)}\";");
        }

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
                code.Line(model.Get(member.Shape).Type == "list"
                    ? $"wire.ParameterCollection.Add(\"{member.WireName}\", request.{Names.Pascal(member.Name)});"
                    : $"wire.Parameters[\"{member.WireName}\"] = {Text(member)};"));
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
    }

    /// <summary>The members of a response that stand in its head.</summary>
    public void EmitResponse(CodeWriter code, Operation operation)
    {
        var output = operation.Output is null ? null : model.Get(operation.Output);
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
    }

    /// <summary>The members that the body consists of when no member is the body.</summary>
    public IEnumerable<Member> Body(string? shape) => shape is null ? [] : model.Get(shape).Members.Where(m => m.Location is null);

    /// <summary>The member that is the whole body; null when the body is made of several, or there is none.</summary>
    public Member? Payload(string? shape) => shape is null || model.Get(shape) is not { Payload: { } payload } owner ? null : owner.Members.First(m => m.Name == payload);

    private static string HostPrefix(string prefix, IReadOnlyList<Member> members) =>
        members.Aggregate(prefix, (text, member) => text.Replace("{" + member.Name + "}", $"{{request.{Names.Pascal(member.Name)}}}", StringComparison.Ordinal));

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
}
