using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using OtaOrchestrator.Server.Pki;

namespace OtaOrchestrator.Server.Hosting;

/// <summary>The access key of the open control plane, made at first start.</summary>
public sealed record ControlPlaneKey(string AccessKeyId, string SecretAccessKey, string Region)
{
    public static ControlPlaneKey Open(Home home)
    {
        if (!File.Exists(home.ControlPlaneCredentials))
        {
            var made = new ControlPlaneKey("OTA" + Convert.ToHexString(RandomNumberGenerator.GetBytes(8)), Convert.ToBase64String(RandomNumberGenerator.GetBytes(30)), "local-1");
            PemFiles.WriteWhole(home.ControlPlaneCredentials, JsonSerializer.Serialize(made, HostingJson.Default.ControlPlaneKey));
        }
        var key = JsonSerializer.Deserialize(File.ReadAllText(home.ControlPlaneCredentials), HostingJson.Default.ControlPlaneKey) ?? throw new InvalidDataException(home.ControlPlaneCredentials);
        if (!File.Exists(home.ControlPlaneProfile))
        {
            PemFiles.WriteWhole(home.ControlPlaneProfile, $"[default]\naws_access_key_id = {key.AccessKeyId}\naws_secret_access_key = {key.SecretAccessKey}\n");
        }
        return key;
    }
}

/// <summary>What the file <c>endpoint.json</c> says.</summary>
internal sealed record EndpointFile(int Pid, string StartId, string Grpc, string Mqtt, string Firmware, string? ControlPlane);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ControlPlaneKey))]
[JsonSerializable(typeof(EndpointFile))]
internal sealed partial class HostingJson : JsonSerializerContext;
