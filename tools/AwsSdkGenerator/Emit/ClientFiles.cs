using OtaOrchestrator.AwsSdkGenerator.Model;
using OtaOrchestrator.AwsSdkGenerator.Protocols;

namespace OtaOrchestrator.AwsSdkGenerator.Emit;

/// <summary>The client of a service: interface, client, configuration, one file per operation.</summary>
internal sealed class ClientFiles(ServiceModel model, Names names, IProtocol protocol)
{
    private string Client => names.Base + "Client";

    private string Config => names.Base + "Config";

    private string Endpoints => model.Partitions.Count > 0 ? "PartitionEndpoints" : "RegionalEndpoints";

    public string Interface()
    {
        var code = CodeWriter.File(
            names.Namespace, "System", "System.Threading", "System.Threading.Tasks", "Amazon.Runtime", "Amazon.Runtime.Endpoints", names.Namespace + ".Model");
        code.Line().Block($"public partial interface I{names.Base} : IAmazonService, IDisposable", () =>
        {
            foreach (var operation in model.Operations)
            {
                code.Line($"Task<{operation.Name}Response> {operation.Name}Async({operation.Name}Request request, CancellationToken cancellationToken = default);")
                    .Line();
            }

            code.Line("Endpoint DetermineServiceOperationEndpoint(AmazonWebServiceRequest request);")
                .Line()
                .Line($"static ClientConfig IAmazonService.CreateDefaultClientConfig() => new {Config}();")
                .Line()
                .Line("static IAmazonService IAmazonService.CreateDefaultServiceClient(AWSCredentials awsCredentials, ClientConfig clientConfig)")
                .Indented(() => code.Line($"=> awsCredentials is null ? new {Client}(({Config})clientConfig) : new {Client}(awsCredentials, ({Config})clientConfig);"));
        });
        return code.ToString();
    }

    public string ClientClass()
    {
        var code = CodeWriter.File(
            names.Namespace,
            "System.Threading", "System.Threading.Tasks", "Amazon.Runtime", "Amazon.Runtime.Endpoints", "Amazon.Runtime.Internal",
            "Amazon.Runtime.StandIn", names.Namespace + ".Internal", names.Namespace + ".Model");
        code.Line().Block($"public partial class {Client} : AmazonServiceClient, I{names.Base}", () =>
        {
            code.Line($"private static readonly IServiceMetadata Metadata = new StandInMetadata(\"{model.ServiceId}\");")
                .Line()
                .Line($"public {Client}() : base(new {Config}()) {{ }}")
                .Line()
                .Line($"public {Client}(RegionEndpoint region) : base(new {Config} {{ RegionEndpoint = region }}) {{ }}")
                .Line()
                .Line($"public {Client}({Config} config) : base(config) {{ }}")
                .Line()
                .Line($"public {Client}(AWSCredentials credentials) : this(credentials, new {Config}()) {{ }}")
                .Line()
                .Line($"public {Client}(AWSCredentials credentials, RegionEndpoint region) : this(credentials, new {Config} {{ RegionEndpoint = region }}) {{ }}")
                .Line()
                .Line($"public {Client}(AWSCredentials credentials, {Config} clientConfig) : base(credentials, clientConfig) {{ }}")
                .Line()
                .Line("protected override IServiceMetadata ServiceMetadata => Metadata;")
                .Line()
                .Line("public Endpoint DetermineServiceOperationEndpoint(AmazonWebServiceRequest request)")
                .Indented(() => code.Line("=> Config.DetermineServiceOperationEndpoint(new ServiceOperationEndpointParameters(request));"))
                .Line()
                .Line("protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline) => ServicePipeline.Customize(pipeline);");
            foreach (var operation in model.Operations)
            {
                code.Line()
                    .Line($"public virtual Task<{operation.Name}Response> {operation.Name}Async({operation.Name}Request request, CancellationToken cancellationToken = default)")
                    .Indented(() => code.Line($"=> InvokeAsync<{operation.Name}Response>(request, {operation.Name}Operation.Options(), cancellationToken);"));
            }
        });
        return code.ToString();
    }

