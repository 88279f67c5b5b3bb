using System.Text.Json;
using System.Text.Json.Serialization;

namespace OtaOrchestrator.Cli.Connection;

/// <summary><c>server/endpoint.json</c>: written by the server when it is ready, removed when it stops.</summary>
internal sealed record ServerEndpoint
{
    private const long BytesMax = 64 * 1024;

    public int Pid { get; init; }
    public string StartId { get; init; } = "";
    public string Grpc { get; init; } = "";
    public string Mqtt { get; init; } = "";
    public string Firmware { get; init; } = "";
    public string? ControlPlane { get; init; }

    /// <summary>Null when there is no such file; a damaged one is a <see cref="CliFailure"/>.</summary>
    public static ServerEndpoint? Read(HomeDirectory home)
    {
        try
        {
            var file = new FileInfo(home.Endpoint);
            if (!file.Exists)
            {
                return null;
            }
            if (file.Length > BytesMax)
            {
                throw new CliFailure(ExitCode.Unreachable, $"{home.Endpoint} is too large to be an endpoint file");
            }
            return JsonSerializer.Deserialize(File.ReadAllBytes(home.Endpoint), EndpointJson.Default.ServerEndpoint);
        }
        catch (JsonException)
        {
            throw new CliFailure(ExitCode.Unreachable, $"{home.Endpoint} is damaged", "restart the server: ota serve");
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ServerEndpoint))]
internal sealed partial class EndpointJson : JsonSerializerContext;
