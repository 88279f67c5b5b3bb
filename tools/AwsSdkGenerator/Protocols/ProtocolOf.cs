using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>The protocols by the names that service models give them. A new one is added here.</summary>
internal static class ProtocolOf
{
    public static IProtocol Model(ServiceModel model, Names names) => model.Protocol switch
    {
        "rest-json" => new RestJson(model, names),
        "rest-xml" => new RestXml(model, names),
        "json" => new AwsJson(model, names),
        "query" => new Query(model, names),
        var other => throw new NotSupportedException($"the protocol {other} of {model.Definition.Name} is not supported yet"),
    };
}