    public string ConfigClass()
    {
        var code = CodeWriter.File(names.Namespace, "Amazon.Runtime", "Amazon.Runtime.Endpoints", "Amazon.Runtime.StandIn", "Amazon.Util.Internal");
        code.Line().Block($"public partial class {Config} : ClientConfig", () => code
            .Line($"private static readonly {Endpoints} Endpoints = new {Endpoints}(")
            .Indented(() => code.Line(string.Join(", ", [$"\"{model.EndpointPrefix}\"", $"\"{model.SigningName}\"", .. model.Partitions.Select(p => $"(\"{p.Partition}\", \"{p.Host}\", \"{p.Region}\")")]) + ");"))
            .Line()
            .Block($"public {Config}() : base(StandInDefaults.Provider)", () => code
                .Line($"base.ServiceId = \"{model.ServiceId}\";")
                .Line($"AuthenticationServiceName = \"{model.SigningName}\";")
                .Line("EndpointProvider = Endpoints;"))
            .Line()
            .Line($"public new string ServiceId => \"{model.ServiceId}\";")
            .Line()
            .Line($"public override string RegionEndpointServiceName => \"{model.EndpointPrefix}\";")
            .Line()
            .Line($"public override string ServiceVersion => \"{model.ApiVersion}\";")
            .Line()
            .Line($"public override string UserAgent => InternalSDKUtils.BuildUserAgentString(\"{model.ServiceId}\", \"4.0.0.0\");")
            .Line()
            .Line("public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters)")
            .Indented(() => code.Line("=> EndpointProvider.ResolveEndpoint(ServiceEndpointParameters.Of(this, parameters.AlternateEndpoint));")));
        return code.ToString();
    }

    public string OperationFile(Operation operation, TypeFiles types)
    {
        var input = operation.Input is null ? [] : model.Get(operation.Input).Members;
        var output = operation.Output is null ? [] : model.Get(operation.Output).Members;
        var (request, response) = ($"{operation.Name}Request", $"{operation.Name}Response");

        var code = CodeWriter.File(
            names.Namespace + ".Model", "System", "System.Collections.Generic", "System.IO", "Amazon.Runtime");
        code.Line();
        types.EmitClass(code, $"public partial class {request} : {names.Base}Request", input);
        code.Line();
        types.EmitClass(code, $"public partial class {response} : AmazonWebServiceResponse", output);
        return code.ToString();
    }

    public string OperationWireFile(Operation operation)
    {
        var (request, response) = ($"{operation.Name}Request", $"{operation.Name}Response");
        var code = CodeWriter.File(
            names.Namespace + ".Internal",
            [.. new[] { "System", "System.Collections.Generic", "Amazon.Runtime", "Amazon.Runtime.Internal", "Amazon.Runtime.StandIn", names.Namespace + ".Model" }.Concat(protocol.Usings).Concat(protocol.IsRaw(operation) ? ["System.IO"] : [])]);
        code.Line().Block($"internal static class {operation.Name}Operation", () =>
        {
            code.Line("internal static InvokeOptions Options() => new InvokeOptions")
                .Line("{")
                .Indented(() => code
                    .Line($"RequestMarshaller = new RequestMarshaller<{request}>(Marshal),")
                    .Line($"ResponseUnmarshaller = new {protocol.ReplyType}<{response}>(Unmarshal, Fail{(protocol.IsRaw(operation) ? ", raw: true" : "")}),"))
                .Line("};")
                .Line()
                .Block($"private static IRequest Marshal({request} request)", () =>
                {
                    code.Line($"var wire = new DefaultRequest(request, \"{names.Namespace}\");");
                    protocol.EmitRequest(code, operation);
                    code.Line("return wire;");
                })
                .Line()
                .Block($"private static void Unmarshal({response} response, {protocol.ContentType} content, Reply reply)", () => protocol.EmitResponse(code, operation))
                .Line()
                .Line($"private static AmazonServiceException Fail({protocol.ContentType} content, Failure failure) => failure.Code switch")
                .Line("{")
                .Indented(() =>
                {
                    foreach (var error in operation.Errors.Distinct().Order(StringComparer.Ordinal).Select(model.Get))
                    {
                        code.Line($"\"{error.ErrorCode ?? error.Name}\" => Errors.{Names.Exception(error)}(content, failure),");
                    }

                    code.Line("_ => Errors.Other(failure),");
                })
                .Line("};");
        });
        return code.ToString();
    }

    public string Errors()
    {
        var code = CodeWriter.File(
            names.Namespace + ".Internal",
            [.. new[] { "System", "System.Collections.Generic", "Amazon.Runtime.StandIn", names.Namespace + ".Model" }.Concat(protocol.Usings)]);
        code.Line().Block("internal static class Errors", () =>
        {
            code.Line($"internal static {names.BaseException} Other(Failure failure)")
                .Indented(() => code.Line($"=> new {names.BaseException}(failure.Message, failure.Inner, failure.Type, failure.Code, failure.RequestId, failure.StatusCode);"));
            foreach (var shape in model.Exceptions)
            {
                var type = Names.Exception(shape);
                code.Line().Block($"internal static {type} {type}({protocol.ContentType} content, Failure failure)", () =>
                {
                    code.Line($"var exception = new {type}(failure.Message, failure.Inner, failure.Type, failure.Code, failure.RequestId, failure.StatusCode);");
                    protocol.EmitException(code, shape);
                    code.Line("return exception;");
                });
            }
        });
        return code.ToString();
    }
}
