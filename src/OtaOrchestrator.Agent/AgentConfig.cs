using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Firmware.Signing;

namespace OtaOrchestrator.Agent;

/// <summary>The file that <c>ota-agent</c> is given. Paths are relative to it.</summary>
internal sealed record AgentConfig
{
    /// <summary>host:port of MQTT.</summary>
    public required string Endpoint { get; init; }

    public required string ServerCa { get; init; }

    public string? ClaimCertificate { get; init; }

    public string? ClaimKey { get; init; }

    public required string Fleet { get; init; }

    public required string Serial { get; init; }

    public required string HardwareId { get; init; }

    public required string StateDirectory { get; init; }

    public required string ReleaseKey { get; init; }

    /// <summary>The image that the device was made with; needed until the first run.</summary>
    public string? InitialImage { get; init; }

    public double CheckInSeconds { get; init; } = 300;

    public double ConfirmTimeoutSeconds { get; init; } = 300;

    public double StallTimeoutSeconds { get; init; } = 30;

    public double CommandTimeoutSeconds { get; init; } = 900;

    public DeviceCommands Commands { get; init; } = new();

    /// <exception cref="InvalidDataException">The file, or one that it names, isn't what it should be.</exception>
    public static (AgentConfig Config, AgentOptions Options) Load(string file)
    {
        try
        {
            var config = JsonSerializer.Deserialize(File.ReadAllBytes(file), ConfigJson.Default.AgentConfig) ?? throw new InvalidDataException($"{file} is empty");
            string At(string path) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, path);
            int colon = config.Endpoint.LastIndexOf(':');
            if (colon <= 0 || !ushort.TryParse(config.Endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            {
                throw new InvalidDataException($"{file}: endpoint must be host:port");
            }
            if (new[] { config.CheckInSeconds, config.ConfirmTimeoutSeconds, config.StallTimeoutSeconds, config.CommandTimeoutSeconds }.Any(s => s is not (> 0 and <= 86_400)))
            {
                throw new InvalidDataException($"{file}: intervals must be above 0 and at most 86400 seconds");
            }
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(At(config.ServerCa));
            config = config with { InitialImage = config.InitialImage is { } image ? At(image) : null };
            return (config, new AgentOptions
            {
                Endpoint = new DnsEndPoint(config.Endpoint[..colon].Trim('[', ']'), port), ServerAuthorities = authorities,
                Claim = config is { ClaimCertificate: { } claim, ClaimKey: { } key } ? X509Certificate2.CreateFromPemFile(At(claim), At(key)) : null,
                Fleet = config.Fleet, Serial = config.Serial, HardwareId = config.HardwareId, StateDirectory = At(config.StateDirectory),
                ReleaseKey = VerificationKey.FromPem(File.ReadAllText(At(config.ReleaseKey))), CheckIn = TimeSpan.FromSeconds(config.CheckInSeconds),
                ConfirmTimeout = TimeSpan.FromSeconds(config.ConfirmTimeoutSeconds), StallTimeout = TimeSpan.FromSeconds(config.StallTimeoutSeconds),
            });
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new InvalidDataException(error is JsonException ? $"{file}: {error.Message}" : error.Message, error);
        }
    }
}

internal sealed record AgentStatus(string Thing, bool Enrolled, string? Release, string? Digest, string? Previous, string Slot, bool OnTrial, long SecurityCounter, long Sequence, string? Job, string? Outcome, string? Reason);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true)]
[JsonSerializable(typeof(AgentConfig))]
[JsonSerializable(typeof(AgentStatus))]
[JsonSerializable(typeof(AgentEvent))]
internal sealed partial class ConfigJson : JsonSerializerContext;
